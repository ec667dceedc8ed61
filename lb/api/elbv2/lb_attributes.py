"""Attributes of load balancers (fact sheet 1.4)."""

from dataclasses import replace
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.attribute_values import listed, merged
from lb.api.elbv2.lookup import find
from lb.model.attributes import Attribute, Scope, check_together
from lb.model.kept_attributes import load_balancer_rows
from lb.resources.records import Kind, Record

_TYPES: Final = ("application", "network", "gateway")


def describe_load_balancer_attributes(call: Call, params: Params) -> Result:
    """Every attribute of the load balancer's type."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    return {"Attributes": listed(_rows(balancer), balancer.attributes)}


def modify_load_balancer_attributes(call: Call, params: Params) -> Result:
    """Changes attributes, all or none; answers those given."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    balancer_type = balancer.shape["Type"]

    def unknown(key: str) -> str:
        elsewhere = any(row.key == key for each in _TYPES for row in load_balancer_rows(each, ""))
        how = f"supported on load balancers with type '{balancer_type}'" if elsewhere else "recognized"
        return f"Load balancer attribute key '{key}' is not {how}"

    attributes = merged(_rows(balancer), balancer.attributes, params["Attributes"], unknown)
    try:
        check_together(Scope.LOAD_BALANCER, attributes)
    except ValueError as error:
        raise ApiError("InvalidConfigurationRequest", str(error)) from error
    call.tx.put(replace(balancer, attributes=attributes))
    return {"Attributes": params["Attributes"]}


def _rows(balancer: Record) -> tuple[Attribute, ...]:
    return load_balancer_rows(balancer.shape["Type"], balancer.shape.get("Scheme", ""))


OPERATIONS: Final[Operations] = {
    "DescribeLoadBalancerAttributes": describe_load_balancer_attributes,
    "ModifyLoadBalancerAttributes": modify_load_balancer_attributes,
}
