import pytest

from tests.api.aws_call import Aws
from tests.api.service import Service


@pytest.fixture
def rds(aws: Aws) -> Service:
    """RDS in an account whose database is mysql.test:3306."""
    return Service(aws, "rds")
