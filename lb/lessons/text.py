"""A text in every language that lessons speak."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from lb.model.said import Language

_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Text(BaseModel):
    """The same in English and in Korean: a file that has one of them only is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: _Words
    ko: _Words

    def to(self, language: Language) -> str:
        """In one language."""
        return self.en if language == "en" else self.ko
