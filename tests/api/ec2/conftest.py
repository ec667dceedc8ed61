import pytest

from tests.api.aws_call import Aws
from tests.api.ec2.ec2 import Ec2


@pytest.fixture
def ec2(aws: Aws) -> Ec2:
    """EC2 in a fresh account."""
    return Ec2(aws)
