"""The loopback guard: every address that load is sent to passes through here first.

A load generator pointed at somebody else's server is an attack, so the rule has no switch: only 127.0.0.0/8 and ::1, and
names of which every resolved address is one of these. What comes back is the numeric address that was checked, so that
the load goes where the check looked, even if the name changes its answer in between.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit


class NotLoopbackError(ValueError):
    """The target is not (only) a loopback address, or is none that can be understood."""


def loopback_address(host: str) -> str:
    """Return the numeric loopback address of `host` (a name, IPv4 or IPv6 address, brackets allowed).

    Raises NotLoopbackError when it does not resolve or when any address it resolves to is not a loopback address.
    """
    name = host.removeprefix("[").removesuffix("]")
    if not name:
        raise NotLoopbackError("no host given: the benchmark sends load to loopback addresses only")
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotLoopbackError(
            f"{host!r} does not resolve ({error}): the benchmark sends load to loopback only"
        ) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    outside = [address for address in addresses if not _is_loopback(address)]
    if outside or not addresses:
        meant = ", ".join(outside) or "no address"
        also = "" if meant == name else f" (it is {meant})"
        raise NotLoopbackError(
            f"{host!r} is not a loopback address{also}: the benchmark sends load to 127.0.0.0/8, ::1 or localhost only"
        )
    # Servers started for a benchmark listen on IPv4; ::1 is used when it is all there is.
    return min(addresses, key=lambda address: ":" in address)


def loopback_url(url: str) -> SplitResult:
    """Return the parts of an http URL, its host replaced by the checked numeric address and the port made explicit.

    Raises NotLoopbackError when the URL is not plain http, has no usable host or port, or leads off this machine.
    """
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
    except ValueError as error:
        raise NotLoopbackError(f"{url!r} is not a URL ({error})") from error
    if parts.scheme != "http" or not parts.hostname:
        raise NotLoopbackError(f"{url!r} is not of the form http://127.0.0.1:PORT/PATH")
    address = loopback_address(parts.hostname)
    literal = f"[{address}]" if ":" in address else address
    return parts._replace(netloc=f"{literal}:{port}", path=parts.path or "/")


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
