"""IpPermissions, as clients write the rules of security groups, and single rules, as records have them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from lb.api.call import ApiError, Call, Params
from lb.api.ec2.blocks import any_block
from lb.api.ec2.lookup import find
from lb.resources.records import Kind, Record

Rule = Mapping[str, Any]
"""A SecurityGroupRule without what identifies it."""

_NAMES: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS: Final = ("tcp", "udp")
_ICMP: Final = ("icmp", "icmpv6")
_PORTS: Final = range(65_536)
_ICMP_NUMBERS: Final = range(-1, 256)
_PROTOCOLS: Final = range(256)
_LONGEST_DESCRIPTION: Final = 255
_SOURCES: Final = ("CidrIpv4", "CidrIpv6", "PrefixListId")
_FLAT: Final = ("IpProtocol", "FromPort", "ToPort", "CidrIp", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId")


def given_rules(call: Call, group: Record, params: Params, *, is_egress: bool) -> list[Rule]:
    """The rules that a call names by `IpPermissions` or by the flat parameters. Raises ApiError."""
    permissions: Sequence[Mapping[str, Any]] = params.get("IpPermissions", ())
    flat = {name: params[name] for name in _FLAT if name in params}
    if permissions and flat:
        message = "The parameter 'ipPermissions' may not be used in combination with 'ipProtocol'"
        raise ApiError("InvalidParameterCombination", message)
    if flat:
        permissions = [_unflat(flat)]
    return [rule for each in permissions for rule in _rules(call, group, each, is_egress=is_egress)]


def requested_rule(call: Call, group: Record, request: Mapping[str, Any], *, is_egress: bool) -> Rule:
    """The rule of a SecurityGroupRuleRequest. Raises ApiError."""
    members = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")
    sources = [name for name in members if name in request]
    if len(sources) != 1:
        raise ApiError("InvalidParameterValue", f"Exactly one of {', '.join(members)} must be specified")
    kept = {"Description": request["Description"]} if "Description" in request else {}
    value = request[sources[0]]
    source = _group(call, group, {"GroupId": value, **kept}) if sources == ["ReferencedGroupId"] else None
    if source is None:
        source = {sources[0]: _source(sources[0], value), **_description(kept)}
    return {"IsEgress": is_egress, **_protocol(request), **source}


def source_of(rule: Rule) -> str:
    """The block, prefix list or group at the other end."""
    text: str = next((rule[name] for name in _SOURCES if name in rule), "") or rule["ReferencedGroupInfo"]["GroupId"]
    return text


def identity(rule: Rule) -> tuple[Any, ...]:
    """What tells a rule apart from the others of its group."""
    return rule["IsEgress"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"], source_of(rule)


def permissions_of(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Rules of one direction as IpPermissions: those with the same protocol and ports are one."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule in rules:
        protocol, first, last = rule["IpProtocol"], rule["FromPort"], rule["ToPort"]
        ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
        lists: dict[str, list[Any]] = {"UserIdGroupPairs": [], "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": []}
        permission = found.setdefault((protocol, first, last), {"IpProtocol": protocol, **ports, **lists})
        described = {"Description": rule["Description"]} if rule.get("Description") else {}
        if "CidrIpv4" in rule:
            permission["IpRanges"].append({"CidrIp": rule["CidrIpv4"], **described})
        elif "CidrIpv6" in rule:
            permission["Ipv6Ranges"].append({"CidrIpv6": rule["CidrIpv6"], **described})
        elif "PrefixListId" in rule:
            permission["PrefixListIds"].append({"PrefixListId": rule["PrefixListId"], **described})
        else:
            group = rule["ReferencedGroupInfo"]
            pair = {"GroupId": group["GroupId"], "UserId": group["UserId"]}
            permission["UserIdGroupPairs"].append({**pair, **described})
    return list(found.values())


def _unflat(flat: Mapping[str, Any]) -> dict[str, Any]:
    protocol = {name: flat[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in flat}
    if "CidrIp" in flat:
        return {**protocol, "IpRanges": [{"CidrIp": flat["CidrIp"]}]}
    if "SourceSecurityGroupName" in flat:
        # From a group, flat parameters admit everything.
        pair = {"GroupName": flat["SourceSecurityGroupName"]}
        return {"IpProtocol": "-1", **protocol, "UserIdGroupPairs": [pair]}
    return protocol


def _rules(call: Call, group: Record, permission: Mapping[str, Any], *, is_egress: bool) -> Iterator[Rule]:
    head = {"IsEgress": is_egress, **_protocol(permission)}
    sources: list[Mapping[str, Any]] = [
        {member: _source(member, each[key]), **_description(each)}
        for ranges, key, member in (
            ("IpRanges", "CidrIp", "CidrIpv4"),
            ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
            ("PrefixListIds", "PrefixListId", "PrefixListId"),
        )
        for each in permission.get(ranges, ())
        if key in each
    ]
    sources += [_group(call, group, pair) for pair in permission.get("UserIdGroupPairs", ())]
    if not sources:
        raise ApiError("MissingParameter", "Source group or CIDR block must be specified")
    return ({**head, **source} for source in sources)


def _protocol(given: Mapping[str, Any]) -> dict[str, Any]:
    """`IpProtocol`, `FromPort` and `ToPort`, -1 for all."""
    if "IpProtocol" not in given:
        raise ApiError("MissingParameter", "The request must contain the parameter ipProtocol")
    protocol = _NAMES.get(given["IpProtocol"].lower(), given["IpProtocol"].lower())
    first, last = given.get("FromPort"), given.get("ToPort")
    if protocol in _WITH_PORTS:
        if first is None or last is None:
            message = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
            raise ApiError("InvalidParameterValue", message)
        if (first, last) == (-1, -1):
            first, last = _PORTS[0], _PORTS[-1]
        for port in (first, last):
            if port not in _PORTS:
                raise ApiError("InvalidParameterValue", f"TCP/UDP port ({port}) out of range")
        if first > last:
            raise ApiError("InvalidParameterValue", f"Invalid TCP/UDP port range ({first}:{last})")
    elif protocol in _ICMP:
        first, last = -1 if first is None else first, -1 if last is None else last
        if first not in _ICMP_NUMBERS or last not in _ICMP_NUMBERS:
            raise ApiError("InvalidParameterValue", f"ICMP type/code ({first}:{last}) out of range")
    elif protocol == "-1" or (protocol.isascii() and protocol.isdigit() and int(protocol) in _PROTOCOLS):
        first, last = -1, -1
    else:
        message = f"Invalid value '{given['IpProtocol']}' for IP protocol. Unknown protocol."
        raise ApiError("InvalidParameterValue", message)
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last}


def _source(member: str, text: str) -> str:
    if member == "PrefixListId":
        raise ApiError("InvalidPrefixListID.NotFound", f"The prefix list ID '{text}' does not exist")
    return str(any_block(text, 4 if member == "CidrIpv4" else 6))


def _group(call: Call, group: Record, pair: Mapping[str, Any]) -> dict[str, Any]:
    if "GroupId" in pair:
        found = find(call, Kind.SECURITY_GROUP, pair["GroupId"])
    else:
        found = group_by_name(call, group.shape["VpcId"], pair.get("GroupName", ""))
    if found.shape["VpcId"] != group.shape["VpcId"]:
        message = f"You have specified two resources that belong to different networks: {group.id} and {found.id}"
        raise ApiError("InvalidGroup.NotFound", message)
    return {"ReferencedGroupInfo": {"GroupId": found.id, "UserId": call.account}, **_description(pair)}


def group_by_name(call: Call, vpc_id: str, name: str) -> Record:
    """The security group of a VPC with this name. Raises ApiError."""
    for group in call.tx.all(Kind.SECURITY_GROUP, call.region):
        if group.shape["GroupName"] == name and group.shape["VpcId"] == vpc_id:
            return group
    raise ApiError("InvalidGroup.NotFound", f"The security group '{name}' does not exist")


def _description(given: Mapping[str, Any]) -> dict[str, str]:
    text = given.get("Description")
    if not text:
        return {}
    if len(text) > _LONGEST_DESCRIPTION:
        message = f"Invalid rule description. Character count must be at most {_LONGEST_DESCRIPTION}."
        raise ApiError("InvalidParameterValue", message)
    return {"Description": text}
