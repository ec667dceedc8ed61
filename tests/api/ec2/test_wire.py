"""What the handlers answer, as botocore reads it from the wire."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.parsers import create_parser

from lb.api.ec2 import OPERATIONS
from lb.api.wire.answer import render
from lb.api.wire.decode import decode
from lb.api.wire.services import Services
from tests.api.ec2.ec2 import Ec2, model
from tests.api.wire.generate import fields_of, form_body
from tests.api.wire.models import form_request

SERVICES = Services()


def over_the_wire(ec2: Ec2, operation: str, **params: Any) -> Mapping[str, Any]:
    described = model().operation_model(operation)
    request = form_request("ec2", form_body(fields_of(described, params)))
    route = SERVICES.route(request, "us-east-1")
    result = ec2.aws.do(OPERATIONS[operation], **decode(route, request).params)
    answer = render(route, operation, result, "the-request-id")
    response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    parsed: dict[str, Any] = create_parser("ec2").parse(response, described.output_shape)
    del parsed["ResponseMetadata"]
    return parsed


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("DescribeVpcs", "Vpcs"),
        ("DescribeSubnets", "Subnets"),
        ("DescribeSecurityGroups", "SecurityGroups"),
        ("DescribeSecurityGroupRules", "SecurityGroupRules"),
        ("DescribeInternetGateways", "InternetGateways"),
        ("DescribeRouteTables", "RouteTables"),
        ("DescribeNetworkInterfaces", "NetworkInterfaces"),
        ("DescribeInstances", "Reservations"),
        ("DescribeImages", "Images"),
        ("DescribeAddresses", "Addresses"),
        ("DescribeVolumes", "Volumes"),
        ("DescribeNetworkAcls", "NetworkAcls"),
        ("DescribeTags", "Tags"),
    ],
)
def test_descriptions_arrive_as_they_were_given(ec2: Ec2, operation: str, member: str):
    (instance,) = ec2.run()
    ec2.balancer()
    ec2("AssociateAddress", AllocationId=ec2("AllocateAddress")["AllocationId"], InstanceId=instance)
    ec2("CreateTags", Resources=[instance], Tags=[{"Key": "Name", "Value": "a & b"}])
    found = over_the_wire(ec2, operation)[member]
    assert found
    assert _plain(found) == _plain(ec2(operation)[member])


def test_a_launch_and_its_filters_arrive(ec2: Ec2):
    made = over_the_wire(ec2, "RunInstances", ImageId=ec2.image(), MinCount=1, MaxCount=1, ClientToken="t")
    where = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    (reservation,) = over_the_wire(ec2, "DescribeInstances", Filters=where)["Reservations"]
    assert reservation["Instances"][0]["InstanceId"] == made["Instances"][0]["InstanceId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    authorized = over_the_wire(ec2, "AuthorizeSecurityGroupIngress", GroupId=ec2.group, IpPermissions=[rule])
    assert authorized["SecurityGroupRules"][0]["CidrIpv4"] == "10.0.0.0/8"


def _plain(value: Any) -> Any:
    """Times as instants in text."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
