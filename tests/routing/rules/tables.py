"""Reads the YAML tables beside the tests, and makes requests and rules of what stands in them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lb.configfile.rules_schema import RuleKeys, build_rules
from lb.http.head import HeadReader
from lb.model import names
from lb.model.rules import Rule
from lb.routing.request import RequestView

LISTENER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/web/0123456789abcdef/fedcba9876543210"
GROUPS = {
    name: names.target_group_arn("us-east-1", "000000000000", name, names.derived_id("target-group", name))
    for name in ("web", "canary", "old", "api")
}
FORWARD = {"forward": "web"}


def cases(name: str) -> list[Any]:
    """The cases of a table, each with its name as id."""
    loaded = yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))
    assert loaded, name
    return [pytest.param(case, id=case["name"]) for case in loaded]


def request(described: dict[str, Any] | None = None, **more: Any) -> RequestView:
    """A request from `method`, `uri`, `host`, `headers` (whole lines) and `from` (the client's address).

    Without `host`, example.com is asked; with `host: null` the request is HTTP/1.0 and names none.
    """
    fields = {"method": "GET", "uri": "/", "host": "example.com", "headers": [], "from": "203.0.113.9"}
    fields |= (described or {}) | more
    unknown = fields.keys() - {"method", "uri", "host", "headers", "from"}
    assert not unknown, unknown
    host = fields["host"]
    lines = [f"{fields['method']} {fields['uri']} HTTP/1.{0 if host is None else 1}"]
    lines += [] if host is None else [f"Host: {host}"]
    data = "\r\n".join([*lines, *fields["headers"], "", ""]).encode("latin-1")
    found = HeadReader().read(data, 0, "monitor", drop_invalid=False)
    assert found is not None
    return RequestView(found[0], fields["from"], b"web-0123456789.us-east-1.elb.localhost")


def rules_of(described: list[dict[str, Any]]) -> tuple[Rule, ...]:
    """Rules as lb.yaml has them, and a default rule that forwards to `old`. An action that is left out forwards to `web`."""
    keys = [RuleKeys.model_validate({"action": FORWARD} | each) for each in described]
    default = RuleKeys.model_validate(
        {"priority": 1, "conditions": {"path-pattern": "*"}, "action": {"forward": "old"}}
    )
    return build_rules(LISTENER, keys, default.action, GROUPS)
