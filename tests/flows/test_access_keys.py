"""With LB_ACCESS_KEYS, calls must be signed with one of the keys; the clients' own signatures are what is checked."""

import pytest
from botocore.exceptions import ClientError

from tests.flows.endpoint import running_endpoint


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """An `lb up` that takes two keys."""
    with running_endpoint(tmp_path_factory.mktemp("locked"), LB_ACCESS_KEYS="learner:s3cret,other:0ther") as running:
        yield running


@pytest.mark.parametrize(("key", "secret"), [("learner", "s3cret"), ("other", "0ther")])
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("elbv2", "describe_load_balancers", {"PageSize": 400}),
        ("ec2", "describe_vpcs", {"Filters": [{"Name": "tag:a b/c*~", "Values": ["\u00e4+&=%"]}]}),
        ("sts", "get_caller_identity", {}),
        ("acm", "list_certificates", {}),
        ("iam", "list_server_certificates", {}),
        ("cloudwatch", "list_metrics", {"Namespace": "AWS/ApplicationELB"}),
        ("rds", "describe_db_instances", {}),
    ],
)
def test_the_right_key_opens_every_service(locked, key, secret, service, operation, parameters):
    with locked.client(service, key, secret) as client:
        assert getattr(client, operation)(**parameters)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("learner", "0ther", "SignatureDoesNotMatch"),
        ("learner", "S3cret", "SignatureDoesNotMatch"),
        ("nobody", "s3cret", "InvalidClientTokenId"),
    ],
)
def test_any_other_key_opens_nothing(locked, key, secret, code):
    with locked.client("elbv2", key, secret) as client, pytest.raises(ClientError) as refused:
        client.create_target_group(Name="x", TargetType="lambda")
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, 403)
    with locked.client("elbv2", "learner", "s3cret") as client:
        assert client.describe_target_groups()["TargetGroups"] == []


def test_a_call_without_a_signature_opens_nothing(locked):
    status, body = locked.post(b"Action=DescribeLoadBalancers&Version=2015-12-01")
    assert status == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in body
