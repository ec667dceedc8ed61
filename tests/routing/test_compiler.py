"""What a compiler keeps from one configuration to the next: a change costs what it changes."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lb.configfile.reader import read_config
from lb.model.config import Config, Place
from lb.routing.plan import Compiler, PlanError, compile_plan

FILE = {
    "load_balancers": {
        "one": {"listeners": [{"port": 8101, "forward": "a"}, {"port": 8102, "forward": "a"}]},
        "two": {"listeners": [{"port": 8103, "forward": "b"}]},
    },
    "target_groups": {"a": {"targets": ["web1:80"]}, "b": {"targets": ["127.0.0.1:9001"]}},
}
ADDRESSES = {"web1": ("10.0.0.1",), "127.0.0.1": ("127.0.0.1",)}


def config() -> Config:
    return read_config(json.dumps(FILE), "test.yaml")


def test_the_same_configuration_is_the_same_plan_in_the_same_objects() -> None:
    compiler = Compiler()
    first, second = compiler.compile(config(), ADDRESSES), compiler.compile(config(), ADDRESSES)
    assert all(old is new for old, new in zip(first.listeners, second.listeners, strict=True))
    assert all(old is new for old, new in zip(first.groups, second.groups, strict=True))


def test_a_changed_listener_is_the_only_one_compiled_again() -> None:
    compiler, before = Compiler(), config()
    first = compiler.compile(before, ADDRESSES)
    one, two = before.load_balancers
    listener = replace(one.listeners[0], attributes={"routing.http.response.server.enabled": "false"})
    after = replace(before, load_balancers=(replace(one, listeners=(listener, one.listeners[1])), two))
    second = compiler.compile(after, ADDRESSES)
    assert [old is new for old, new in zip(first.listeners, second.listeners, strict=True)] == [False, True, True]
    assert not second.listeners[0].server_header


def test_attributes_of_a_load_balancer_are_of_all_its_listeners_and_no_others() -> None:
    compiler, before = Compiler(), config()
    first = compiler.compile(before, ADDRESSES)
    one, two = before.load_balancers
    after = replace(before, load_balancers=(replace(one, attributes={"idle_timeout.timeout_seconds": "7"}), two))
    second = compiler.compile(after, ADDRESSES)
    assert [listener.idle_timeout_s for listener in second.listeners] == [7, 7, 60]
    assert second.listeners[2] is first.listeners[2]


def test_other_addresses_and_other_users_make_other_groups() -> None:
    compiler, before = Compiler(), config()
    first = compiler.compile(before, ADDRESSES)
    moved = compiler.compile(before, {**ADDRESSES, "web1": ("10.0.0.2",)})
    assert [endpoint.address for endpoint in moved.groups[0].endpoints] == ["10.0.0.2"]
    assert moved.groups[1] is first.groups[1]
    unused = compiler.compile(replace(before, load_balancers=before.load_balancers[1:]), ADDRESSES)
    assert [group.in_use for group in unused.groups] == [False, True]


def test_after_a_configuration_that_cannot_be_carried_out_comes_the_right_plan() -> None:
    compiler, good = Compiler(), config()
    compiler.compile(good, ADDRESSES)
    with pytest.raises(PlanError, match="does not exist"):
        compiler.compile(replace(good, target_groups=good.target_groups[1:]), ADDRESSES)
    again, fresh = compiler.compile(good, ADDRESSES), compile_plan(good, ADDRESSES)
    assert again.groups == fresh.groups
    assert [listener.arn for listener in again.listeners] == [listener.arn for listener in fresh.listeners]


@pytest.mark.parametrize(
    "change", [{"zone": "b"}, {"place": Place("127.16.0.1", 80)}, {"blocked": True}], ids=["zone", "place", "blocked"]
)
def test_what_is_new_about_a_target_makes_its_group_anew(change: dict[str, Any]) -> None:
    compiler, before = Compiler(), config()
    first = compiler.compile(before, ADDRESSES)
    group = before.target_groups[1]
    changed = replace(group, targets=tuple(replace(target, **change) for target in group.targets))
    second = compiler.compile(replace(before, target_groups=(before.target_groups[0], changed)), ADDRESSES)
    assert second.groups[0] is first.groups[0]
    (endpoint,) = second.groups[1].endpoints
    assert all(getattr(endpoint.target, name) == value for name, value in change.items())
