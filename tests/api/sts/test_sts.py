from datetime import timedelta

import pytest

from tests.api.aws_call import ACCOUNT, NOW, Aws
from tests.api.service import Service


@pytest.fixture
def sts(aws: Aws) -> Service:
    return Service(aws, "sts")


def test_every_caller_is_the_user_of_the_account(sts: Service):
    caller = sts("GetCallerIdentity")
    assert caller["Account"] == ACCOUNT
    assert caller["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/lb"
    assert caller["UserId"].startswith("AIDA")
    assert len(caller["UserId"]) == 21
    assert sts("GetCallerIdentity", region="eu-west-1") == caller


def test_a_session_lasts_twelve_hours_or_as_asked(sts: Service):
    given = sts("GetSessionToken")["Credentials"]
    assert given["AccessKeyId"].startswith("ASIA")
    assert given["Expiration"] == NOW + timedelta(hours=12)
    shorter = sts("GetSessionToken", DurationSeconds=900)["Credentials"]
    assert shorter["Expiration"] == NOW + timedelta(minutes=15)
    assert shorter["SecretAccessKey"] != given["SecretAccessKey"]


def test_any_role_can_be_assumed(sts: Service):
    found = sts("AssumeRole", RoleArn="arn:aws:iam::111122223333:role/team/deploy", RoleSessionName="ci")
    user = found["AssumedRoleUser"]
    assert user["Arn"] == "arn:aws:sts::111122223333:assumed-role/deploy/ci"
    assert user["AssumedRoleId"].endswith(":ci")
    assert found["Credentials"]["Expiration"] == NOW + timedelta(hours=1)


@pytest.mark.parametrize("arn", ["arn:aws:iam::111122223333:user/deploy", "arn:aws:iam::1:role/deploy", "x" * 20])
def test_what_is_no_role_cannot_be_assumed(sts: Service, arn: str):
    error = sts.refused("AssumeRole", RoleArn=arn, RoleSessionName="ci")
    assert (error.code, error.message) == ("ValidationError", f"{arn} is invalid")
