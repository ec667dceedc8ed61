"""The request head as a target gets it: forwarded headers, Host, trace id (fact sheet 7.2 to 7.4)."""

from dataclasses import dataclass
from typing import Final

from lb.http import limits
from lb.http.head import Rejected, RequestHead

_WEBSOCKET: Final = b"\r\nConnection: Upgrade\r\nUpgrade: websocket"
_CHUNKED: Final = b"\r\nTransfer-Encoding: chunked"


@dataclass(frozen=True, slots=True)
class ForwardedSettings:
    """What the load balancer's attributes and the listener say about forwarded headers.

    `default_host` is the load balancer's DNS name, for HTTP/1.0 clients that send no Host.
    """

    port: int
    default_host: bytes
    preserve_host: bool = False
    client_port: bool = False
    mode: str = "append"


def client_address(settings: ForwardedSettings, host: str, port: int) -> bytes:
    """The client as X-Forwarded-For names it; brackets only where an IPv6 address carries a port."""
    if not settings.client_port:
        return host.encode()
    return f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()


def added_headers(head: RequestHead, settings: ForwardedSettings, client: bytes, host: bytes | None = None) -> bytes:
    """The lines X-Forwarded-For, -Proto, -Port and Host, each with the CRLF before it.

    `client` is the address as `client_address` gives it, `host` a rewritten host. Raises Rejected(463) when the client sent
    more addresses than the limit.
    """
    return b"%b\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: %d\r\nHost: %b" % (
        _forwarded_for(head.forwarded_for, settings.mode, client),
        settings.port,
        (target_host(head, settings) if host is None else host) + (head.more_hosts if settings.preserve_host else b""),
    )


def _forwarded_for(given: bytes | None, mode: str, client: bytes) -> bytes:
    if given is not None and given.count(b",") >= limits.FORWARDED_FOR_ADDRESSES:
        raise Rejected(463)
    if mode == "append":
        return b"\r\nX-Forwarded-For: " + (given + b", " + client if given else client)
    if mode == "preserve" and given is not None:
        return b"\r\nX-Forwarded-For: " + given
    return b""


def target_host(head: RequestHead, settings: ForwardedSettings) -> bytes:
    """The Host value for the target.

    Unless the host header is preserved it is lower-cased, the scheme's default port is taken off, and another listener
    port is put on where the client named none.
    """
    if settings.preserve_host:
        return head.host if head.host is not None else head.authority or settings.default_host
    host = (head.authority or head.host or settings.default_host).lower()
    name, colon, port = host.rpartition(b":")
    if colon and not port:
        host, colon = name, b""
    if not colon or not port.isdigit():
        return host if settings.port == 80 else b"%b:%d" % (host, settings.port)
    return name if settings.port == 80 and port == b"80" else host


def to_target(head: RequestHead, uri: bytes, added: bytes, trace_id: bytes) -> bytes:
    """The whole head, ready to write. `added` is X-Forwarded-* and Host, as the functions above make them."""
    return b"%b %b HTTP/1.1%b\r\nX-Amzn-Trace-Id: %b%b%b\r\n\r\n" % (
        head.method,
        uri,
        added,
        trace_id,
        _CHUNKED if head.chunked else _WEBSOCKET if head.upgrade and head.opens_websocket else b"",
        head.rest,
    )
