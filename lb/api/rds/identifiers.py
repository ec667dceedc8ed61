"""Identifiers of DB instances, and names of DB subnet groups."""

import re
from typing import Final

from lb.api.call import ApiError

_INSTANCE: Final = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*", re.ASCII)
_LONGEST: Final = 63
_GROUP: Final = re.compile(r"[A-Za-z0-9 ._-]+", re.ASCII)
_LONGEST_GROUP: Final = 255
_RULES: Final = (
    "Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; "
    "and must not end with a hyphen or contain two consecutive hyphens."
)


def instance_identifier(text: str) -> str:
    """The identifier of a DB instance as RDS keeps it, in small letters. Raises ApiError."""
    if len(text) > _LONGEST or _INSTANCE.fullmatch(text) is None:
        message = f"The parameter DBInstanceIdentifier is not a valid identifier. {_RULES}"
        raise ApiError("InvalidParameterValue", message)
    return text.lower()


def group_name(text: str) -> str:
    """The name of a DB subnet group as RDS keeps it, in small letters. Raises ApiError."""
    if len(text) > _LONGEST_GROUP or _GROUP.fullmatch(text) is None:
        message = (
            f"The parameter DBSubnetGroupName must contain no more than {_LONGEST_GROUP} characters: "
            "letters, digits, periods, underscores, spaces and hyphens."
        )
        raise ApiError("InvalidParameterValue", message)
    return text.lower()
