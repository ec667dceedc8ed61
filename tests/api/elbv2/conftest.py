import pytest

from tests.api.aws_call import Aws
from tests.api.elbv2.elb import Elb


@pytest.fixture
def elb(aws: Aws) -> Elb:
    """ELBv2 in a fresh account."""
    return Elb(aws)
