"""The cases of tests/http/desync.yaml as a client sends them, with what `desync_on_the_wire.yaml` adds to them."""

from pathlib import Path
from typing import Any

import yaml

from lb.http.body import LAST_CHUNK

_PROXY = Path(__file__).parent
CASES: list[dict[str, Any]] = yaml.safe_load((_PROXY.parent / "http" / "desync.yaml").read_text("utf-8"))
TABLE: dict[str, Any] = yaml.safe_load((_PROXY / "desync_on_the_wire.yaml").read_text("utf-8"))
ON_THE_WIRE: dict[str, dict[str, Any]] = {row["name"]: row for row in TABLE["cases"]}
ENDLESS = "the highest length"
"""The one case whose request never ends."""


def sent_body(case: dict[str, Any]) -> bytes:
    """What the client sends behind the head of a case."""
    body: str = ON_THE_WIRE.get(case["name"], {}).get("body", "")
    return b"3\r\nabc\r\n" + LAST_CHUNK if body == "chunks" else body.encode()


def wire(case: dict[str, Any]) -> bytes:
    """The case as a client sends it."""
    lines = [case.get("line", "POST / HTTP/1.1"), "Host: a", *case.get("headers", ()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + sent_body(case)
