"""Names of log files, as S3 object keys."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.observe.log_files import INTERVAL_S, LogKind, LogSource, interval_end, object_key, object_of_test

BALANCER = "app/demo/0123456789abcdef"
ACCOUNT = "123456789012"
FOLDER = "AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/01/06/"
REST = "123456789012_elasticloadbalancing_us-east-1_app.demo.0123456789abcdef_20260106T1025Z"

# kind, prefix, node address -> object key for the interval that ends at 2026-01-06T10:25Z
CASES = (
    (LogKind.ACCESS, "", "10.0.0.5", f"{FOLDER}{REST}_10.0.0.5_20sg8hgm.log.gz"),
    (LogKind.ACCESS, "logs", "10.0.0.5", f"logs/{FOLDER}{REST}_10.0.0.5_20sg8hgm.log.gz"),
    (LogKind.ACCESS, "/a/b/", "10.0.0.5", f"a/b/{FOLDER}{REST}_10.0.0.5_20sg8hgm.log.gz"),
    (LogKind.CONNECTION, "", "10.0.0.5", f"{FOLDER}conn_log_{REST}_10.0.0.5_20sg8hgm.log.gz"),
    (LogKind.HEALTH_CHECK, "p", "10.0.0.5", f"p/{FOLDER}health_check_log_{REST}_10.0.0.5_20sg8hgm.log.gz"),
    (LogKind.ACCESS, "", "2001:db8::1", f"{FOLDER}{REST}_2001-db8--1_20sg8hgm.log.gz"),
)


@pytest.mark.parametrize(("kind", "prefix", "node_ip", "expected"), CASES)
def test_object_keys(kind, prefix, node_ip, expected):
    end_s = int(datetime(2026, 1, 6, 10, 25, tzinfo=UTC).timestamp())
    source = LogSource(kind, ACCOUNT, "us-east-1", BALANCER, node_ip, prefix)
    assert object_key(source, end_s, "20sg8hgm") == expected


# kind, prefix -> the object that shows that the bucket can be written
TEST_OBJECTS = (
    (LogKind.ACCESS, "", "AWSLogs/123456789012/ELBAccessLogTestFile", "Enable AccessLog"),
    (LogKind.ACCESS, "/a/b/", "a/b/AWSLogs/123456789012/ELBAccessLogTestFile", "Enable AccessLog"),
    (LogKind.CONNECTION, "p", "p/AWSLogs/123456789012/ELBConnectionLogTestFile", "Enable ConnectionLog"),
    (LogKind.HEALTH_CHECK, "", "AWSLogs/123456789012/ELBHealthCheckLogTestFile", "Enable HealthCheckLog"),
)


@pytest.mark.parametrize(("kind", "prefix", "key", "begins"), TEST_OBJECTS)
def test_the_test_object_of_each_log(kind, prefix, key, begins):
    now_s = datetime(2026, 1, 6, 10, 25, 0, 123_456, UTC).timestamp()
    source = LogSource(kind, ACCOUNT, "us-east-1", BALANCER, "10.0.0.5", prefix)
    text = f"{begins} for ELB: {BALANCER} at 2026-01-06T10:25:00.123Z"
    assert object_of_test(source, now_s) == (key, text)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-01-06T10:20:00", "2026-01-06T10:25:00"),
        ("2026-01-06T10:24:59.999", "2026-01-06T10:25:00"),
        ("2026-01-06T10:25:00", "2026-01-06T10:30:00"),
        ("2026-12-31T23:59:59", "2027-01-01T00:00:00"),
    ],
)
def test_intervals_are_aligned_and_named_after_their_end(now, end):
    now_s, end_s = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (now, end))
    assert interval_end(now_s) == end_s


@given(st.floats(0, 4e9))
def test_an_instant_is_inside_its_interval(now_s):
    end_s = interval_end(now_s)
    assert end_s - INTERVAL_S <= now_s < end_s
    assert end_s % INTERVAL_S == 0
