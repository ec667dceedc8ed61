"""Sentences for people: an English template and its values, which other languages have templates of their own for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Language = Literal["en", "ko"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "ko")

Words = Mapping[str, str]
"""The templates of a language by the English ones. What is missing is said in English."""
ENGLISH: Final[Words] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or a part of one. The braces of the English template are filled with the values, which may be parts."""

    english: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return self.to(ENGLISH)

    def to(self, words: Words) -> str:
        """In the language of these words."""
        template = words.get(self.english, self.english)
        return template.format_map({name: _to(value, words) for name, value in self.values.items()})


def said(english: str, /, **values: object) -> Said:
    """`said("{name} is gone", name="web")`, a literal: tests find by it what needs words. Tables make `Said` themselves."""
    return Said(english, values)


def in_seconds(number: object) -> Said:
    """So many seconds."""
    return said("{seconds} s", seconds=number)


def _to(value: object, words: Words) -> object:
    return value.to(words) if isinstance(value, Said) else value
