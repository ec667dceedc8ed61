"""Change where a load balancer stands: subnets, security groups, address type, address pools."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.lookup import find
from lb.api.elbv2.network import (
    check_address_type,
    check_pools,
    read_security_groups,
    read_zones,
)
from lb.resources.records import Kind, Record

_INVALID: Final = "InvalidConfigurationRequest"
_SOURCE_NAT: Final = "EnablePrefixForIpv6SourceNat"
_PRIVATE_LINK: Final = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"


def set_subnets(call: Call, params: Params) -> Result:
    """Enables the zones of the given subnets, and no others."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    vpc_id, zones = read_zones(call, balancer.shape["Type"], params)
    here = balancer.shape.get("VpcId", vpc_id)
    if vpc_id != here:
        raise ApiError(_INVALID, f"The subnets must belong to the VPC of the load balancer: '{here}'")
    changes: dict[str, Any] = {"AvailabilityZones": zones}
    if "IpAddressType" in params:
        changes["IpAddressType"] = _address_type(balancer, params)
    if _SOURCE_NAT in params:
        check_pools(balancer.shape["Type"], balancer.shape.get("Scheme", ""), params)
        changes[_SOURCE_NAT] = params[_SOURCE_NAT]
    shape = _change(call, balancer, changes)
    return {member: shape[member] for member in ("AvailabilityZones", "IpAddressType", _SOURCE_NAT) if member in shape}


def set_security_groups(call: Call, params: Params) -> Result:
    """Replaces the security groups."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    balancer_type = balancer.shape["Type"]
    if balancer_type == "gateway":
        raise ApiError(_INVALID, "Security groups are not supported for load balancers with type 'gateway'")
    if balancer_type == "network" and "SecurityGroups" not in balancer.shape:
        raise ApiError(_INVALID, "A load balancer that was created without security groups cannot get any")
    groups = read_security_groups(call, balancer.shape.get("VpcId"), params["SecurityGroups"])
    if not groups:
        raise ApiError("ValidationError", "A security group must be specified")
    changes = {"SecurityGroups": groups}
    if _PRIVATE_LINK in params:
        if balancer_type != "network":
            raise ApiError(_INVALID, f"'{_PRIVATE_LINK}' is supported only for load balancers with type 'network'")
        changes[_PRIVATE_LINK] = params[_PRIVATE_LINK]
    _change(call, balancer, changes)
    return {"SecurityGroupIds": groups, **{member: params[member] for member in (_PRIVATE_LINK,) if member in params}}


def set_ip_address_type(call: Call, params: Params) -> Result:
    """Replaces the address type."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    _change(call, balancer, {"IpAddressType": _address_type(balancer, params)})
    return {"IpAddressType": params["IpAddressType"]}


def modify_ip_pools(call: Call, params: Params) -> Result:
    """Names the IPAM pool of the load balancer, or takes it away."""
    balancer = find(call, Kind.LOAD_BALANCER, params["LoadBalancerArn"])
    pools, removed = params.get("IpamPools"), params.get("RemoveIpamPools")
    if bool(pools) == bool(removed):
        raise ApiError("ValidationError", "You must specify either IPAM pools or IPAM pools to remove")
    if pools:
        check_pools(balancer.shape["Type"], balancer.shape.get("Scheme", ""), params)
        _change(call, balancer, {"IpamPools": pools})
        return {"IpamPools": pools}
    kept = {member: value for member, value in balancer.shape.items() if member != "IpamPools"}
    call.tx.put(replace(balancer, shape=kept))
    return {}


def _address_type(balancer: Record, params: Params) -> str:
    address_type: str = params["IpAddressType"]
    check_address_type(balancer.shape["Type"], balancer.shape.get("Scheme", ""), address_type)
    return address_type


def _change(call: Call, balancer: Record, changes: Mapping[str, Any]) -> dict[str, Any]:
    shape = {**balancer.shape, **changes}
    call.tx.put(replace(balancer, shape=shape))
    return shape


OPERATIONS: Final[Operations] = {
    "SetSubnets": set_subnets,
    "SetSecurityGroups": set_security_groups,
    "SetIpAddressType": set_ip_address_type,
    "ModifyIpPools": modify_ip_pools,
}
