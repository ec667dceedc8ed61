"""The hundred rules of the scenario `rules`, and the request that only the last of them matches."""

from itertools import cycle, islice
from typing import Any, Final

COUNT: Final = 100
PATH: Final = "/area100/cart/view"
HEADERS: Final = (
    ("Host", "shop100.example.com"),
    ("User-Agent", "bench100/1.0 (X11; Linux x86_64)"),
    ("X-Client", "client100"),
)


def _kinds(number: int) -> tuple[dict[str, Any], ...]:
    """The kinds of conditions in turn: each alone, some together, literal, with wildcards and as regular expressions."""
    return (
        {"host-header": [f"shop{number}.example.com", f"*.shop{number}.example.com"]},
        {"path-pattern": f"/area{number}/*"},
        {"http-header": {"X-Client": f"client{number}"}},
        {"http-request-method": "POST", "path-pattern": f"/area{COUNT}/*"},
        {"path-pattern": [f"/area{number}", f"*.type{number}", f"/area?/*/item{number}"]},
        {"http-header": {"User-Agent": f"*bench{number}/*"}},
        {"host-header": f"*{number}.example.org", "path-pattern": "/area*", "http-request-method": ["GET", "HEAD"]},
        {"path-pattern": {"regex": f"^/v[0-9]+/area{number}/"}},
        {"http-header": {"X-Plan": [f"plan{number}", f"trial-{number}-*"]}, "path-pattern": "/area*"},
    )


def _rules() -> list[dict[str, Any]]:
    # 100 itself is left to the last rule.
    numbers = range(1, COUNT)
    found = [
        {"priority": number, "conditions": kinds[turn], "action": {"forward": "origins"}}
        for number, turn, kinds in zip(numbers, islice(cycle(range(9)), COUNT), map(_kinds, numbers), strict=False)
    ]
    last = {
        "host-header": f"shop{COUNT}.example.com",
        "path-pattern": f"/area{COUNT}/*",
        "http-header": {"X-Client": f"client{COUNT}"},
        "http-request-method": "GET",
    }
    return [*found, {"priority": COUNT, "conditions": last, "action": {"forward": "origins"}}]


HUNDRED_RULES: Final = _rules()
