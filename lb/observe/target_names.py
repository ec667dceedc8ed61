"""What is registered where requests went: id and port of a target by the address that it has. Pure."""

from lb.routing.plan import Plan


class TargetNames:
    """The targets of the plan that was published last."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], tuple[str, int]] = {}

    def publish(self, plan: Plan) -> None:
        """Takes over the targets of a plan."""
        self._names = {
            (group.arn, endpoint.key): (endpoint.target.id, endpoint.target.port)
            for group in plan.groups
            for endpoint in group.endpoints
        }

    def of(self, target_group_arn: str, target: str) -> tuple[str, int]:
        """Id and port of `address:port`; address and port themselves where it is not registered any more."""
        known = self._names.get((target_group_arn, target))
        if known is not None:
            return known
        host, _, port = target.rpartition(":")
        return host.strip("[]"), int(port)
