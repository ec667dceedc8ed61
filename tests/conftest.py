"""What every test shares: with REQUIRE_ALL=1 a skipped test is a failure, unless its tool is in no package of Debian."""

import os

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Turns skips into failures where everything is required; the reason stays in the report."""
    outcome = yield
    report = outcome.get_result()
    required = os.environ.get("REQUIRE_ALL") == "1" and item.get_closest_marker("where_present") is None
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1, and this was skipped: {reason}"
