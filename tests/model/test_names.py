"""ARNs, ids and DNS names, in the shapes of fact sheet 1.2."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.model import names

ID = "0123456789abcdef"
BALANCER = names.load_balancer_arn("ap-northeast-2", "123456789012", "web", ID)


def test_arns():
    assert f"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/web/{ID}" == BALANCER
    assert names.listener_arn(BALANCER, "fedcba9876543210") == (
        f"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/web/{ID}/fedcba9876543210"
    )
    assert names.target_group_arn("ap-northeast-2", "123456789012", "tg", ID) == (
        f"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/tg/{ID}"
    )


def test_labels():
    assert names.load_balancer_label(BALANCER) == f"app/web/{ID}"
    assert names.target_group_label(names.target_group_arn("r", "1", "tg", ID)) == f"targetgroup/tg/{ID}"


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_ids_are_sixteen_hex_digits_and_always_the_same(parts: list[str]):
    found = names.derived_id(*parts)
    assert re.fullmatch("[0-9a-f]{16}", found)
    assert names.derived_id(*parts) == found


def test_ids_differ_with_the_resource():
    ids = [names.derived_id(kind, name) for kind in ("lb", "tg", "listener") for name in ("a", "b", "web")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("identity", ["0" * 16, "f" * 16, ID])
def test_dns_names(identity: str):
    found = names.dns_name("web", "us-east-1", identity)
    assert re.fullmatch(r"web-\d{8,10}\.us-east-1\.elb\.localhost", found)


def test_the_default_account_and_region():
    assert re.fullmatch(r"\d{12}", names.DEFAULT_ACCOUNT_ID)
    assert names.DEFAULT_REGION == "us-east-1"
