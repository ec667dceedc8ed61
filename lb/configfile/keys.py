"""What every mapping with fixed keys in `lb.yaml` has in common."""

from pydantic import BaseModel, ConfigDict


class Keys(BaseModel):
    """A mapping with a fixed set of keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
