"""What every test shares: with REQUIRE_ALL=1 a skipped test is a failure, unless its tool is in no package of Debian.

Generated inputs have as long as they take, on any machine. With REQUIRE_ALL=1 they are the same in every run, so that what
fails there is the doing of the change under test; without it each run draws others.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=REQUIRE_ALL
)
settings.load_profile("any machine")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Turns skips into failures where everything is required; the reason stays in the report."""
    outcome = yield
    report = outcome.get_result()
    required = REQUIRE_ALL and item.get_closest_marker("where_present") is None
    if required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1, and this was skipped: {reason}"
