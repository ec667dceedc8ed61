"""Why a target is in its state and what to do about it: a code, and plain words. Pure."""

from dataclasses import dataclass
from typing import Final

from lb.model.config import HealthCheck
from lb.model.reasons import TargetState
from lb.model.said import Said
from lb.routing.plan import Endpoint
from lb.targets.health import Health, ProbeOutcome, ProbeResult

Value = str | int | float

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "not-in-use": (
        "Nothing is checked: no listener forwards to the target group, or the target's Availability Zone is not enabled.",
        "Let a listener's rule forward to the target group, or enable the zone.",
    ),
    "draining": (
        "The target was deregistered: it finishes the requests that it has and gets no new ones.",
        "Wait for the deregistration delay; register the target again to keep it.",
    ),
    "first-probe": (
        "The target was registered a moment ago and no health check has ended yet.",
        "Wait for the first health check.",
    ),
    "first-failures": (
        "The first health checks fail ({detail}).",
        "Look at the last probe: the target becomes unhealthy unless one passes soon.",
    ),
    "healthy": ("The last health check passed.", "Nothing to do."),
    "failing": (
        "The last health check failed ({detail}); after {left} more in a row the target is unhealthy.",
        "Look at the last probe: something has just changed on the target.",
    ),
    "recovering": (
        "The last health check passed; after {left} more in a row the target is healthy.",
        "Wait; a shorter interval or a lower healthy threshold makes this quicker.",
    ),
    "directory-path": (
        "{path} looks like a directory on the disk. As a URL path it is not there: the server answers {status}.",
        "Set the health check path to / or /health.php.",
    ),
    "redirect": (
        "The target answers {path} with a redirect ({status}), which health checks do not follow.",
        "Point the health check path at the final address, or add {status} to the success codes.",
    ),
    "needs-login": (
        "The target refuses {path} with {status}: the page wants a login, or its server may not read it.",
        "Choose a health check path that needs no login.",
    ),
    "not-found": (
        "The target has no page {path}: it answers {status}.",
        "Set the health check path to a page that exists, such as /.",
    ),
    "server-error": (
        "The target answers {path} with {status}: its application fails.",
        "Look into the target's error log.",
    ),
    "other-code": (
        "The target answers {path} with {status}; success is {expected}.",
        "Change the path, or the success codes of the health check.",
    ),
    "security-group": (
        "No security group of the target lets the load balancer in on port {port}: the packets are dropped.",
        "Allow the port from the load balancer's security group in an inbound rule of the target's.",
    ),
    "timeout": (
        "Port {port} gives no answer within {timeout_s} s: a firewall drops the packets, or the page is too slow.",
        "Check firewall and security group, ask for the page from this machine, or raise the timeout.",
    ),
    "unknown-name": (
        "The name {name} does not resolve.",
        "Correct the name, or start the container that has it.",
    ),
    "no-connection": (
        "There is no connection to {address}: {detail}.",
        "Start the web server, and check address and port of the target.",
    ),
    "no-answer": (
        "{address} takes connections, but what comes is no valid HTTP answer: {detail}.",
        "Check that the port speaks plain HTTP/1 and that the server does not crash.",
    ),
}
"""By code: why, and what to do. The braces are filled with the values."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A code of SENTENCES, and the values in its sentences."""

    code: str
    values: dict[str, Value]

    @property
    def why(self) -> Said:
        """What is the matter."""
        return Said(SENTENCES[self.code][0], self.values)

    @property
    def to_do(self) -> Said:
        """What to do about it."""
        return Said(SENTENCES[self.code][1], self.values)


def advise(
    health: Health, last: ProbeResult | None, endpoint: Endpoint, check: HealthCheck, host: str | None
) -> Advice:
    """`health` is the checker's, or the roster's of a target that is not checked; `host` is where the last probe went."""
    if health.state is TargetState.UNUSED:
        return Advice("not-in-use", {})
    if health.state is TargetState.DRAINING:
        return Advice("draining", {})
    if last is None:
        return Advice("first-probe", {})
    passed = last.outcome is ProbeOutcome.PASSED
    if health.state is TargetState.INITIAL:
        return Advice("first-failures", {"detail": last.detail})
    if health.state is TargetState.HEALTHY:
        left = check.unhealthy_threshold - health.failures
        return Advice("healthy", {}) if passed else Advice("failing", {"detail": last.detail, "left": left})
    if passed:
        return Advice("recovering", {"left": check.healthy_threshold - health.passes})
    if last.outcome is ProbeOutcome.CODE_MISMATCH and last.status is not None:
        return _of_status(last.status, check)
    return _of_silence(last, endpoint, check, host)


def _of_status(status: int, check: HealthCheck) -> Advice:
    values: dict[str, Value] = {"path": check.path, "status": status}
    if check.asks_for_a_directory and status in (403, 404):
        return Advice("directory-path", values)
    if 300 <= status < 400:
        return Advice("redirect", values)
    if status in (401, 403):
        return Advice("needs-login", values)
    if status == 404:
        return Advice("not-found", values)
    if status >= 500:
        return Advice("server-error", values)
    return Advice("other-code", {**values, "expected": check.matcher.text})


def _of_silence(last: ProbeResult, endpoint: Endpoint, check: HealthCheck, host: str | None) -> Advice:
    port = check.port or endpoint.target.port
    if last.outcome is ProbeOutcome.TIMED_OUT:
        if endpoint.target.blocked:
            return Advice("security-group", {"port": port})
        return Advice("timeout", {"port": port, "timeout_s": f"{check.timeout_s:g}"})
    if host is None:
        return Advice("unknown-name", {"name": endpoint.target.id})
    kind, _, detail = last.detail.partition(": ")
    return Advice("no-connection" if kind == "no connection" else "no-answer", {"address": host, "detail": detail})
