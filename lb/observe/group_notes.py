"""What should be known about a target group now: a code, and plain words. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lb.model.config import HealthCheck
from lb.model.reasons import TargetState
from lb.model.said import Said, Words
from lb.targets.zone_health import ZoneHealth

Json = dict[str, Any]

SENTENCES: Final[dict[str, str]] = {
    "fail-open": (
        "No target is healthy, so the load balancer fails open: it sends requests to all of them, as if they were."
    ),
    "no-target": "No target can get requests: the load balancer answers 503.",
    "directory-path": (
        "The health check path {path} looks like a directory on the server's disk. It is a URL path: "
        "the server looks for it below its document root and answers 404. Set it to / or /health.php."
    ),
    "redirect": (
        "The health check is answered with a redirect ({statuses}), which is not followed. "
        "Point the path at the final address, or add the code to the matcher."
    ),
    "out-of-dns": (
        "Only {healthy} of {registered} targets that {zone} can use are healthy, too few for "
        "target_group_health.dns_failover: ALB's DNS name would leave out this zone's address. Here it goes on serving."
    ),
}
"""By code; the braces are filled with the values."""


@dataclass(frozen=True, slots=True)
class Note:
    """A code of SENTENCES, and the values in its sentence."""

    code: str
    values: dict[str, str]

    def shown(self, words: Words) -> Json:
        """As JSON values, with the sentence in the language of `words`."""
        return {
            "code": self.code,
            "values": self.values,
            "text": Said(SENTENCES[self.code], self.values).to(words),
        }


def group_notes(
    check: HealthCheck,
    targets: Sequence[Json],
    zones: Sequence[ZoneHealth],
    out_of_dns: Collection[str],
    *,
    fail_open: bool,
) -> Iterator[Note]:
    """Of a group that is in use. `targets` are those of its status, `out_of_dns` zones that ALB's DNS would leave out."""
    if fail_open and any(target["state"] == TargetState.UNHEALTHY for target in targets):
        yield Note("fail-open", {})
    elif not any(target["state"] not in (TargetState.DRAINING, TargetState.UNUSED) for target in targets):
        yield Note("no-target", {})
    if check.asks_for_a_directory and any(_failed_with(target, (403, 404)) for target in targets):
        yield Note("directory-path", {"path": check.path})
    elif redirects := sorted({status for target in targets if (status := _failed_with(target, range(300, 400)))}):
        yield Note("redirect", {"statuses": ", ".join(map(str, redirects))})
    for state in zones:
        if state.zone in out_of_dns and not state.dns_healthy:
            yield Note(
                "out-of-dns", {"healthy": str(state.healthy), "registered": str(state.registered), "zone": state.zone}
            )


def _failed_with(target: Json, codes: range | tuple[int, ...]) -> int:
    probe = target["last_probe"]
    return probe["status"] if probe and not probe["passed"] and probe["status"] in codes else 0
