"""Every attribute of the table is named by a test of what the balancer does: of requests, targets or logs."""

from pathlib import Path
from typing import Final

from lb.model.attributes import TABLE

_TESTS: Final = Path(__file__).resolve().parents[2]
# Tests that check, compile or store attributes say nothing about what they do.
_BEHAVIOUR: Final = ("proxy", "targets", "observe", "bars")


def test_every_attribute_is_named_by_a_behaviour_test() -> None:
    texts = [path.read_text() for folder in _BEHAVIOUR for path in (_TESTS / folder).rglob("test_*.py")]
    assert len(texts) > 20
    missing = [row.key for row in TABLE if not any(f'"{row.key}"' in text for text in texts)]
    assert not missing, f"no behaviour test names {', '.join(missing)}"
