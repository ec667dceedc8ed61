"""A listener at work: its plan, and what is made of it once for all requests."""

from lb.http.head import without
from lb.proxy.node import SWEEP_S, Node
from lb.routing.plan import ListenerPlan
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPicker


class ActiveListener:
    """`plan` is swapped whole when the configuration changes."""

    def __init__(self, node: Node, plan: ListenerPlan) -> None:
        self._node = node
        self.connections = node.recorder.connections(plan.origin.load_balancer)
        self.adopt(plan)

    def adopt(self, plan: ListenerPlan) -> None:
        """Takes over a plan for the requests to come."""
        self.plan = plan
        self.idle_sweeps = plan.idle_timeout_s / SWEEP_S
        # Only actions with a choice to make: a single group needs no dice and no cookie.
        self.pickers = {
            rule.action: GroupPicker(rule.action, plan.load_balancer_arn, self._node.sealer)
            for rule in (*plan.rules.rules, plan.rules.default)
            if isinstance(rule.action, GroupChoice) and (len(rule.action.groups) > 1 or rule.action.stickiness_s)
        }
        self._set_headers = b"".join(b"\r\n%b: %b" % header for header in plan.response_headers)
        self._set_names = frozenset(name.lower() for name, _ in plan.response_headers)

    def with_set_headers(self, rest: bytes) -> bytes:
        """The headers of a target's answer with those that the listener's attributes set on every answer."""
        return without(rest, self._set_names) + self._set_headers if self._set_headers else rest

    def own_answer(self, answer: bytes) -> bytes:
        """An answer of the balancer's own, likewise."""
        if not self._set_headers:
            return answer
        head, blank, body = answer.partition(b"\r\n\r\n")
        return head + self._set_headers + blank + body
