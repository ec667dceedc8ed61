"""STS: who is calling. Every caller is the one user of the account, whatever the credentials.

Temporary credentials are made up. They are as good as any others, except where access keys are configured: then calls must be
signed with one of those.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.user import user_arn, user_id

_SESSION_S: Final = 12 * 3600
_ROLE_S: Final = 3600
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:[!-~]+/)?(?P<name>[\w+=,.@-]+)", re.ASCII)


def get_caller_identity(call: Call, params: Params) -> Result:
    """The user, `lb`."""
    return {"UserId": user_id(call.account), "Account": call.account, "Arn": user_arn(call.account)}


def get_session_token(call: Call, params: Params) -> Result:
    """Temporary credentials of the user."""
    return {"Credentials": _credentials(call, params.get("DurationSeconds", _SESSION_S))}


def assume_role(call: Call, params: Params) -> Result:
    """Temporary credentials of a role, which need not exist: there are no roles here."""
    role = _ROLE.fullmatch(params["RoleArn"])
    if role is None:
        raise ApiError("ValidationError", f"{params['RoleArn']} is invalid")
    session = params["RoleSessionName"]
    return {
        "Credentials": _credentials(call, params.get("DurationSeconds", _ROLE_S)),
        "AssumedRoleUser": {
            "AssumedRoleId": f"AROA0{call.new_id(16).upper()}:{session}",
            "Arn": f"arn:aws:sts::{role['account']}:assumed-role/{role['name']}/{session}",
        },
    }


def _credentials(call: Call, duration_s: int) -> Mapping[str, Any]:
    return {
        "AccessKeyId": f"ASIA{call.new_id(16).upper()}",
        "SecretAccessKey": call.new_id(40),
        "SessionToken": call.new_id(128),
        "Expiration": call.now + timedelta(seconds=duration_s),
    }


OPERATIONS: Final[Operations] = {
    "GetCallerIdentity": get_caller_identity,
    "GetSessionToken": get_session_token,
    "AssumeRole": assume_role,
}
