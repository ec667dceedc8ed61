"""Names of what an export makes and of what it is given, the same in each language but for their spelling."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands for an id that is known only where the export is used.

    `kind` and `name` are lower-case words with underscores between them; `name` is unique within its kind.
    """

    kind: str
    name: str

    @property
    def upper(self) -> str:
        """`TARGET_GROUP_WEB_SERVERS`, for shells."""
        return f"{self.kind}_{self.name}".upper()

    @property
    def camel(self) -> str:
        """`TargetGroupWebServers`, for CloudFormation."""
        return "".join(word.capitalize() for word in f"{self.kind}_{self.name}".split("_"))


class Names:
    """Hands out references. Names that differ in case or punctuation only are told apart by a number."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()

    def new(self, kind: str, text: object) -> Ref:
        """A reference named after `text`."""
        words = "_".join(re.findall("[a-z0-9]+", str(text).lower())) or "unnamed"
        name, number = words, 1
        while (kind, name.replace("_", "")) in self._taken:
            number += 1
            name = f"{words}_{number}"
        self._taken.add((kind, name.replace("_", "")))
        return Ref(kind, name)


def one_line(text: str) -> str:
    """Text that stays within a comment: what cannot be printed becomes a space."""
    return "".join(character if character.isprintable() else " " for character in text)
