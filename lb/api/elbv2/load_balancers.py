"""Create, describe and delete load balancers (fact sheet 1)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.hosted_zones import HOSTED_ZONES
from lb.api.elbv2.limits import limit, refuse_above
from lb.api.elbv2.listeners import remove_listener
from lb.api.elbv2.lookup import check_arn, find
from lb.api.elbv2.network import (
    check_address_type,
    check_pools,
    check_reachable,
    default_security_groups,
    read_security_groups,
    read_zones,
)
from lb.api.elbv2.paging import paged
from lb.api.elbv2.tags import read_tags
from lb.model import names
from lb.model.kept_attributes import DELETION_PROTECTION
from lb.model.name_rules import check_load_balancer_name
from lb.resources.records import Kind, Record

_INVALID: Final = "InvalidConfigurationRequest"
_PER_FILTER: Final = 20
# What belongs to one load balancer only, and so is no setting of it.
_IDENTITY: Final = frozenset(("LoadBalancerArn", "DNSName", "CreatedTime"))


def create_load_balancer(call: Call, params: Params) -> Result:
    """Creates a load balancer, or answers the one that has the same name and the same settings."""
    name = params["Name"]
    try:
        check_load_balancer_name(name)
    except ValueError as error:
        raise ApiError("ValidationError", str(error)) from error
    tags = read_tags(params.get("Tags", ()))
    settings = _settings(call, params)
    for other in call.tx.all(Kind.LOAD_BALANCER, call.region):
        if other.shape["LoadBalancerName"] == name:
            if _same(other, settings, tags):
                return {"LoadBalancers": [_answer(call, other)]}
            message = f"A load balancer with the same name '{name}' exists, but with different settings"
            raise ApiError("DuplicateLoadBalancerName", message)
    balancer_type = settings["Type"]
    siblings = [each for each in call.tx.all(Kind.LOAD_BALANCER, call.region) if each.shape["Type"] == balancer_type]
    # "application-load-balancers", as the limit is called.
    most = limit(f"{balancer_type}-load-balancers")
    refuse_above(most, len(siblings) + 1, "TooManyLoadBalancers", "load balancers for your Amazon Web Services account")
    resource_id = call.new_id(16)
    arn = names.load_balancer_arn(call.region, call.account, name, resource_id, balancer_type)
    shape = {"LoadBalancerArn": arn, **settings, "CreatedTime": call.created_time}
    if balancer_type != "gateway":
        prefix = "internal-" if settings["Scheme"] == "internal" else ""
        shape["DNSName"] = names.dns_name(prefix + name, call.region, resource_id)
    call.tx.put(Record(Kind.LOAD_BALANCER, arn, call.region, call.account, shape, tags=tags))
    return {"LoadBalancers": [{**shape, "State": {"Code": "provisioning"}}]}


def describe_load_balancers(call: Call, params: Params) -> Result:
    """All load balancers, or those with the given ARNs or names."""
    found = _filtered(call, params.get("LoadBalancerArns", ()), params.get("Names", ()))
    answer = paged("LoadBalancers", found, params)
    return {**answer, "LoadBalancers": [_answer(call, balancer) for balancer in answer["LoadBalancers"]]}


def delete_load_balancer(call: Call, params: Params) -> Result:
    """Deletes a load balancer with its listeners and rules; one that does not exist is no error."""
    arn = params["LoadBalancerArn"]
    check_arn(call, Kind.LOAD_BALANCER, arn)
    balancer = call.tx.get(Kind.LOAD_BALANCER, arn)
    if balancer is None:
        return {}
    if balancer.attributes.get(DELETION_PROTECTION) == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise ApiError("OperationNotPermitted", message)
    for listener in call.tx.children(Kind.LISTENER, arn):
        remove_listener(call, listener)
    call.tx.delete(Kind.LOAD_BALANCER, arn)
    return {}


def _settings(call: Call, params: Params) -> dict[str, Any]:
    """What a LoadBalancer shows beside what identifies it."""
    balancer_type = params.get("Type", "application")
    scheme = _scheme(balancer_type, params)
    vpc_id, zones = read_zones(call, balancer_type, params)
    check_reachable(call, vpc_id, scheme)
    address_type = params.get("IpAddressType", "ipv4")
    check_address_type(balancer_type, scheme, address_type)
    settings: dict[str, Any] = {
        "LoadBalancerName": params["Name"],
        "VpcId": vpc_id,
        "Type": balancer_type,
        "AvailabilityZones": zones,
        "IpAddressType": address_type,
    }
    if balancer_type != "gateway":
        settings["Scheme"] = scheme
    if balancer_type == "application":
        settings["CanonicalHostedZoneId"] = HOSTED_ZONES.get(call.region, HOSTED_ZONES[names.DEFAULT_REGION])
    if groups := _security_groups(call, balancer_type, vpc_id, params):
        settings["SecurityGroups"] = groups
    check_pools(balancer_type, scheme, params)
    for member in ("CustomerOwnedIpv4Pool", "IpamPools", "EnablePrefixForIpv6SourceNat"):
        if member in params:
            settings[member] = params[member]
    return settings


def _scheme(balancer_type: str, params: Params) -> str:
    if balancer_type != "gateway":
        scheme: str = params.get("Scheme", "internet-facing")
        return scheme
    if "Scheme" in params:
        raise ApiError("InvalidScheme", "A scheme cannot be specified for load balancers with type 'gateway'")
    return "internal"


def _security_groups(call: Call, balancer_type: str, vpc_id: str, params: Params) -> list[str]:
    given = params.get("SecurityGroups", ())
    if given and balancer_type == "gateway":
        raise ApiError(_INVALID, "Security groups are not supported for load balancers with type 'gateway'")
    if not given and balancer_type == "application":
        return default_security_groups(call, vpc_id)
    return read_security_groups(call, vpc_id, given)


def _same(other: Record, settings: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    """Whether a create operation asks for what is there; subnets and security groups have no order, and no tags are any."""

    def comparable(shape: Mapping[str, Any]) -> dict[str, Any]:
        kept = {member: value for member, value in shape.items() if member not in _IDENTITY}
        zones = sorted(kept.get("AvailabilityZones", ()), key=lambda zone: str(zone["ZoneName"]))
        return {**kept, "AvailabilityZones": zones, "SecurityGroups": sorted(kept.get("SecurityGroups", ()))}

    return comparable(other.shape) == comparable(settings) and (not tags or dict(other.tags) == dict(tags))


def _filtered(call: Call, arns: list[str], by_name: list[str]) -> Sequence[Record]:
    if arns and by_name:
        message = "Load balancer names and load balancer ARNs cannot be specified at the same time"
        raise ApiError("ValidationError", message)
    if len(arns) > _PER_FILTER or len(by_name) > _PER_FILTER:
        raise ApiError("ValidationError", f"Up to '{_PER_FILTER}' load balancers can be described in a single call")
    if arns:
        return [find(call, Kind.LOAD_BALANCER, arn) for arn in dict.fromkeys(arns)]
    everything = call.tx.all(Kind.LOAD_BALANCER, call.region)
    if not by_name:
        return everything
    named = {balancer.shape["LoadBalancerName"]: balancer for balancer in everything}
    if unknown := [name for name in by_name if name not in named]:
        raise ApiError("LoadBalancerNotFound", f"Load balancers '[{', '.join(unknown)}]' not found")
    return [named[name] for name in dict.fromkeys(by_name)]


def _answer(call: Call, balancer: Record) -> dict[str, Any]:
    code, reason = call.live.load_balancer_state(balancer.id)
    return {**balancer.shape, "State": {"Code": code, "Reason": reason} if reason else {"Code": code}}


OPERATIONS: Final[Operations] = {
    "CreateLoadBalancer": create_load_balancer,
    "DescribeLoadBalancers": describe_load_balancers,
    "DeleteLoadBalancer": delete_load_balancer,
}
