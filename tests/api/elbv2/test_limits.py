import pytest

from lb.api.elbv2.limits import limit
from tests.api.elbv2.elb import Elb


def test_every_limit_is_a_number_as_text(elb: Elb):
    limits = {each["Name"]: each["Max"] for each in elb("DescribeAccountLimits")["Limits"]}
    assert len(limits) == 23
    assert limits["application-load-balancers"] == "50"
    assert limits["rules-per-application-load-balancer"] == "100"
    assert all(limit(name) == int(most) for name, most in limits.items())


def test_limits_come_in_pages(elb: Elb):
    first = elb("DescribeAccountLimits", PageSize=20)
    second = elb("DescribeAccountLimits", PageSize=20, Marker=first["NextMarker"])
    assert (len(first["Limits"]), len(second["Limits"]), "NextMarker" in second) == (20, 3, False)


@pytest.mark.parametrize("marker", ["1", "%", ""])
def test_a_marker_that_was_never_given_is_refused(elb: Elb, marker: str):
    assert elb.refused("DescribeAccountLimits", Marker=marker).code == "ValidationError"
