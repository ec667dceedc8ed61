"""What every mapping with fixed keys in `lb.yaml` has in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Keys(BaseModel):
    """A mapping with a fixed set of keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def written(cls) -> dict[str, FieldInfo]:
        """The fields by their keys as the file writes them (`fixed-response` is no Python name)."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}
