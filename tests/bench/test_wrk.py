"""Reading what wrk prints; the samples are its own output."""

import pytest

from bench.wrk import WrkOutputError, parse_wrk, upload_script

PLAIN = """Running 2s test @ http://127.0.0.1:40001/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.52ms    1.01ms  14.41ms   75.52%
    Req/Sec    43.85k     4.17k   49.52k    65.00%
  Latency Distribution
     50%    1.24ms
     75%    1.90ms
     90%    2.73ms
     99%    4.55ms
  87290 requests in 2.00s, 16.98MB read
Requests/sec:  43610.08
Transfer/sec:      8.48MB
"""

WITH_FAILURES = """Running 1m test @ http://127.0.0.1:40001/upload
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   850.00us    0.95s     2.10s    88.00%
    Req/Sec     1.20      0.40     2.00     80.00%
  Latency Distribution
     50%  850.00us
     75%    1.10s
     90%    1.90s
     99%    1.02m
  72 requests in 1.00m, 1.50GB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 30
Requests/sec:      1.20
Transfer/sec:     25.60MB
"""

UNREACHABLE = "unable to connect to 127.0.0.1:1 Connection refused\n"


def test_a_plain_report_is_read():
    result = parse_wrk(PLAIN)
    assert result.requests == 87290
    assert result.seconds == 2.0
    assert result.requests_per_s == 43645.0
    assert result.read_bytes == round(16.98 * 1024 * 1024)
    assert result.p50_s == pytest.approx(0.00124)
    assert result.p99_s == pytest.approx(0.00455)
    assert result.failed == 0


def test_every_unit_and_every_kind_of_failure_is_read():
    result = parse_wrk(WITH_FAILURES)
    assert result.seconds == 60.0
    assert result.p50_s == pytest.approx(0.00085)
    assert result.p99_s == pytest.approx(61.2)
    assert result.read_bytes == round(1.5 * 1024**3)
    assert result.failed == 1 + 2 + 3 + 4 + 30


@pytest.mark.parametrize("text", ["", UNREACHABLE, PLAIN.replace("99%", "98%"), PLAIN.replace("requests in", "in")])
def test_anything_else_is_an_error_that_shows_the_text(text):
    with pytest.raises(WrkOutputError, match="no wrk report"):
        parse_wrk(text)


def test_the_upload_script_posts_a_body_of_the_size():
    script = upload_script(65536)
    assert 'wrk.method = "POST"' in script
    assert 'string.rep("x", 65536)' in script
