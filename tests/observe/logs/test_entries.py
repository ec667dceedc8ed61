"""Entries of the health check log and of the connection log, as tables."""

from datetime import UTC, datetime

import pytest

from lb.http.record import ConnectionRecord, Origin
from lb.observe.connection_log import format_plain
from lb.observe.health_check_log import format_entry
from lb.targets.health import ProbeOutcome, ProbeResult

BEGUN_S = datetime(2026, 1, 6, 10, 20, 30, 123456, UTC).timestamp()
SECOND = "2026-01-06T10:20:30.123456Z"

# outcome, status, latency, target -> entry
PROBES = (
    (
        ProbeOutcome.PASSED,
        200,
        0.001204561,
        "10.0.1.5:8080",
        f"http {SECOND} 0.001204561 10.0.1.5:8080 shop PASS 200 -",
    ),
    (ProbeOutcome.PASSED, 404, 0.5, "[::1]:80", f"http {SECOND} 0.500000000 [::1]:80 shop PASS 404 -"),
    (
        ProbeOutcome.CODE_MISMATCH,
        500,
        0.002001,
        "10.0.1.6:8080",
        f"http {SECOND} 0.002001000 10.0.1.6:8080 shop FAIL 500 ResponseCodeMismatch",
    ),
    (ProbeOutcome.TIMED_OUT, None, 5.0, "10.0.1.7:8443", f"http {SECOND} - 10.0.1.7:8443 shop FAIL - TimedOut"),
    (ProbeOutcome.FAILED, None, 0.01, "10.0.1.7:80", f"http {SECOND} - 10.0.1.7:80 shop FAIL - ConnectionReset"),
)


@pytest.mark.parametrize(("outcome", "status", "latency_s", "target", "expected"), PROBES)
def test_health_check_entries(outcome, status, latency_s, target, expected):
    # Half a microsecond, so that adding and taking away the latency cannot end below the microsecond that is expected.
    result = ProbeResult(outcome, status, "", latency_s, BEGUN_S + 5e-7 + latency_s)
    assert format_entry(result, target, "shop") == expected + "\n"


def test_every_outcome_of_a_probe_has_an_entry():
    assert {row[0] for row in PROBES} == set(ProbeOutcome)


def connection(made_s, client_ip, client_port, listener_port):
    return ConnectionRecord(
        Origin("app/web/1", "web.localhost", listener_port), made_s, client_ip, client_port, "TID_22"
    )


# client address, client port, listener port -> entry
CONNECTIONS = (
    ("203.0.113.9", 40300, 80, f'{SECOND} 203.0.113.9 40300 80 - - - "-" - - - TID_22 -'),
    ("2001:db8::1", 1, 8080, f'{SECOND} 2001:db8::1 1 8080 - - - "-" - - - TID_22 -'),
)


@pytest.mark.parametrize(("client_ip", "client_port", "listener_port", "expected"), CONNECTIONS)
def test_connection_entries(client_ip, client_port, listener_port, expected):
    entry = format_plain(connection(BEGUN_S, client_ip, client_port, listener_port))
    assert entry == expected + "\n"
    assert len(entry.split()) == 13


def test_whole_seconds_keep_their_six_decimals():
    assert format_plain(connection(1_767_694_830.0, "::1", 1, 80)).startswith("2026-01-06T10:20:30.000000Z ")
