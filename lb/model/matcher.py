"""Health check success codes: `200`, `200,202`, `200-299` (ELBv2 `Matcher.HttpCode`)."""

import re
from dataclasses import dataclass

LOWEST, HIGHEST = 200, 499
_ITEM = re.compile(r"([0-9]{3})(?:-([0-9]{3}))?")


@dataclass(frozen=True, slots=True)
class Matcher:
    """The set of status codes that pass."""

    text: str
    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self.ranges)


def parse_matcher(text: str) -> Matcher:
    """Reads the API's text form. Raises ValueError with what is allowed."""
    ranges = []
    for item in text.split(","):
        found = _ITEM.fullmatch(item.strip())
        if not found:
            raise ValueError(
                f"'{item.strip()}' is not a status code; use one (200), a list (200,202) or a range (200-299)"
            )
        low = int(found[1])
        high = int(found[2] or low)
        if not LOWEST <= low <= high <= HIGHEST:
            raise ValueError(f"'{item.strip()}' must lie within {LOWEST}-{HIGHEST}, the lower code first")
        ranges.append((low, high))
    return Matcher(text, tuple(ranges))
