"""ELB's rules for the names of load balancers and target groups, with ELB's texts (fact sheet 1.3, 4.1 and 11.4)."""

from typing import Final

_LONGEST_NAME: Final = 32
_RESERVED: Final = "internal-"


def check_load_balancer_name(name: str, shown: str | None = None) -> None:
    """Raises ValueError for a name that a load balancer cannot have; `shown` is the name as the message tells it."""
    subject = f"The load balancer name {shown or _quoted(name)}"
    _check(name, subject)
    if name.startswith(_RESERVED):
        raise ValueError(f"{subject} cannot begin with '{_RESERVED}'")


def check_target_group_name(name: str, shown: str | None = None) -> None:
    """Raises ValueError for a name that a target group cannot have; `shown` is the name as the message tells it."""
    _check(name, f"Target group name {shown or _quoted(name)}")


def _quoted(name: str) -> str:
    return f"'{name}'"


def _check(name: str, subject: str) -> None:
    if not name:
        raise ValueError(f"{subject} cannot be empty")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"{subject} cannot be longer than '{_LONGEST_NAME}' characters")
    if not (name.isascii() and name.replace("-", "a").isalnum()):
        raise ValueError(f"{subject} can only contain characters that are alphanumeric characters or hyphens(-)")
    if name.startswith("-") or name.endswith("-"):
        raise ValueError(f"{subject} cannot begin or end with '-'")
