"""Security groups and their rules."""

from ipaddress import ip_network

import pytest

from lb.resources import security
from lb.resources.records import Kind, Record, Transaction
from tests.api.aws_call import ACCOUNT, REGION
from tests.api.ec2.ec2 import Ec2

HTTP = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def made(ec2: Ec2, name: str = "web", **params) -> str:
    return ec2("CreateSecurityGroup", GroupName=name, Description="for web servers", **params)["GroupId"]


def described(ec2: Ec2, group: str):
    return ec2("DescribeSecurityGroups", GroupIds=[group])["SecurityGroups"][0]


def test_a_new_group_lets_everything_out_and_nothing_in(ec2: Ec2):
    tags = [{"Key": "a", "Value": "b"}]
    group = described(ec2, made(ec2, TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}]))
    assert (group["GroupName"], group["VpcId"], group["Tags"]) == ("web", ec2.vpc, tags)
    assert group["IpPermissions"] == []
    assert group["IpPermissionsEgress"] == [
        {
            "IpProtocol": "-1",
            "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [],
        }
    ]


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"GroupName": "web"}, "InvalidGroup.Duplicate", "The security group 'web' already exists for VPC '{vpc}'"),
        ({"GroupName": "default"}, "InvalidGroup.Reserved", "Cannot use reserved security group name: default"),
        (
            {"GroupName": "sg-1"},
            "InvalidParameterValue",
            "Invalid value 'sg-1' for groupName. Group names cannot begin with sg-",
        ),
        ({"VpcId": "vpc-0123"}, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0123' does not exist"),
        ({"Description": ""}, "MissingParameter", "The request must contain the parameter GroupDescription"),
    ],
)
def test_a_group_that_cannot_be_is_refused(ec2: Ec2, params, code: str, message: str):
    made(ec2)
    error = ec2.refused("CreateSecurityGroup", **{"GroupName": "other", "Description": "d"} | params)
    assert (error.code, error.message) == (code, message.format(vpc=ec2.vpc))
    assert ec2.code("CreateSecurityGroup", GroupName="a|b", Description="d") == "InvalidParameterValue"


def test_groups_are_found_by_name_in_the_default_vpc(ec2: Ec2):
    group = made(ec2)
    (found,) = ec2("DescribeSecurityGroups", GroupNames=["web"])["SecurityGroups"]
    assert found["GroupId"] == group
    error = ec2.refused("DescribeSecurityGroups", GroupNames=["nobody"])
    assert (error.code, error.message) == ("InvalidGroup.NotFound", "The security group 'nobody' does not exist")
    assert ec2.code("DescribeSecurityGroups", GroupIds=["sg-0123"]) == "InvalidGroup.NotFound"
    assert ec2.code("DescribeSecurityGroups", GroupIds=["web"]) == "InvalidGroupId.Malformed"


def test_a_deleted_group_takes_its_rules_along(ec2: Ec2):
    group = made(ec2)
    ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP])
    assert ec2("DeleteSecurityGroup", GroupName="web") == {"Return": True, "GroupId": group}
    assert not [rule for rule in ec2.aws.records.all(Kind.SECURITY_GROUP_RULE) if rule.parent == group]
    assert ec2.code("DeleteSecurityGroup", GroupId=group) == "InvalidGroup.NotFound"
    assert ec2.code("DeleteSecurityGroup") == "MissingParameter"


def test_the_default_group_is_not_deleted(ec2: Ec2):
    error = ec2.refused("DeleteSecurityGroup", GroupId=ec2.group)
    message = f'the specified group: "{ec2.group}" name: "default" cannot be deleted by a user'
    assert (error.code, error.message) == ("CannotDelete", message)


@pytest.mark.parametrize("user", ["load balancer", "instance", "rule", "database"])
def test_a_group_in_use_is_not_deleted(ec2: Ec2, user: str):
    group = made(ec2)
    match user:
        case "load balancer":
            ec2.balancer(SecurityGroups=[group])
        case "instance":
            ec2.run(SecurityGroupIds=[group])
        case "rule":
            pair = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
            ec2("AuthorizeSecurityGroupIngress", GroupId=made(ec2, "other"), IpPermissions=[pair])
        case "database":
            groups = [{"VpcSecurityGroupId": group, "Status": "active"}]
            shape = {"VpcSecurityGroups": groups}
            ec2.aws.put(Record(Kind.DB_INSTANCE, "arn:db", REGION, ACCOUNT, shape))
    error = ec2.refused("DeleteSecurityGroup", GroupId=group)
    assert (error.code, error.message) == ("DependencyViolation", f"resource {group} has a dependent object")


def test_a_terminated_instance_does_not_keep_its_group(ec2: Ec2):
    group = made(ec2)
    (instance,) = ec2.run(SecurityGroupIds=[group])
    ec2("TerminateInstances", InstanceIds=[instance])
    ec2("DeleteSecurityGroup", GroupId=group)


def test_rules_let_traffic_in_where_the_balancer_looks(ec2: Ec2):
    group = made(ec2)
    blocks = [{"CidrIp": "10.0.0.1/8"}, {"CidrIp": "127.0.0.0/8"}]
    ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[{**HTTP, "IpRanges": blocks}])

    def admitted(port: int):
        return security.admitted(Transaction(ec2.aws.records), [group], port)

    assert admitted(80) == (ip_network("10.0.0.0/8"), ip_network("127.0.0.0/8"))
    assert admitted(81) == ()


def test_rules_with_the_same_ports_are_one_permission(ec2: Ec2):
    group, other = made(ec2), made(ec2, "other")
    many = {
        "IpProtocol": "6",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:DB8::/32"}],
        "UserIdGroupPairs": [{"GroupName": "other"}],
    }
    answer = ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[many])
    assert len(answer["SecurityGroupRules"]) == 3
    assert described(ec2, group)["IpPermissions"] == [
        {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
            "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
            "PrefixListIds": [],
            "UserIdGroupPairs": [{"GroupId": other, "UserId": ACCOUNT}],
        }
    ]


def test_the_flat_form_says_the_same(ec2: Ec2):
    group, other = made(ec2), made(ec2, "other")
    flat = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "192.0.2.0/24"}
    ec2("AuthorizeSecurityGroupIngress", GroupName="web", **flat)
    ec2("AuthorizeSecurityGroupIngress", GroupName="web", SourceSecurityGroupName="other")
    first, second = described(ec2, group)["IpPermissions"]
    assert first["IpRanges"] == [{"CidrIp": "192.0.2.0/24"}]
    assert (second["IpProtocol"], second["UserIdGroupPairs"]) == ("-1", [{"GroupId": other, "UserId": ACCOUNT}])
    ec2("RevokeSecurityGroupIngress", GroupName="web", **flat)
    assert len(described(ec2, group)["IpPermissions"]) == 1
    both = {"GroupId": group, "IpPermissions": [HTTP], **flat}
    assert ec2.code("AuthorizeSecurityGroupIngress", **both) == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {},
            "InvalidPermission.Duplicate",
            'the specified rule "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW" already exists',
        ),
        ({"ToPort": 70000}, "InvalidParameterValue", "TCP/UDP port (70000) out of range"),
        ({"FromPort": 90}, "InvalidParameterValue", "Invalid TCP/UDP port range (90:80)"),
        (
            {"IpRanges": [{"CidrIp": "0.0.0.0/33"}]},
            "InvalidParameterValue",
            "CIDR block 0.0.0.0/33 is malformed",
        ),
        ({"IpRanges": [{"CidrIp": "::/0"}]}, "InvalidParameterValue", "CIDR block ::/0 is malformed"),
        ({"IpRanges": []}, "MissingParameter", "Source group or CIDR block must be specified"),
        (
            {"IpProtocol": "quic"},
            "InvalidParameterValue",
            "Invalid value 'quic' for IP protocol. Unknown protocol.",
        ),
        (
            {"UserIdGroupPairs": [{"GroupId": "sg-0123"}]},
            "InvalidGroup.NotFound",
            "The security group 'sg-0123' does not exist",
        ),
        (
            {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "x" * 256}]},
            "InvalidParameterValue",
            "Invalid rule description. Character count must be at most 255.",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(ec2: Ec2, change, code: str, message: str):
    group = made(ec2)
    ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP])
    error = ec2.refused("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP | change])
    assert (error.code, error.message) == (code, message)


def test_ports_of_tcp_must_both_be_said(ec2: Ec2):
    only = {"IpProtocol": "tcp", "FromPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    error = ec2.refused("AuthorizeSecurityGroupIngress", GroupId=ec2.group, IpPermissions=[only])
    message = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
    assert (error.code, error.message) == ("InvalidParameterValue", message)
    assert ec2.code("AuthorizeSecurityGroupIngress", GroupId=ec2.group) == "MissingParameter"


def test_a_group_has_no_more_rules_than_the_quota(ec2: Ec2):
    group = made(ec2)
    ranges = [{"CidrIp": f"10.0.{number}.0/24"} for number in range(61)]
    most = [{**HTTP, "IpRanges": ranges[:60]}]
    ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=most)
    one_more = [{**HTTP, "IpRanges": ranges[60:]}]
    code = ec2.code("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=one_more)
    assert code == "RulesPerSecurityGroupLimitExceeded"
    ec2("AuthorizeSecurityGroupEgress", GroupId=group, IpPermissions=one_more)


def test_rules_are_revoked_by_what_they_say_and_by_id(ec2: Ec2):
    group = made(ec2)
    (rule,) = ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP])["SecurityGroupRules"]
    answer = ec2("RevokeSecurityGroupIngress", GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    assert answer["RevokedSecurityGroupRules"][0]["CidrIpv4"] == "0.0.0.0/0"
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2("RevokeSecurityGroupEgress", GroupId=group, IpPermissions=[everything])
    assert described(ec2, group)["IpPermissionsEgress"] == []
    error = ec2.refused("RevokeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP])
    message = "The specified rule does not exist in this security group."
    assert (error.code, error.message) == ("InvalidPermission.NotFound", message)
    assert ec2.code("RevokeSecurityGroupIngress", GroupId=group) == "MissingParameter"


def test_an_ingress_rule_is_no_egress_rule(ec2: Ec2):
    group = made(ec2)
    (rule,) = ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP])["SecurityGroupRules"]
    ids = [rule["SecurityGroupRuleId"]]
    code = ec2.code("RevokeSecurityGroupEgress", GroupId=group, SecurityGroupRuleIds=ids)
    assert code == "InvalidSecurityGroupRuleId.NotFound"


def test_rules_are_described_one_by_one(ec2: Ec2):
    group = made(ec2)
    tags = [{"Key": "a", "Value": "b"}]
    given = {"TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": tags}]}
    (rule,) = ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP], **given)["SecurityGroupRules"]
    rules = ec2("DescribeSecurityGroupRules", Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    assert [each["IsEgress"] for each in rules] == [True, False]
    assert ec2("DescribeSecurityGroupRules", SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]]) == {
        "SecurityGroupRules": [rule]
    }
    assert rule["Tags"] == tags
    code = ec2.code("DescribeSecurityGroupRules", SecurityGroupRuleIds=["sgr-0123"])
    assert code == "InvalidSecurityGroupRuleId.NotFound"


def test_a_rule_can_say_something_else_and_keeps_its_id(ec2: Ec2):
    group = made(ec2)
    both = [HTTP, {**HTTP, "FromPort": 443, "ToPort": 443}]
    rule, _ = ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=both)["SecurityGroupRules"]
    rule_id = rule["SecurityGroupRuleId"]

    def update(port: int):
        wanted = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIpv4": "0.0.0.0/0"}
        return {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": wanted}

    ec2("ModifySecurityGroupRules", GroupId=group, SecurityGroupRules=[update(8080)])
    (after,) = ec2("DescribeSecurityGroupRules", SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]
    assert (after["FromPort"], after["IsEgress"]) == (8080, False)
    code = ec2.code("ModifySecurityGroupRules", GroupId=group, SecurityGroupRules=[update(443)])
    assert code == "InvalidPermission.Duplicate"
    nothing = [{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": {"IpProtocol": "-1"}}]
    assert ec2.code("ModifySecurityGroupRules", GroupId=group, SecurityGroupRules=nothing) == "InvalidParameterValue"


def test_rules_can_be_described_differently(ec2: Ec2):
    group = made(ec2)
    (rule,) = ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[HTTP])["SecurityGroupRules"]
    named = [{**HTTP, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "everybody"}]}]
    ec2("UpdateSecurityGroupRuleDescriptionsIngress", GroupId=group, IpPermissions=named)
    assert described(ec2, group)["IpPermissions"][0]["IpRanges"][0]["Description"] == "everybody"
    by_id = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"]}]
    ec2("UpdateSecurityGroupRuleDescriptionsIngress", GroupId=group, SecurityGroupRuleDescriptions=by_id)
    assert described(ec2, group)["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    code = ec2.code("UpdateSecurityGroupRuleDescriptionsEgress", GroupId=group, IpPermissions=named)
    assert code == "InvalidPermission.NotFound"
    assert ec2.code("UpdateSecurityGroupRuleDescriptionsIngress", GroupId=group) == "MissingParameter"
