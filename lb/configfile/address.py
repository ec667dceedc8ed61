"""A target as a configuration file writes it: `host:port`, `host`, `[IPv6]:port`, `[IPv6]` or a bare IPv6 address."""

import re
from ipaddress import IPv4Address, IPv6Address

HIGHEST_PORT = 65535
_LONGEST_HOST = 253
# RFC 1123 labels, and the underscore that container engines put into names.
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")


def parse_address(text: str) -> tuple[str, int | None]:
    """Host (without brackets) and port, None where there is none. Raises ValueError with what is allowed."""
    if "://" in text:
        raise ValueError(f"must be host:port without '{text.split('://', 1)[0]}://'")
    if _is_ipv6(text):
        return text, None
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ipv6(host) or (rest and not rest.startswith(":")):
            raise ValueError("must be an IPv6 address in brackets, such as [::1]:80")
        return host, _port(rest[1:]) if rest else None
    host, colon, port = text.partition(":")
    _check_host(host)
    return host, _port(port) if colon else None


def comparable_host(host: str) -> str:
    """The same text for every spelling of one host."""
    return IPv6Address(host).compressed if _is_ipv6(host) else host.lower().removesuffix(".")


def _port(text: str) -> int:
    # A length first: int() refuses very long texts with a message of its own.
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= HIGHEST_PORT):
        raise ValueError(f"must have a port from 1 to {HIGHEST_PORT} after the colon")
    return int(text)


def _check_host(host: str) -> None:
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("must start with a host name or an IP address")
    # A name cannot end in a number: resolvers take such a text for an IPv4 address (WHATWG URL, "ends in a number").
    if labels[-1].isdigit() and not _is_ipv4(host):
        raise ValueError("must start with a host name or a whole IPv4 address, such as 10.0.0.1")


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
