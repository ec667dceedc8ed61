"""Which target group of a forward action a request goes to, by weight.

A group's share is its weight over the sum of weights; a group of weight 0 gets nothing, and a group without usable targets
keeps its share: there is no failover between groups (fact sheet 3.5).
"""

from bisect import bisect_right
from itertools import accumulate

from lb.model.rules import Forward, WeightedGroup
from lb.model.said import Said, said


class GroupChoice:
    """A forward action, ready for requests. `stickiness_s` is None where clients do not keep their group."""

    __slots__ = ("_bounds", "_weighted", "groups", "stickiness_s", "total")

    def __init__(self, action: Forward) -> None:
        self.groups: tuple[WeightedGroup, ...] = action.target_groups
        self.stickiness_s = action.stickiness_s
        self._weighted = tuple(group for group in self.groups if group.weight > 0)
        self._bounds = tuple(accumulate(group.weight for group in self._weighted))
        self.total = self._bounds[-1] if self._bounds else 0

    def pick(self, number: float) -> str | None:
        """The ARN of the group for a random number in [0, 1); None where all weights are 0 (answer 503)."""
        group = self._group(number)
        return None if group is None else group.arn

    def holds(self, arn: str) -> bool:
        """Whether a client that was sent to this group before may go there still: not once its weight is 0."""
        return any(group.arn == arn for group in self._weighted)

    def explain(self, number: float) -> Said:
        """Why `pick` says what it says."""
        group = self._group(number)
        if group is None:
            return said("all weights are 0: no target group gets any traffic")
        if len(self.groups) == 1:
            return said("the only target group of the action")
        shares = ", ".join(f"{_name(each)} {each.weight}" for each in self.groups)
        return said(
            "{group} by weight ({shares}): {share:.3g}% of requests; the random number was {number:.4f}",
            group=_name(group),
            shares=shares,
            share=100 * group.weight / self.total,
            number=number,
        )

    def _group(self, number: float) -> WeightedGroup | None:
        if len(self._weighted) > 1:
            # The product of a number below 1 never rounds up to the total.
            return self._weighted[bisect_right(self._bounds, number * self.total)]
        return self._weighted[0] if self._weighted else None


def _name(group: WeightedGroup) -> str:
    """The name in a target group's ARN, or what stands there instead."""
    parts = group.arn.split("/")
    return parts[1] if len(parts) == 3 else group.arn
