"""Fixtures of the AWS APIs' tests."""

import pytest

from tests.api.aws_call import Aws
from tests.support.mariadb import mariadb

__all__ = ["mariadb"]


@pytest.fixture
def aws() -> Aws:
    """An AWS account whose handlers are called directly."""
    return Aws()
