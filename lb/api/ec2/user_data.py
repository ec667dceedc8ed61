"""User data of instances: text that AWS wants in base64."""

import base64
import binascii
from typing import Final

from lb.api.call import ApiError

_MOST_BYTES: Final = 16 * 1024


def text_of(encoded: str) -> str:
    """The text of user data in base64. Raises ApiError for what is no base64 or no UTF-8 text, and for too much."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data") from None
    return decoded(data)


def decoded(data: bytes) -> str:
    """User data as text. Raises ApiError."""
    if len(data) > _MOST_BYTES:
        raise ApiError("InvalidParameterValue", f"User data is limited to {_MOST_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ApiError("InvalidUserData.Malformed", "User data must be UTF-8 text for this endpoint") from None


def encoded(text: str) -> str:
    """User data as DescribeInstanceAttribute answers it."""
    return base64.b64encode(text.encode()).decode()
