"""Which target group of a forward action a request goes to: the client's own, where the action is sticky, or by weight.

Source: fact sheet 3.5. A client keeps its group only while that group has a weight; there is no failover between groups.
"""

from typing import NamedTuple

from lb.model import names
from lb.routing.weights import GroupChoice
from lb.targets.sealing import Sealer
from lb.targets.stickiness import Choice, group_cookie, token_of


class GroupPick(NamedTuple):
    """The ARN of the group, None where no group has a weight (503), and what the cookie said, None without stickiness."""

    arn: str | None
    choice: Choice[str] | None


class GroupPicker:
    """One forward action of one load balancer."""

    __slots__ = ("_action", "_arns", "_cookie", "_tokens")

    def __init__(self, action: GroupChoice, load_balancer_arn: str, sealer: Sealer) -> None:
        self._action = action
        duration_s = action.stickiness_s
        self._cookie = None if duration_s is None else group_cookie(sealer, load_balancer_arn, duration_s)
        self._tokens = {group.arn: token_of(names.target_group_label(group.arn)) for group in action.groups}
        self._arns = {token: arn for arn, token in self._tokens.items() if action.holds(arn)}

    def pick(self, block: bytes, wall_s: float, number: float) -> GroupPick:
        """`block` is the request's header block, `wall_s` epoch seconds, `number` a random number in [0, 1)."""
        if self._cookie is None:
            return GroupPick(self._action.pick(number), None)
        choice = self._cookie.choose(block, self._arns, wall_s)
        return GroupPick(choice.kept or self._action.pick(number), choice)

    def cookie_lines(self, arn: str, wall_s: float) -> bytes:
        """The Set-Cookie lines for the client, each with the CRLF before it; empty without stickiness."""
        if self._cookie is None:
            return b""
        return self._cookie.lines(self._tokens[arn], wall_s, secure=False)
