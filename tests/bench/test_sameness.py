"""Noticing a peer that does less, or other, work than the rest."""

import pytest

from bench.sameness import Seen, compare, parse_seen

PORT = 8080


def _seen(servers, **changes):
    values = {"connection": "7", "forwarded_for": "127.0.0.1", "proto": "http", "port": str(PORT), **changes}
    return [Seen(server=server, **values) for server in servers]


def test_a_peer_that_does_all_of_it_has_no_differences():
    assert compare(_seen("12121212"), PORT) == []


@pytest.mark.parametrize(
    ("seen", "difference"),
    [
        (_seen("11111111"), "both origin servers"),
        (_seen("11221122"), "does not alternate"),
        (_seen("12121212", forwarded_for=""), "X-Forwarded-For"),
        (_seen("12121212", forwarded_for="10.0.0.1"), "X-Forwarded-For"),
        (_seen("12121212", proto="https"), "X-Forwarded-Proto"),
        (_seen("12121212", port=""), "X-Forwarded-Port"),
    ],
)
def test_each_omission_is_named(seen, difference):
    (found,) = compare(seen, PORT)
    assert difference in found


def test_a_new_connection_for_each_request_is_noticed():
    seen = [Seen("12"[n % 2], str(n), "127.0.0.1", "http", str(PORT)) for n in range(8)]
    assert compare(seen, PORT) == ["does not keep its connections to the origin servers"]


def test_an_origin_servers_answer_is_read():
    assert parse_seen("server=1;connection=5;for=127.0.0.1;proto=http;port=80") == Seen(
        "1", "5", "127.0.0.1", "http", "80"
    )


def test_another_answer_is_an_error():
    with pytest.raises(ValueError, match="503 Service"):
        parse_seen("<html>503 Service Temporarily Unavailable</html>")
