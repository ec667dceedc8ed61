import pytest

from lb.model.attributes import Scope, keys
from lb.resources.records import Kind
from tests.api.aws_call import Aws
from tests.api.elbv2.elb import ARN, Elb

DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "health_check_logs.s3.enabled": "false",
    "health_check_logs.s3.bucket": "",
    "health_check_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
INVALID = "InvalidConfigurationRequest"


def attributes(elb: Elb, arn: str) -> dict[str, str]:
    answer = elb("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in answer}


def pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_every_attribute_has_elbs_default(elb: Elb):
    assert attributes(elb, elb.balancer()) == DEFAULTS
    inside = attributes(elb, elb.balancer("inside", Scheme="internal"))
    assert inside == DEFAULTS | {"ipv6.deny_all_igw_traffic": "true"}


@pytest.mark.parametrize(
    ("balancer_type", "defaults"),
    [
        (
            "network",
            {
                "access_logs.s3.enabled": "false",
                "access_logs.s3.bucket": "",
                "access_logs.s3.prefix": "",
                "deletion_protection.enabled": "false",
                "dns_record.client_routing_policy": "any_availability_zone",
                "ipv6.deny_all_igw_traffic": "false",
                "load_balancing.cross_zone.enabled": "false",
                "secondary_ips.auto_assigned.per_subnet": "0",
                "zonal_shift.config.enabled": "false",
            },
        ),
        ("gateway", {"deletion_protection.enabled": "false", "load_balancing.cross_zone.enabled": "false"}),
    ],
)
def test_every_type_has_attributes_of_its_own(elb: Elb, balancer_type: str, defaults: dict[str, str]):
    assert attributes(elb, elb.balancer("other", Type=balancer_type)) == defaults


def test_changes_are_answered_kept_and_joined(elb: Elb, aws: Aws):
    arn = elb.balancer()
    first = {"idle_timeout.timeout_seconds": "5", "waf.fail_open.enabled": "true", "routing.http2.enabled": "true"}
    answer = elb("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=pairs(first))
    assert answer == {"Attributes": pairs(first)}
    second = {"idle_timeout.timeout_seconds": "60", "access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs"}
    elb("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=pairs(second))
    assert attributes(elb, arn) == DEFAULTS | {"waf.fail_open.enabled": "true"} | second
    record = aws.records.get(Kind.LOAD_BALANCER, arn)
    assert record is not None
    assert record.attributes == {
        "waf.fail_open.enabled": "true",
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": "logs",
    }, "only what differs from its default"


def test_what_terraform_sends_at_first_changes_nothing(elb: Elb):
    arn = elb.balancer()
    given = {key: value for key, value in DEFAULTS.items() if "bucket" not in key and "prefix" not in key}
    elb("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=pairs(given))
    assert attributes(elb, arn) == DEFAULTS


REFUSED = {
    "unknown": (
        {"no.such": "1"},
        "ValidationError",
        "Load balancer attribute key 'no.such' is not recognized",
    ),
    "of another type": (
        {"dns_record.client_routing_policy": "any_availability_zone"},
        "ValidationError",
        (
            "Load balancer attribute key 'dns_record.client_routing_policy' is not supported on load balancers "
            "with type 'application'"
        ),
    ),
    "out of range": (
        {"idle_timeout.timeout_seconds": "4001"},
        "ValidationError",
        "'idle_timeout.timeout_seconds' value '4001' must be between '1-4000' inclusive",
    ),
    "no number": (
        {"client_keep_alive.seconds": ""},
        "ValidationError",
        "'client_keep_alive.seconds' value '' must be between '60-604800' inclusive",
    ),
    "no boolean": (
        {"deletion_protection.enabled": "yes"},
        "ValidationError",
        "'deletion_protection.enabled' value 'yes' must be true or false",
    ),
    "cross-zone cannot be off": (
        {"load_balancing.cross_zone.enabled": "false"},
        "ValidationError",
        "'load_balancing.cross_zone.enabled' value 'false' must be true",
    ),
    "a log without a bucket": (
        {"access_logs.s3.enabled": "true"},
        INVALID,
        "'access_logs.s3.enabled' needs 'access_logs.s3.bucket'",
    ),
}


@pytest.mark.parametrize(("values", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_change_is_refused_as_a_whole(elb: Elb, values: dict[str, str], code: str, message: str):
    arn = elb.balancer()
    given = pairs({"waf.fail_open.enabled": "true", **values})
    error = elb.refused("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=given)
    assert (error.code, error.message) == (code, message)
    assert attributes(elb, arn) == DEFAULTS


def test_an_attribute_without_a_key_is_refused(elb: Elb):
    error = elb.refused("ModifyLoadBalancerAttributes", LoadBalancerArn=elb.balancer(), Attributes=[{"Value": "1"}])
    assert error.message == "Load balancer attribute key '' is not recognized"


@pytest.mark.parametrize("params", [{}, {"Attributes": []}], ids=["describe", "modify"])
def test_a_load_balancer_that_is_not_there_has_no_attributes(elb: Elb, params: dict[str, object]):
    operation = "ModifyLoadBalancerAttributes" if params else "DescribeLoadBalancerAttributes"
    error = elb.refused(operation, LoadBalancerArn=f"{ARN}:loadbalancer/app/no/1", **params)
    assert error.code == "LoadBalancerNotFound"


def test_what_has_behaviour_is_answered_too(elb: Elb):
    assert set(keys(Scope.LOAD_BALANCER)) <= attributes(elb, elb.balancer()).keys()
