"""docs/lb-yaml.md says what the schema and the attribute table say, and its examples work."""

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lb.configfile.reader import read_config
from lb.configfile.schema import FileKeys, HealthCheckKeys, Keys, ListenerKeys, LoadBalancerKeys, TargetGroupKeys
from lb.model import attributes
from lb.model.attributes import Scope

DOC = (Path(__file__).parents[2] / "docs" / "lb-yaml.md").read_text("utf-8")
SECTIONS = {
    "## The file": FileKeys,
    "## A load balancer: `load_balancers.NAME`": LoadBalancerKeys,
    "## A listener: `load_balancers.NAME.listeners[]`": ListenerKeys,
    "## A target group: `target_groups.NAME`": TargetGroupKeys,
    "## A health check: `target_groups.NAME.health_check`": HealthCheckKeys,
}


def rows_after(heading: str) -> list[str]:
    """The table rows between a heading line and the next table's head."""
    assert f"\n{heading}\n" in DOC
    section = DOC.split(f"\n{heading}\n", 1)[1]
    table = section.split("| Key | Default | Allowed |\n| --- | --- | --- |\n", 1)[1]
    return table.split("\n\n", 1)[0].splitlines()


def default_of(field: FieldInfo) -> str:
    match field.default:
        case _ if field.default is PydanticUndefined:
            return "required"
        case None:
            return "see below"
        case HealthCheckKeys():
            return "all defaults"
        case {} | () if not field.default:
            return "empty"
        case value:
            return f"`{value}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_has_its_row_with_default_and_range(heading: str):
    keys: type[Keys] = SECTIONS[heading]
    expected = [f"| `{key}` | {default_of(field)} | {field.description} |" for key, field in keys.model_fields.items()]
    assert rows_after(heading) == expected


@pytest.mark.parametrize("scope", Scope)
def test_every_attribute_has_its_row(scope: Scope):
    rows = [row for row in attributes.TABLE if row.scope is scope]
    expected = [f"| `{row.key}` | `{row.default}` | {row.allowed} |" for row in rows]
    assert rows_after(f"{scope}:") == expected


def test_the_examples_are_valid():
    examples = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        read_config(example, "docs/lb-yaml.md")


def test_the_full_example_shows_the_defaults():
    _, full = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
    shown = read_config(full, "docs/lb-yaml.md").target_groups[0]
    bare = read_config(
        "load_balancers: {web: {listeners: [{port: 80, forward: a}]}}\ntarget_groups: {a: {}}\n", "bare"
    ).target_groups[0]
    assert shown.health_check == bare.health_check
    assert shown.port == bare.port
