"""What can be wrong with a configuration file: a problem, where it is, and the error that carries all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]

_LONGEST_SHOWN = 60
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1 and is None where the file has no lines to speak of (it is missing);
    `path` is the key path (`target_groups.web.targets[0]`), empty for the file as a whole."""

    file: str
    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return _one_line(": ".join(part for part in (place, self.path, self.message) if part))


class ConfigError(Exception):
    """The file is not a usable configuration. `problems` is never empty and in line order; `str()` is one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: KeyPath) -> str:
    """The key path as text: keys joined by dots, list positions in brackets (from 0)."""
    text = "".join(f"[{step}]" if isinstance(step, int) else "." + (step or "''") for step in path)
    return text.removeprefix(".")


def shown(value: object) -> str:
    """A value from the file, short enough for a message."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case str() if len(value) > _LONGEST_SHOWN:
            return f"'{value[:_LONGEST_SHOWN]}...'"
        case str():
            return f"'{value}'"
        case _:
            return str(value)


def known_instead(word: str, known: Sequence[str], kind: str) -> str:
    """The end of a "not known" message: the nearest known word, where one is near, and the known ones.

    `kind` is the plural of what the words are ("keys", "target groups").
    """
    if not known:
        return f"there are no {kind} in this file"
    # A key can be a megabyte long, and the comparison is quadratic.
    near = get_close_matches(word[:_LONGEST_SHOWN], known, n=1)
    listed = ", ".join(known[:_MOST_LISTED])
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"{hint}known {kind}: {listed}{more}"


def _one_line(text: str) -> str:
    """Line breaks, control characters and lone surrogates as escapes: what a terminal can show on one line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
