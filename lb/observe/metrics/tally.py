"""Finished requests -> which metrics each one raises (fact sheet 7.10 and 10). Pure; the only place that knows the rules.

A batch is first tallied by what its requests have in common, which costs about half a microsecond for each; the rules run
once for each distinct combination.

- A code of the target never counts as one of the load balancer's, nor the other way round.
- RequestCount: only requests for which a target was chosen.
- A redirect counts as HTTPCode_ELB_3XX too; a fixed response counts under its own metric only.
- 460 is a code of the load balancer's, although nothing was sent.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

from lb.http.head import RequestHead
from lb.http.record import Origin
from lb.model.metric_table import TABLE, Kind, Mark

COUNTERS: Final = {
    row.name: place
    for place, row in enumerate(row for row in TABLE if row.kind in (Kind.EACH_REQUEST, Kind.NODE_MINUTE, Kind.PEAK))
}
"""Metric name -> its place in an array of counters."""


class Finished(Protocol):
    """What is read of a `RequestRecord`."""

    origin: Origin
    client: str
    head: RequestHead | None
    tier: int
    target: str
    target_zone: str
    target_group_arn: str
    status: int
    target_status: int
    action: str
    marks: int
    rules_evaluated: int
    received_bytes: int
    sent_bytes: int
    sent_at: float
    responded_at: float


class Shape(NamedTuple):
    """What requests have in common that raise the same metrics."""

    load_balancer: str
    target_group_arn: str
    target_zone: str
    has_target: bool
    was_sent: bool
    status: int
    target_status: int
    action: str
    marks: int
    compliant: bool
    ipv6: bool


class Tally:
    """What adds up over requests of one shape."""

    __slots__ = ("processed_bytes", "requests", "rules", "times")

    def __init__(self) -> None:
        self.requests = 0
        self.processed_bytes = 0
        self.rules = 0
        self.times: list[float] = []


def tally(records: Iterable[Finished]) -> list[tuple[Shape, Tally]]:
    """Requests by shape."""
    tallies: dict[tuple[object, ...], Tally] = {}
    for record in records:
        head = record.head
        client = record.client
        target_status = record.target_status
        sent_at = record.sent_at
        # A plain tuple: making a Shape of each record would cost as much as all the rest.
        shape = (
            record.origin.load_balancer,
            record.target_group_arn,
            record.target_zone,
            record.target != "",
            sent_at > 0.0,
            record.status,
            target_status,
            record.action,
            record.marks,
            not (record.tier if head is None else head.tier),
            "[" in client and not client.startswith(_MAPPED_IPV4),
        )
        one = tallies.get(shape)
        if one is None:
            one = tallies[shape] = Tally()
        one.requests += 1
        one.processed_bytes += record.received_bytes + record.sent_bytes
        one.rules += record.rules_evaluated
        if target_status and sent_at:
            one.times.append(record.responded_at - sent_at)
    return [(Shape._make(shape), one) for shape, one in tallies.items()]


_MAPPED_IPV4: Final = "[::ffff:"
_REQUEST: Final = "RequestCount"
_REDIRECT_STATUSES: Final = (301, 302)
_MARKED: Final = (
    (Mark.NON_STICKY, "NonStickyRequestCount"),
    (Mark.FAIL_OPEN, "UnhealthyRoutingRequestCount"),
    (Mark.HEADERS_DROPPED, "DroppedInvalidHeaderRequestCount"),
    (Mark.HEADERS_FORWARDED, "ForwardedInvalidHeaderRequestCount"),
)
_NAMED_ELB_CODES: Final = (500, 502, 503, 504)
_NO_CONNECTION: Final = (502, 504)


def raised(shape: Shape) -> list[str]:
    """The names of the metrics that each request of this shape raises by one."""
    names = []
    if shape.has_target:
        names.append(_REQUEST)
    if shape.ipv6:
        names.append("IPv6RequestCount")
    if not shape.compliant:
        names.append("DesyncMitigationMode_NonCompliant_Request_Count")
    if shape.marks:
        names.extend(name for mark, name in _MARKED if shape.marks & mark)
    if shape.target_status:
        if 200 <= shape.target_status < 600:
            names.append(f"HTTPCode_Target_{shape.target_status // 100}XX_Count")
    else:
        names.extend(_own_answer(shape))
    return names


def _own_answer(shape: Shape) -> list[str]:
    """An answer that the load balancer made, or 460."""
    status = shape.status
    last_action = shape.action.rpartition(",")[2]
    if last_action == "fixed-response":
        return ["HTTP_Fixed_Response_Count"]
    names = []
    if 300 <= status < 600:
        names.append(f"HTTPCode_ELB_{status // 100}XX_Count")
    if status in _NAMED_ELB_CODES:
        names.append(f"HTTPCode_ELB_{status}_Count")
    if last_action == "redirect":
        if status in _REDIRECT_STATUSES:
            names.append("HTTP_Redirect_Count")
        elif status == 507:
            names.append("HTTP_Redirect_Url_Limit_Exceeded_Count")
    elif shape.has_target and not shape.was_sent and status in _NO_CONNECTION:
        names.append("TargetConnectionErrorCount")
    return names
