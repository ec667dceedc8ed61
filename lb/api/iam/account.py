"""The account and its one user; clients look at both before they do anything else."""

from datetime import UTC, datetime
from typing import Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.user import USER_NAME, user_arn, user_id

# The user is older than anything that it makes.
_CREATED: Final = datetime(2024, 1, 1, tzinfo=UTC)


def get_user(call: Call, params: Params) -> Result:
    """The user, who is also every caller."""
    name = params.get("UserName", USER_NAME)
    if name != USER_NAME:
        raise ApiError("NoSuchEntity", f"The user with name {name} cannot be found.", 404)
    return {
        "User": {
            "Path": "/",
            "UserName": USER_NAME,
            "UserId": user_id(call.account),
            "Arn": user_arn(call.account),
            "CreateDate": _CREATED,
        }
    }


def list_account_aliases(call: Call, params: Params) -> Result:
    """None: the account has no alias."""
    return {"AccountAliases": [], "IsTruncated": False}


OPERATIONS: Final[Operations] = {"GetUser": get_user, "ListAccountAliases": list_account_aliases}
