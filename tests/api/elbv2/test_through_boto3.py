"""Every operation of ELBv2 called through boto3 on a running balancer: once it works, once it is refused."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.api.aws_call import REGION, SECURITY_GROUP, SUBNETS, VPC
from tests.api.elbv2.world import (
    BUNDLE,
    CERTIFICATES,
    LIST,
    NO_BALANCER,
    NO_GROUP,
    NO_LISTENER,
    NO_RULE,
    NO_STORE,
    PAGE,
    World,
)
from tests.api.wire.models import model
from tests.support.aws_endpoint import served
from tests.support.balancer import free_port

TARGET = {"Id": "127.0.0.1", "Port": 9}
ANSWER_404 = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("data")) as endpoint:
        yield World(endpoint)


def create_load_balancer(w: World) -> None:
    (made,) = w.elb.create_load_balancer(Name=(name := w.name()), Subnets=list(SUBNETS[:2]))["LoadBalancers"]
    assert made["DNSName"].startswith(f"{name}-")
    assert made["DNSName"].endswith(f".{REGION}.elb.localhost")
    assert (made["VpcId"], made["Scheme"], made["State"]["Code"]) == (VPC, "internet-facing", "provisioning")


def describe_load_balancers(w: World) -> None:
    (found,) = w.elb.describe_load_balancers(LoadBalancerArns=[w.balancer])["LoadBalancers"]
    assert found["State"]["Code"] == "active"
    assert w.elb.describe_load_balancers(Names=[found["LoadBalancerName"]])["LoadBalancers"] == [found]
    pages = w.elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 1})
    assert found in [each for page in pages for each in page["LoadBalancers"]]


def delete_load_balancer(w: World) -> None:
    arn = w.new_balancer()
    listener = w.new_listener(LoadBalancerArn=arn)
    w.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert code_of(w.elb.describe_load_balancers, LoadBalancerArns=[arn]) == "LoadBalancerNotFound"
    assert code_of(w.elb.describe_listeners, ListenerArns=[listener]) == "ListenerNotFound"


def describe_load_balancer_attributes(w: World) -> None:
    assert attributes(w.elb.describe_load_balancer_attributes(LoadBalancerArn=w.balancer))[
        "idle_timeout.timeout_seconds"
    ] == ("60")


def modify_load_balancer_attributes(w: World) -> None:
    arn, given = w.new_balancer(), {"Key": "idle_timeout.timeout_seconds", "Value": "5"}
    assert w.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[given])["Attributes"] == [given]
    assert attributes(w.elb.describe_load_balancer_attributes(LoadBalancerArn=arn))[given["Key"]] == "5"


def set_subnets(w: World) -> None:
    arn = w.new_balancer()
    w.elb.set_subnets(LoadBalancerArn=arn, Subnets=list(SUBNETS[1:3]))
    (found,) = w.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert [zone["SubnetId"] for zone in found["AvailabilityZones"]] == list(SUBNETS[1:3])


def set_security_groups(w: World) -> None:
    answer = w.elb.set_security_groups(LoadBalancerArn=w.new_balancer(), SecurityGroups=[SECURITY_GROUP])
    assert answer["SecurityGroupIds"] == [SECURITY_GROUP]


def set_ip_address_type(w: World) -> None:
    arn = w.new_balancer()
    w.elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType="dualstack")
    (found,) = w.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert found["IpAddressType"] == "dualstack"


def modify_ip_pools(w: World) -> None:
    pools = {"Ipv4IpamPoolId": "ipam-pool-0123456789abcdef0"}
    assert w.elb.modify_ip_pools(LoadBalancerArn=w.new_balancer(), IpamPools=pools)["IpamPools"] == pools


def modify_capacity_reservation(w: World) -> None:
    wanted = {"CapacityUnits": 200}
    answer = w.elb.modify_capacity_reservation(LoadBalancerArn=w.new_balancer(), MinimumLoadBalancerCapacity=wanted)
    assert answer["MinimumLoadBalancerCapacity"] == wanted
    assert {each["State"]["Code"] for each in answer["CapacityReservationState"]} == {"provisioned"}


def describe_capacity_reservation(w: World) -> None:
    assert w.elb.describe_capacity_reservation(LoadBalancerArn=w.balancer)["DecreaseRequestsRemaining"] == 2


def create_listener(w: World) -> None:
    port = free_port()
    given = {"LoadBalancerArn": w.balancer, "Protocol": "HTTP", "Port": port, "DefaultActions": [PAGE]}
    (made,) = w.elb.create_listener(**given)["Listeners"]
    assert (made["Port"], made["Protocol"]) == (port, "HTTP")
    assert w.elb.create_listener(**given)["Listeners"] == [made]


def describe_listeners(w: World) -> None:
    (found,) = w.elb.describe_listeners(ListenerArns=[w.http])["Listeners"]
    assert found["DefaultActions"][0]["Type"] == "fixed-response"
    assert found in w.elb.describe_listeners(LoadBalancerArn=w.balancer)["Listeners"]


def modify_listener(w: World) -> None:
    arn, port = w.new_listener(), free_port()
    (made,) = w.elb.modify_listener(ListenerArn=arn, Port=port, DefaultActions=[ANSWER_404])["Listeners"]
    assert (made["Port"], made["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"]) == (port, "404")


def delete_listener(w: World) -> None:
    w.elb.delete_listener(ListenerArn=(arn := w.new_listener()))
    assert code_of(w.elb.describe_listeners, ListenerArns=[arn]) == "ListenerNotFound"


def describe_listener_attributes(w: World) -> None:
    found = attributes(w.elb.describe_listener_attributes(ListenerArn=w.http))
    assert found["routing.http.response.server.enabled"] == "true"


def modify_listener_attributes(w: World) -> None:
    arn, given = w.new_listener(), {"Key": "routing.http.response.server.enabled", "Value": "false"}
    assert w.elb.modify_listener_attributes(ListenerArn=arn, Attributes=[given])["Attributes"] == [given]
    assert attributes(w.elb.describe_listener_attributes(ListenerArn=arn))[given["Key"]] == "false"


def add_listener_certificates(w: World) -> None:
    answer = w.elb.add_listener_certificates(
        ListenerArn=w.new_https(), Certificates=[{"CertificateArn": CERTIFICATES[1]}]
    )
    assert answer["Certificates"] == [{"CertificateArn": CERTIFICATES[1], "IsDefault": False}]


def describe_listener_certificates(w: World) -> None:
    answer = w.elb.describe_listener_certificates(ListenerArn=w.https)
    assert answer["Certificates"] == [{"CertificateArn": CERTIFICATES[0], "IsDefault": True}]


def remove_listener_certificates(w: World) -> None:
    arn, extra = w.new_https(), [{"CertificateArn": CERTIFICATES[2]}]
    w.elb.add_listener_certificates(ListenerArn=arn, Certificates=extra)
    w.elb.remove_listener_certificates(ListenerArn=arn, Certificates=extra)
    assert len(w.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]) == 1


def describe_ssl_policies(w: World) -> None:
    (found,) = w.elb.describe_ssl_policies(Names=["ELBSecurityPolicy-2016-08"])["SslPolicies"]
    assert "TLSv1.2" in found["SslProtocols"]


def create_rule(w: World) -> None:
    condition = {"Field": "host-header", "Values": ["shop.test"]}
    (made,) = w.elb.create_rule(ListenerArn=w.http, Priority=900, Conditions=[condition], Actions=[PAGE])["Rules"]
    assert (made["Priority"], made["IsDefault"]) == ("900", False)
    assert made["Conditions"][0]["HostHeaderConfig"] == {"Values": ["shop.test"]}


def describe_rules(w: World) -> None:
    rules = w.elb.describe_rules(ListenerArn=w.http)["Rules"]
    assert w.rule in [rule["RuleArn"] for rule in rules]
    assert rules[-1]["IsDefault"]


def modify_rule(w: World) -> None:
    arn = w.new_rule(w.http)
    (made,) = w.elb.modify_rule(RuleArn=arn, Actions=[ANSWER_404])["Rules"]
    assert made["Actions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    assert w.elb.describe_rules(RuleArns=[arn])["Rules"] == [made]


def delete_rule(w: World) -> None:
    w.elb.delete_rule(RuleArn=(arn := w.new_rule(w.http)))
    assert code_of(w.elb.describe_rules, RuleArns=[arn]) == "RuleNotFound"


def set_rule_priorities(w: World) -> None:
    listener = w.new_listener()
    one, two = w.new_rule(listener, Priority=1), w.new_rule(listener, Priority=2)
    pairs = [{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}]
    w.elb.set_rule_priorities(RulePriorities=pairs)
    rules = w.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [rule["RuleArn"] for rule in rules[:2]] == [two, one]


def create_target_group(w: World) -> None:
    name = w.name()
    (made,) = w.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=VPC)["TargetGroups"]
    assert (made["TargetGroupName"], made["TargetType"], made["HealthCheckPath"]) == (name, "instance", "/")


def describe_target_groups(w: World) -> None:
    (found,) = w.elb.describe_target_groups(TargetGroupArns=[w.group])["TargetGroups"]
    assert w.elb.describe_target_groups(Names=[found["TargetGroupName"]])["TargetGroups"] == [found]
    assert found["LoadBalancerArns"] == []


def modify_target_group(w: World) -> None:
    (made,) = w.elb.modify_target_group(TargetGroupArn=w.new_group(), HealthCheckPath="/up")["TargetGroups"]
    assert made["HealthCheckPath"] == "/up"


def delete_target_group(w: World) -> None:
    w.elb.delete_target_group(TargetGroupArn=(arn := w.new_group()))
    assert code_of(w.elb.describe_target_groups, TargetGroupArns=[arn]) == "TargetGroupNotFound"


def describe_target_group_attributes(w: World) -> None:
    found = attributes(w.elb.describe_target_group_attributes(TargetGroupArn=w.group))
    assert found["deregistration_delay.timeout_seconds"] == "300"


def modify_target_group_attributes(w: World) -> None:
    arn, given = w.new_group(), {"Key": "stickiness.enabled", "Value": "true"}
    assert w.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[given])["Attributes"] == [given]
    assert attributes(w.elb.describe_target_group_attributes(TargetGroupArn=arn))["stickiness.enabled"] == "true"


def register_targets(w: World) -> None:
    arn = w.new_group()
    w.elb.register_targets(TargetGroupArn=arn, Targets=[TARGET])
    (found,) = w.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert found["Target"] == TARGET


def describe_target_health(w: World) -> None:
    arn = w.new_group()
    w.elb.register_targets(TargetGroupArn=arn, Targets=[TARGET])
    (unused,) = w.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert (unused["TargetHealth"]["State"], unused["TargetHealth"]["Reason"]) == ("unused", "Target.NotInUse")
    w.new_listener(DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])
    (used,) = w.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert used["TargetHealth"]["State"] in ("initial", "unhealthy")


def deregister_targets(w: World) -> None:
    arn = w.new_group()
    w.elb.register_targets(TargetGroupArn=arn, Targets=[TARGET])
    w.elb.deregister_targets(TargetGroupArn=arn, Targets=[TARGET])
    assert w.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"] == []


def create_trust_store(w: World) -> None:
    (made,) = w.elb.create_trust_store(Name=(name := w.name()), **BUNDLE)["TrustStores"]
    assert (made["Name"], made["Status"]) == (name, "ACTIVE")


def describe_trust_stores(w: World) -> None:
    assert [each["TrustStoreArn"] for each in w.elb.describe_trust_stores(TrustStoreArns=[w.store])["TrustStores"]] == [
        w.store
    ]


def modify_trust_store(w: World) -> None:
    arn = w.new_store()
    w.elb.modify_trust_store(TrustStoreArn=arn, **{**BUNDLE, "CaCertificatesBundleS3Key": "other.pem"})
    assert w.elb.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn)["Location"] == "s3://certs/other.pem"


def delete_trust_store(w: World) -> None:
    w.elb.delete_trust_store(TrustStoreArn=(arn := w.new_store()))
    assert code_of(w.elb.describe_trust_stores, TrustStoreArns=[arn]) == "TrustStoreNotFound"


def get_trust_store_ca_certificates_bundle(w: World) -> None:
    assert w.elb.get_trust_store_ca_certificates_bundle(TrustStoreArn=w.store)["Location"] == "s3://certs/ca.pem"


def describe_trust_store_associations(w: World) -> None:
    found = w.elb.describe_trust_store_associations(TrustStoreArn=w.store)["TrustStoreAssociations"]
    assert found == [{"ResourceArn": w.balancer}]


def add_trust_store_revocations(w: World) -> None:
    arn = w.new_store()
    (made,) = w.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=[LIST])["TrustStoreRevocations"]
    assert made == {"TrustStoreArn": arn, "RevocationId": 1, "RevocationType": "CRL"}


def describe_trust_store_revocations(w: World) -> None:
    arn = w.new_store()
    w.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=[LIST, LIST])
    found = w.elb.describe_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[2])["TrustStoreRevocations"]
    assert [each["RevocationId"] for each in found] == [2]


def get_trust_store_revocation_content(w: World) -> None:
    arn = w.new_store()
    w.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=[LIST])
    answer = w.elb.get_trust_store_revocation_content(TrustStoreArn=arn, RevocationId=1)
    assert answer["Location"] == "s3://certs/list.crl"


def remove_trust_store_revocations(w: World) -> None:
    arn = w.new_store()
    w.elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=[LIST])
    w.elb.remove_trust_store_revocations(TrustStoreArn=arn, RevocationIds=[1])
    assert w.elb.describe_trust_store_revocations(TrustStoreArn=arn)["TrustStoreRevocations"] == []


def delete_shared_trust_store_association(w: World) -> None:
    # Nothing is shared with another account here, so the only answer there can be is why not.
    given = {"TrustStoreArn": w.store, "ResourceArn": w.balancer}
    assert code_of(w.elb.delete_shared_trust_store_association, **given) == "DeleteAssociationSameAccount"


def get_resource_policy(w: World) -> None:
    assert w.elb.get_resource_policy(ResourceArn=w.store).get("Policy", "") == ""


def add_tags(w: World) -> None:
    arns, tag = [w.new_group(), w.new_rule(w.http)], {"Key": "team", "Value": "shop + Ünïcödé 負荷"}
    w.elb.add_tags(ResourceArns=arns, Tags=[tag])
    found = w.elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
    assert found == [{"ResourceArn": arn, "Tags": [tag]} for arn in arns]


def describe_tags(w: World) -> None:
    arn = w.new_group(Tags=[{"Key": "a", "Value": ""}])
    assert w.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "a", "Value": ""}]


def remove_tags(w: World) -> None:
    arn = w.new_group(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    w.elb.remove_tags(ResourceArns=[arn], TagKeys=["a"])
    assert w.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "b", "Value": "2"}]


def describe_account_limits(w: World) -> None:
    found = {each["Name"]: each["Max"] for each in w.elb.describe_account_limits()["Limits"]}
    assert found["application-load-balancers"] == "50"


@dataclass(frozen=True, slots=True)
class Trial:
    """One operation: what it does when it works, and a call that is refused with `code`."""

    works: Callable[[World], None]
    code: str
    wrong: Callable[[World], Mapping[str, Any]]


def lb_arn(_: World) -> Mapping[str, Any]:
    return {"LoadBalancerArn": NO_BALANCER}


TRIALS: Mapping[str, Trial] = {
    "AddListenerCertificates": Trial(
        add_listener_certificates,
        "CertificateNotFound",
        lambda w: {"ListenerArn": w.https, "Certificates": [{"CertificateArn": f"{CERTIFICATES[0]}-not"}]},
    ),
    "AddTags": Trial(
        add_tags,
        "DuplicateTagKeys",
        lambda w: {"ResourceArns": [w.group], "Tags": [{"Key": "a"}, {"Key": "a", "Value": "1"}]},
    ),
    "AddTrustStoreRevocations": Trial(
        add_trust_store_revocations,
        "TrustStoreNotFound",
        lambda _: {"TrustStoreArn": NO_STORE, "RevocationContents": [LIST]},
    ),
    "CreateListener": Trial(
        create_listener,
        "LoadBalancerNotFound",
        lambda _: {"LoadBalancerArn": NO_BALANCER, "Protocol": "HTTP", "Port": 80, "DefaultActions": [PAGE]},
    ),
    "CreateLoadBalancer": Trial(
        create_load_balancer, "ValidationError", lambda w: {"Name": w.name(), "Subnets": [SUBNETS[0]]}
    ),
    "CreateRule": Trial(
        create_rule,
        "PriorityInUse",
        lambda w: {
            "ListenerArn": w.http,
            "Priority": int(w.elb.describe_rules(RuleArns=[w.rule])["Rules"][0]["Priority"]),
            "Conditions": [{"Field": "path-pattern", "Values": ["/b"]}],
            "Actions": [PAGE],
        },
    ),
    "CreateTargetGroup": Trial(
        create_target_group,
        "ValidationError",
        lambda w: {"Name": w.name(), "Protocol": "HTTP", "Port": 70000, "VpcId": VPC},
    ),
    "CreateTrustStore": Trial(
        create_trust_store,
        "DuplicateTrustStoreName",
        lambda w: {
            "Name": w.elb.describe_trust_stores(TrustStoreArns=[w.store])["TrustStores"][0]["Name"],
            **BUNDLE,
        },
    ),
    "DeleteListener": Trial(delete_listener, "ListenerNotFound", lambda _: {"ListenerArn": NO_LISTENER}),
    "DeleteLoadBalancer": Trial(delete_load_balancer, "ValidationError", lambda w: {"LoadBalancerArn": w.group}),
    "DeleteRule": Trial(
        delete_rule,
        "OperationNotPermitted",
        lambda w: {"RuleArn": w.elb.describe_rules(ListenerArn=w.http)["Rules"][-1]["RuleArn"]},
    ),
    "DeleteSharedTrustStoreAssociation": Trial(
        delete_shared_trust_store_association,
        "AssociationNotFound",
        lambda w: {"TrustStoreArn": w.store, "ResourceArn": NO_BALANCER},
    ),
    "DeleteTargetGroup": Trial(delete_target_group, "ResourceInUse", lambda w: {"TargetGroupArn": in_use(w)}),
    "DeleteTrustStore": Trial(delete_trust_store, "TrustStoreInUse", lambda w: {"TrustStoreArn": w.store}),
    "DeregisterTargets": Trial(
        deregister_targets,
        "TargetGroupNotFound",
        lambda _: {"TargetGroupArn": NO_GROUP, "Targets": [TARGET]},
    ),
    "DescribeAccountLimits": Trial(describe_account_limits, "ValidationError", lambda _: {"PageSize": 401}),
    "DescribeCapacityReservation": Trial(describe_capacity_reservation, "LoadBalancerNotFound", lb_arn),
    "DescribeListenerAttributes": Trial(
        describe_listener_attributes, "ListenerNotFound", lambda _: {"ListenerArn": NO_LISTENER}
    ),
    "DescribeListenerCertificates": Trial(
        describe_listener_certificates, "ListenerNotFound", lambda _: {"ListenerArn": NO_LISTENER}
    ),
    "DescribeListeners": Trial(describe_listeners, "LoadBalancerNotFound", lb_arn),
    "DescribeLoadBalancerAttributes": Trial(describe_load_balancer_attributes, "LoadBalancerNotFound", lb_arn),
    "DescribeLoadBalancers": Trial(describe_load_balancers, "LoadBalancerNotFound", lambda _: {"Names": ["nobody"]}),
    "DescribeRules": Trial(describe_rules, "ValidationError", lambda _: {}),
    "DescribeSSLPolicies": Trial(describe_ssl_policies, "SSLPolicyNotFound", lambda _: {"Names": ["Mine"]}),
    "DescribeTags": Trial(describe_tags, "TargetGroupNotFound", lambda _: {"ResourceArns": [NO_GROUP]}),
    "DescribeTargetGroupAttributes": Trial(
        describe_target_group_attributes, "TargetGroupNotFound", lambda _: {"TargetGroupArn": NO_GROUP}
    ),
    "DescribeTargetGroups": Trial(
        describe_target_groups, "TargetGroupNotFound", lambda _: {"TargetGroupArns": [NO_GROUP]}
    ),
    "DescribeTargetHealth": Trial(
        describe_target_health, "TargetGroupNotFound", lambda _: {"TargetGroupArn": NO_GROUP}
    ),
    "DescribeTrustStoreAssociations": Trial(
        describe_trust_store_associations, "TrustStoreNotFound", lambda _: {"TrustStoreArn": NO_STORE}
    ),
    "DescribeTrustStoreRevocations": Trial(
        describe_trust_store_revocations,
        "RevocationIdNotFound",
        lambda w: {"TrustStoreArn": w.store, "RevocationIds": [77]},
    ),
    "DescribeTrustStores": Trial(describe_trust_stores, "TrustStoreNotFound", lambda _: {"TrustStoreArns": [NO_STORE]}),
    "GetResourcePolicy": Trial(get_resource_policy, "ResourceNotFound", lambda _: {"ResourceArn": NO_STORE}),
    "GetTrustStoreCaCertificatesBundle": Trial(
        get_trust_store_ca_certificates_bundle, "TrustStoreNotFound", lambda _: {"TrustStoreArn": NO_STORE}
    ),
    "GetTrustStoreRevocationContent": Trial(
        get_trust_store_revocation_content,
        "RevocationIdNotFound",
        lambda w: {"TrustStoreArn": w.store, "RevocationId": 77},
    ),
    "ModifyCapacityReservation": Trial(
        modify_capacity_reservation,
        "InvalidConfigurationRequest",
        lambda w: {
            "LoadBalancerArn": w.balancer,
            "MinimumLoadBalancerCapacity": {"CapacityUnits": 1},
            "ResetCapacityReservation": True,
        },
    ),
    "ModifyIpPools": Trial(modify_ip_pools, "ValidationError", lambda w: {"LoadBalancerArn": w.balancer}),
    "ModifyListener": Trial(
        modify_listener,
        "InvalidLoadBalancerAction",
        lambda w: {"ListenerArn": w.http, "DefaultActions": [{"Type": "redirect"}]},
    ),
    "ModifyListenerAttributes": Trial(
        modify_listener_attributes,
        "ValidationError",
        lambda w: {"ListenerArn": w.http, "Attributes": [{"Key": "colour", "Value": "red"}]},
    ),
    "ModifyLoadBalancerAttributes": Trial(
        modify_load_balancer_attributes,
        "ValidationError",
        lambda w: {
            "LoadBalancerArn": w.balancer,
            "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "0"}],
        },
    ),
    "ModifyRule": Trial(modify_rule, "RuleNotFound", lambda _: {"RuleArn": NO_RULE, "Actions": [PAGE]}),
    "ModifyTargetGroup": Trial(
        modify_target_group,
        "ValidationError",
        lambda w: {"TargetGroupArn": w.group, "HealthCheckIntervalSeconds": 1},
    ),
    "ModifyTargetGroupAttributes": Trial(
        modify_target_group_attributes,
        "ValidationError",
        lambda w: {"TargetGroupArn": w.group, "Attributes": [{"Key": "stickiness.enabled", "Value": "maybe"}]},
    ),
    "ModifyTrustStore": Trial(
        modify_trust_store, "TrustStoreNotFound", lambda _: {"TrustStoreArn": NO_STORE, **BUNDLE}
    ),
    "RegisterTargets": Trial(
        register_targets,
        "ValidationError",
        lambda w: {"TargetGroupArn": w.group, "Targets": [{"Id": "i-0123456789abcdef0"}]},
    ),
    "RemoveListenerCertificates": Trial(
        remove_listener_certificates,
        "OperationNotPermitted",
        lambda w: {"ListenerArn": w.https, "Certificates": [{"CertificateArn": CERTIFICATES[0]}]},
    ),
    "RemoveTags": Trial(remove_tags, "TargetGroupNotFound", lambda _: {"ResourceArns": [NO_GROUP], "TagKeys": ["a"]}),
    "RemoveTrustStoreRevocations": Trial(
        remove_trust_store_revocations,
        "RevocationIdNotFound",
        lambda w: {"TrustStoreArn": w.store, "RevocationIds": [77]},
    ),
    "SetIpAddressType": Trial(
        set_ip_address_type,
        "ValidationError",
        lambda w: {"LoadBalancerArn": w.balancer, "IpAddressType": "ipv5"},
    ),
    "SetRulePriorities": Trial(
        set_rule_priorities,
        "RuleNotFound",
        lambda _: {"RulePriorities": [{"RuleArn": NO_RULE, "Priority": 1}]},
    ),
    "SetSecurityGroups": Trial(
        set_security_groups,
        "InvalidConfigurationRequest",
        lambda w: {"LoadBalancerArn": w.balancer, "SecurityGroups": ["sg-0123456789abcdef0"]},
    ),
    "SetSubnets": Trial(
        set_subnets,
        "SubnetNotFound",
        lambda w: {"LoadBalancerArn": w.balancer, "Subnets": [SUBNETS[0], "subnet-0123456789abcdef0"]},
    ),
}


def in_use(w: World) -> str:
    """A target group that a listener forwards to."""
    arn = w.new_group()
    w.new_listener(DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])
    return arn


def attributes(answer: Mapping[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def code_of(operation: Callable[..., object], **params: Any) -> str:
    """The error code of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        operation(**params)
    return str(caught.value.response["Error"]["Code"])


def test_no_operation_is_left_out() -> None:
    assert TRIALS.keys() == set(model("elbv2").operation_names)


@pytest.mark.parametrize("operation", TRIALS)
def test_works(world: World, operation: str) -> None:
    TRIALS[operation].works(world)


@pytest.mark.parametrize("operation", TRIALS)
def test_is_refused(world: World, operation: str) -> None:
    trial = TRIALS[operation]
    method = getattr(world.elb, trial.works.__name__)
    with pytest.raises(ClientError) as caught:
        method(**trial.wrong(world))
    answer = caught.value.response
    assert answer["Error"]["Code"] == trial.code, answer
    assert answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RequestId"]
