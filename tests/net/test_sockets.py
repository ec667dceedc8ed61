"""Listening sockets: had at once, or an error that names the port and why."""

import errno
import os
import socket

import pytest

from lb.net.sockets import PortTakenError, bind


def test_a_socket_listens_and_does_not_block():
    with bind("127.0.0.1", 0) as bound:
        assert not bound.getblocking()
        socket.create_connection(bound.getsockname(), timeout=30).close()


def test_a_port_that_another_listens_on_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError) as refused:
            bind("127.0.0.1", port)
    assert str(refused.value) == f"port {port} on 127.0.0.1 cannot be used: {os.strerror(errno.EADDRINUSE).lower()}"
    assert refused.value.port == port


def test_two_of_our_own_cannot_share_a_port():
    with bind("127.0.0.1", 0) as first, pytest.raises(PortTakenError):
        bind("127.0.0.1", first.getsockname()[1])


def test_a_port_whose_last_connections_are_not_forgotten_yet_can_be_had_again():
    """TIME_WAIT after a restart must not look like a port that is taken."""
    with bind("127.0.0.1", 0) as bound:
        bound.setblocking(True)
        port = bound.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=30)
        served, _ = bound.accept()
        served.close()
        client.close()
    bind("127.0.0.1", port).close()


def test_a_host_that_is_not_of_this_machine_is_named():
    with pytest.raises(PortTakenError, match=r"port 18080 on 192\.0\.2\.1 cannot be used"):
        bind("192.0.2.1", 18080)


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_number_that_is_no_port_is_refused_in_words(port):
    """`lb demo --port 70000`."""
    with pytest.raises(PortTakenError, match=str(port)):
        bind("127.0.0.1", port)
