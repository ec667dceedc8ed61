"""docs/coverage.md says what is served, and every operation that is served has a test."""

import pytest

from lb.api.operations import OPERATIONS
from tests.api.coverage import COMMAND, PAGE, files_that_call, page
from tests.api.elbv2.test_through_boto3 import TRIALS


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), f"run {COMMAND}"


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_operation_that_is_served_has_a_test(service: str) -> None:
    tried = TRIALS.keys() if service == "elbv2" else frozenset[str]()
    assert [name for name in OPERATIONS[service] if name not in tried and not files_that_call(service, name)] == []
