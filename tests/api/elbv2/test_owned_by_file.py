"""What the configuration file defines: shown by every operation, changed by none."""

import pytest

from lb.model import names
from lb.model.config import Config, Listener, LoadBalancer
from lb.model.rules import FixedResponse, Rule, rule_arn
from lb.resources.file_records import records_of
from lb.resources.records import OwnedByFileError
from tests.api.aws_call import ACCOUNT, REGION, SECURITY_GROUP, SUBNETS, Aws
from tests.api.elbv2.elb import HTML, Elb

BALANCER = names.load_balancer_arn(REGION, ACCOUNT, "file", "0123456789abcdef")
LISTENER = names.listener_arn(BALANCER, "0123456789abcde0")


@pytest.fixture(autouse=True)
def file(aws: Aws) -> None:
    """A configuration file with one load balancer."""
    rule = Rule(rule_arn(LISTENER, "1"), None, (), FixedResponse("200"))
    listener = Listener(LISTENER, 80, (rule,))
    aws.records.replace_file(records_of(Config((LoadBalancer(BALANCER, "file", "file.test", (listener,)),))))


CHANGES = {
    "DeleteLoadBalancer": {"LoadBalancerArn": BALANCER},
    "SetSubnets": {"LoadBalancerArn": BALANCER, "Subnets": list(SUBNETS)},
    "SetSecurityGroups": {"LoadBalancerArn": BALANCER, "SecurityGroups": [SECURITY_GROUP]},
    "SetIpAddressType": {"LoadBalancerArn": BALANCER, "IpAddressType": "ipv4"},
    "ModifyIpPools": {"LoadBalancerArn": BALANCER, "IpamPools": {"Ipv4IpamPoolId": "ipam-pool-1"}},
    "ModifyLoadBalancerAttributes": {"LoadBalancerArn": BALANCER, "Attributes": []},
    "ModifyCapacityReservation": {"LoadBalancerArn": BALANCER, "ResetCapacityReservation": True},
    "AddTags": {"ResourceArns": [BALANCER], "Tags": [{"Key": "a"}]},
    "RemoveTags": {"ResourceArns": [LISTENER], "TagKeys": ["a"]},
    "ModifyListener": {"ListenerArn": LISTENER, "DefaultActions": [HTML]},
    "ModifyListenerAttributes": {"ListenerArn": LISTENER, "Attributes": []},
    "DeleteListener": {"ListenerArn": LISTENER},
}


@pytest.mark.parametrize("operation", CHANGES)
def test_nothing_of_it_can_be_changed(elb: Elb, operation: str):
    with pytest.raises(OwnedByFileError):
        elb(operation, **CHANGES[operation])


SHOWN = {
    "DescribeLoadBalancers": {},
    "DescribeLoadBalancerAttributes": {"LoadBalancerArn": BALANCER},
    "DescribeCapacityReservation": {"LoadBalancerArn": BALANCER},
    "DescribeListeners": {"LoadBalancerArn": BALANCER},
    "DescribeListenerAttributes": {"ListenerArn": LISTENER},
    "DescribeListenerCertificates": {"ListenerArn": LISTENER},
    "DescribeTags": {"ResourceArns": [BALANCER, LISTENER]},
}


@pytest.mark.parametrize("operation", SHOWN)
def test_all_of_it_is_shown(elb: Elb, operation: str):
    assert elb(operation, **SHOWN[operation])


def test_its_name_is_taken(elb: Elb):
    error = elb.refused("CreateLoadBalancer", Name="file", Subnets=list(SUBNETS[:2]))
    assert error.code == "DuplicateLoadBalancerName"
