"""The one user of the account, as STS and IAM name it."""

from typing import Final

from lb.model.names import derived_id

USER_NAME: Final = "lb"


def user_arn(account: str) -> str:
    """ARN of the user."""
    return f"arn:aws:iam::{account}:user/{USER_NAME}"


def user_id(account: str) -> str:
    """The user's id, always the same: AIDA and 17 more characters, as IAM's."""
    return f"AIDA0{derived_id('user', account, USER_NAME).upper()}"
