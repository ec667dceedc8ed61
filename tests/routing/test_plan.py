"""Compiling a configuration: what a node reads, what is refused."""

import dataclasses

import pytest

from lb.http.forwarded import ForwardedSettings
from lb.model.config import Config, Target
from lb.routing.plan import Endpoint, Plan, PlanError, compile_plan
from tests.routing.configs import balancer, config, group


def test_nothing_configured_is_an_empty_plan():
    assert compile_plan(Config(), {}) == Plan((), ())


def test_a_listener_with_everything_at_its_default():
    web = group()
    main = balancer((8080, web))
    plan = compile_plan(config([main], [web]), {})
    (listener,) = plan.listeners
    assert (listener.arn, listener.port) == (main.listeners[0].arn, 8080)
    assert listener.load_balancer_arn == main.arn
    assert listener.rules.rules == ()
    assert listener.rules.default.action.pick(0.0) == web.arn
    assert listener.origin.load_balancer == main.arn.split("loadbalancer/")[1]
    assert (listener.origin.dns_name, listener.origin.port) == (main.dns_name, 8080)
    assert listener.forwarded == ForwardedSettings(8080, main.dns_name.encode(), False, False, "append")
    assert listener.desync_mode == "defensive"
    assert listener.drop_invalid_headers is False
    assert listener.server_header is True
    assert (listener.idle_timeout_s, listener.client_keep_alive_s) == (60, 3600)


def test_each_attribute_reaches_its_place():
    web = group(attributes={"deregistration_delay.timeout_seconds": "7"})
    main = balancer(
        (80, web),
        attributes={
            "idle_timeout.timeout_seconds": "4000",
            "client_keep_alive.seconds": "61",
            "routing.http.desync_mitigation_mode": "strictest",
            "routing.http.drop_invalid_header_fields.enabled": "true",
            "routing.http.preserve_host_header.enabled": "true",
            "routing.http.xff_client_port.enabled": "true",
            "routing.http.xff_header_processing.mode": "remove",
        },
        listener_attributes={"routing.http.response.server.enabled": "false"},
    )
    plan = compile_plan(config([main], [web]), {})
    (listener,) = plan.listeners
    assert listener.forwarded == ForwardedSettings(80, main.dns_name.encode(), True, True, "remove")
    assert (listener.desync_mode, listener.drop_invalid_headers) == ("strictest", True)
    assert listener.server_header is False
    assert (listener.idle_timeout_s, listener.client_keep_alive_s) == (4000, 61)
    assert plan.groups[0].deregistration_delay_s == 7


def test_a_group_is_in_use_when_a_listener_forwards_to_it():
    used, other = group("used"), group("other")
    plan = compile_plan(config([balancer((80, used))], [other, used]), {})
    assert [(each.name, each.in_use) for each in plan.groups] == [("other", False), ("used", True)]


def test_a_group_of_two_load_balancers_is_one_group():
    web = group()
    plan = compile_plan(config([balancer((80, web)), balancer((81, web), name="other")], [web]), {})
    assert [listener.port for listener in plan.listeners] == [80, 81]
    assert len(plan.groups) == 1


def test_a_listener_must_forward_to_a_group_that_exists():
    web, gone = group(), group("gone")
    with pytest.raises(PlanError) as raised:
        compile_plan(config([balancer((80, web), (81, gone))], [web]), {})
    assert gone.arn in str(raised.value)


def test_two_listeners_of_one_load_balancer_cannot_share_a_port():
    web = group()
    first = balancer((80, web))
    twin = dataclasses.replace(first.listeners[0], arn=first.listeners[0].arn + "0")
    with pytest.raises(PlanError, match="80"):
        compile_plan(config([dataclasses.replace(first, listeners=(first.listeners[0], twin))], [web]), {})


def test_two_load_balancers_can_share_a_port():
    web = group()
    plan = compile_plan(config([balancer((80, web)), balancer((80, web), name="second")], [web]), {})
    assert [listener.port for listener in plan.listeners] == [80, 80]


# --- targets and the addresses of their names ---


def endpoints(targets: list[str], addresses: dict[str, tuple[str, ...]]) -> tuple[Endpoint, ...]:
    return compile_plan(config([], [group(targets=targets)]), addresses).groups[0].endpoints


def test_a_name_stands_for_its_address():
    (found,) = endpoints(["web1:80"], {"web1": ("10.0.0.1",)})
    assert found == Endpoint(Target("web1", 80), "10.0.0.1")
    assert found.key == "10.0.0.1:80"


def test_a_name_with_two_addresses_is_two_endpoints_of_one_target():
    found = endpoints(["web:80"], {"web": ("10.0.0.1", "10.0.0.2")})
    assert [each.key for each in found] == ["10.0.0.1:80", "10.0.0.2:80"]
    assert {each.target for each in found} == {Target("web", 80)}


@pytest.mark.parametrize("addresses", [{}, {"web1": ()}], ids=["unknown", "no address"])
def test_a_name_that_does_not_resolve_is_an_endpoint_without_address(addresses: dict[str, tuple[str, ...]]):
    (found,) = endpoints(["web1:80"], addresses)
    assert (found.address, found.key) == (None, "web1:80")


def test_keys_of_ipv6_addresses_have_brackets():
    (found,) = endpoints(["::1:80"], {"::1": ("::1",)})
    assert found.key == "[::1]:80"
    (unresolved,) = endpoints(["fe80::1:80"], {})
    assert unresolved.key == "[fe80::1]:80"


def test_the_order_of_registration_is_kept():
    found = endpoints(["b:80", "a:80", "b:81"], {"a": ("10.0.0.1",), "b": ("10.0.0.2",)})
    assert [each.key for each in found] == ["10.0.0.2:80", "10.0.0.1:80", "10.0.0.2:81"]


def test_two_names_of_one_address_and_port_are_one_endpoint():
    found = endpoints(["a:80", "b:80"], {"a": ("10.0.0.1",), "b": ("10.0.0.1",)})
    assert [each.key for each in found] == ["10.0.0.1:80"]


# --- plans are values ---


def test_the_same_configuration_gives_an_equal_plan():
    def make() -> Plan:
        web = group(targets=["a:80"])
        return compile_plan(config([balancer((80, web))], [web]), {"a": ("10.0.0.1",)})

    assert make() == make()


def test_a_plan_cannot_be_changed():
    web = group(targets=["a:80"])
    plan = compile_plan(config([balancer((80, web))], [web]), {})
    for value, name in ((plan, "groups"), (plan.listeners[0], "port"), (plan.groups[0], "in_use")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, None)
