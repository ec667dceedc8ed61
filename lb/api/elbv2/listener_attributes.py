"""Attributes of listeners (fact sheet 2.5)."""

from dataclasses import replace
from typing import Final

from lb.api.call import Call, Operations, Params, Result
from lb.api.elbv2.attribute_values import listed, merged
from lb.api.elbv2.lookup import find
from lb.model.attributes import Attribute
from lb.model.kept_attributes import listener_rows
from lb.resources.records import Kind, Record

_ANY: Final = (("application", "HTTPS"), ("network", ""), ("gateway", ""))


def describe_listener_attributes(call: Call, params: Params) -> Result:
    """Every attribute that a listener of its protocol has."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])
    return {"Attributes": listed(_rows(call, listener), listener.attributes)}


def modify_listener_attributes(call: Call, params: Params) -> Result:
    """Changes attributes, all or none; answers those given."""
    listener = find(call, Kind.LISTENER, params["ListenerArn"])

    def unknown(key: str) -> str:
        elsewhere = any(row.key == key for each in _ANY for row in listener_rows(*each))
        protocol = listener.shape.get("Protocol", "GENEVE")
        how = f"supported on listeners with protocol '{protocol}'" if elsewhere else "recognized"
        return f"Listener attribute key '{key}' is not {how}"

    attributes = merged(_rows(call, listener), listener.attributes, params["Attributes"], unknown)
    call.tx.put(replace(listener, attributes=attributes))
    return {"Attributes": params["Attributes"]}


def _rows(call: Call, listener: Record) -> tuple[Attribute, ...]:
    balancer = find(call, Kind.LOAD_BALANCER, listener.parent)
    return listener_rows(balancer.shape["Type"], listener.shape.get("Protocol", ""))


OPERATIONS: Final[Operations] = {
    "DescribeListenerAttributes": describe_listener_attributes,
    "ModifyListenerAttributes": modify_listener_attributes,
}
