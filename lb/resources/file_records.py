"""What the configuration file defines, as the records that the AWS APIs show."""

from collections.abc import Iterator

from lb.model import names
from lb.model.config import Config, Listener, LoadBalancer, TargetGroup
from lb.resources.defaults import default_vpc_id
from lb.resources.records import NOTHING, Json, Kind, Record
from lb.resources.rules import shape_of as rule_shape
from lb.resources.target_groups import shape_of as group_shape
from lb.resources.target_groups import target_id

# The file has no times; clients want one.
_CREATED = "2020-01-01T00:00:00.000Z"
# Canonical hosted zone of us-east-1, the region of whatever the file defines (fact sheet 1.5).
_VPC = default_vpc_id(names.DEFAULT_REGION, names.DEFAULT_ACCOUNT_ID)
_HOSTED_ZONE = "Z35SXDOTRQ7X7K"


def records_of(file: Config) -> Iterator[Record]:
    """A record for each load balancer, listener, rule, target group and target."""
    for balancer in file.load_balancers:
        yield _record(Kind.LOAD_BALANCER, balancer.arn, _balancer_shape(balancer), attributes=balancer.attributes)
        for listener in balancer.listeners:
            yield from _listener(balancer, listener)
    for group in file.target_groups:
        yield from _group(group)


def _record(kind: Kind, arn: str, shape: Json, parent: str = "", attributes: Json = NOTHING) -> Record:
    return Record(kind, arn, names.DEFAULT_REGION, names.DEFAULT_ACCOUNT_ID, shape, parent, attributes)


def _balancer_shape(balancer: LoadBalancer) -> Json:
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": _HOSTED_ZONE,
        "CreatedTime": _CREATED,
        "LoadBalancerName": balancer.name,
        "Scheme": "internet-facing",
        "VpcId": _VPC,
        "Type": "application",
        "AvailabilityZones": [{"ZoneName": zone} for zone in balancer.zones],
        "SecurityGroups": [],
        "IpAddressType": "ipv4",
    }


def _listener(balancer: LoadBalancer, listener: Listener) -> Iterator[Record]:
    shape = {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": balancer.arn,
        "Port": listener.port,
        "Protocol": "HTTP",
    }
    yield _record(Kind.LISTENER, listener.arn, shape, balancer.arn, listener.attributes)
    for rule in listener.rules:
        yield _record(Kind.RULE, rule.arn, rule_shape(rule), listener.arn)


def _group(group: TargetGroup) -> Iterator[Record]:
    shape = {**group_shape(group), "VpcId": _VPC}
    yield _record(Kind.TARGET_GROUP, group.arn, shape, attributes=group.attributes)
    for target in group.targets:
        shape = {"Id": target.id, "Port": target.port}
        if target.zone is not None:
            shape["AvailabilityZone"] = target.zone
        yield _record(Kind.TARGET, target_id(group.arn, target.id, target.port), shape, group.arn)
