"""CIDR blocks as clients write them."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from lb.api.call import ApiError

_VPC_PREFIXES: Final = range(16, 29)


def network_block(text: str, code: str) -> IPv4Network:
    """The block of a VPC or subnet, /16 to /28; bits of hosts are dropped, as EC2 does.

    Raises ApiError: `code` for a block of another size.
    """
    try:
        block = IPv4Network(text, strict=False)
    except ValueError:
        block = None
    if block is None or "/" not in text:
        message = f"Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        raise ApiError("InvalidParameterValue", message)
    if block.prefixlen not in _VPC_PREFIXES:
        raise ApiError(code, f"The CIDR '{text}' is invalid.")
    return block


def any_block(text: str, version: int) -> IPv4Network | IPv6Network:
    """A block of any size. Raises ApiError."""
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        block = None
    if block is None or block.version != version or "/" not in text:
        raise ApiError("InvalidParameterValue", f"CIDR block {text} is malformed")
    return block
