"""Listening sockets, taken before anything else is changed."""

import socket

BACKLOG = 1024


class PortTakenError(Exception):
    """A port cannot be had; the message names it and why."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"port {port} on {host} cannot be used: {why}")
        self.port = port


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises PortTakenError."""
    if not 0 <= port <= 65535:
        raise PortTakenError(host, port, "ports go from 1 to 65535")
    # asyncio lets Nagle's algorithm hold small writes back (40 ms) on a socket that does not say that it is TCP's.
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # With SO_REUSEADDR two processes can bind one port as long as neither listens: this tells now.
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise PortTakenError(host, port, (error.strerror or str(error)).lower()) from error
    bound.setblocking(False)
    return bound
