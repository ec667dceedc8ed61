"""docs/lb-yaml.md says what the schema and the attribute table say, and its examples work."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from lb.configfile.keys import Keys
from lb.configfile.reader import load_config, read_config
from lb.configfile.rules_schema import RuleKeys
from lb.configfile.schema import FileKeys, HealthCheckKeys, ListenerKeys, LoadBalancerKeys, TargetGroupKeys
from lb.model import attributes, rule_checks, rules
from lb.model.attributes import Scope

DOC = (Path(__file__).parents[2] / "docs" / "lb-yaml.md").read_text("utf-8")
SECTIONS = {
    "## The file": FileKeys,
    "## A load balancer: `load_balancers.NAME`": LoadBalancerKeys,
    "## A listener: `load_balancers.NAME.listeners[]`": ListenerKeys,
    "## A rule: `load_balancers.NAME.listeners[].rules[]`": RuleKeys,
    "## A target group: `target_groups.NAME`": TargetGroupKeys,
    "## A health check: `target_groups.NAME.health_check`": HealthCheckKeys,
}
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)


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
        case {} | () | [] if not field.default:
            return "empty"
        case value:
            return f"`{value}`"


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_has_its_row_with_default_and_range(heading: str):
    keys: type[Keys] = SECTIONS[heading]
    expected = [f"| `{key}` | {default_of(field)} | {field.description} |" for key, field in keys.written().items()]
    assert rows_after(heading) == expected


@pytest.mark.parametrize("scope", Scope)
def test_every_attribute_has_its_row(scope: Scope):
    rows = [row for row in attributes.TABLE if row.scope is scope]
    expected = [f"| `{row.key}` | {f'`{row.default}`' if row.default else 'empty'} | {row.allowed} |" for row in rows]
    assert rows_after(f"{scope}:") == expected


def test_every_condition_and_transform_is_named():
    table = DOC.split("\n### Conditions\n", 1)[1].split("\n### Transforms\n", 1)
    conditions = re.findall(r"^\| `(.*?)` \|", table[0], re.MULTILINE)
    assert sorted(conditions) == sorted(rules.FIELDS)
    transforms = table[1].split("\n### Actions\n", 1)[0]
    assert "`url-rewrite`" in transforms
    assert "`host-header-rewrite`" in transforms


@pytest.mark.parametrize(
    ("sentence", "action"), [("`redirect` sends", rules.Redirect), ("`fixed-response` answers", rules.FixedResponse)]
)
def test_every_key_of_an_action_has_its_row_with_the_default(sentence: str, action: type):
    table = DOC.split(f"\n{sentence}", 1)[1].split("| --- | --- | --- |\n", 1)[1].split("\n\n", 1)[0]
    shown = dict(re.findall(r"^\| `(.*?)` \| `?(.*?)`? \|", table, re.MULTILINE))
    defaults = {field.name: field.default for field in fields(action)}
    assert shown == {
        name: "required" if default is MISSING else {None: "text/plain", "": "empty"}.get(default, default)
        for name, default in defaults.items()
    }


@pytest.mark.parametrize(
    "limit",
    [
        f"{rule_checks.CONDITION_VALUES_PER_RULE} values and {rule_checks.CONDITION_WILDCARDS_PER_RULE} wildcards in all",
        f"Up to {rule_checks.TARGET_GROUPS_PER_ACTION} target groups, with weights from 0 to {rule_checks.HIGHEST_WEIGHT}.",
        f"(1 to {rule_checks.HIGHEST_STICKINESS_S})",
        " or ".join([", ".join(rule_checks.CONTENT_TYPES[:-1]), rule_checks.CONTENT_TYPES[-1]]),
        " or ".join(f"`{status}`" for status in rule_checks.REDIRECT_STATUSES),
    ],
)
def test_the_limits_of_rules_are_the_ones_checked(limit: str):
    assert limit in DOC


@pytest.mark.parametrize("example", EXAMPLES, ids=["smallest", "full", "rules"])
def test_the_examples_are_valid(example: str):
    read_config(example, "docs/lb-yaml.md")


def test_the_forms_of_a_forward_action_are_valid():
    (forms,) = re.findall(r"```\n(forward: .*?)```", DOC, re.DOTALL)
    for form in forms.splitlines():
        head = "target_groups: {web: {}, canary: {}}\nload_balancers: {web: {listeners: [{port: 80, "
        read_config(f"{head}{form}}}]}}}}\n", "docs/lb-yaml.md")


def test_the_full_example_shows_the_defaults():
    shown = read_config(EXAMPLES[1], "docs/lb-yaml.md").target_groups[0]
    bare = read_config(
        "load_balancers: {web: {listeners: [{port: 80, forward: a}]}}\ntarget_groups: {a: {}}\n", "bare"
    ).target_groups[0]
    assert shown.health_check == bare.health_check
    assert shown.port == bare.port


def test_the_rules_example_shows_every_kind_of_action():
    (balancer,) = read_config(EXAMPLES[2], "docs/lb-yaml.md").load_balancers
    shown = [rule.action for listener in balancer.listeners for rule in listener.rules]
    assert {type(action) for action in shown} == {rules.Forward, rules.Redirect, rules.FixedResponse}
    assert any(isinstance(action, rules.Forward) and action.stickiness_s for action in shown)


@pytest.mark.parametrize("file", ["lb/demo/lb.yaml", "compose/lb.yaml", "compose/wordpress/lb.yaml"])
def test_the_files_that_come_with_it_are_valid(file: str):
    load_config(Path(__file__).parents[2] / file)
