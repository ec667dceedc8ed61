import pytest

from tests.api.aws_call import Aws


@pytest.fixture
def aws() -> Aws:
    """An AWS account whose handlers are called directly."""
    return Aws()
