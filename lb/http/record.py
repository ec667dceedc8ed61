"""What is known of one request when it is over, and of one connection: the source of log entries and counters."""

from dataclasses import dataclass
from typing import NamedTuple

from lb.http.head import RequestHead
from lb.http.outcomes import Failure, Moment


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests of one listener come in, in the forms that logs and metrics use."""

    load_balancer: str  # app/NAME/ID
    dns_name: str
    port: int


class ConnectionRecord(NamedTuple):
    """A client's connection to a listener, made at `made_s` (wall clock, epoch seconds)."""

    origin: Origin
    made_s: float
    client_ip: str
    client_port: int
    connection_id: str  # TID_...


class Trouble(NamedTuple):
    """How a request failed on its way; one that was answered, by whomever, has none."""

    failure: Failure
    moment: Moment
    request_complete: bool  # all of the request's body had come
    sent_at: float  # as in the record, which has 0.0 for a client that left (fact sheet 9.2)
    idle_s: float | None  # how long its connection to the target had been idle, by quarters; None: a new one or none
    answer_bytes: int  # what had come of the target's response head
    idle_timeout_s: int  # the load balancer's

    @property
    def cut(self) -> bool:
        """Whether a client that was still there lost its answer half-way."""
        return self.moment is Moment.ANSWERING and self.failure is not Failure.CLIENT_GONE


class RequestRecord:
    """One request, finished. Instants `*_at` are monotonic seconds, 0.0 where the moment never came."""

    __slots__ = (
        "action",  # what ran, in order: `forward`, `redirect`, `fixed-response`, `rewrite,forward`; empty for nothing
        "arrived_at",
        "client",  # ip:port
        "connection_id",  # TID_...
        "created_s",  # wall clock, epoch seconds
        "ended_at",
        "error_reason",  # why an action failed, such as AWSALBTGCookieInvalid
        "head",  # None where the request was not readable
        "kind",  # `http`, or `ws` once the target has switched protocols
        "marks",  # bits of lb.model.metric_table.Mark
        "origin",
        "reason",  # desync classification reason, empty where compliant
        "received_bytes",
        "redirect_url",  # the Location that was sent
        "responded_at",  # the target's response head was there, or the target had closed the connection
        "rule_priority",  # of the rule that decided: 0 the default rule, -1 evaluation failed, None no rule was asked
        "rules_evaluated",  # default rules not counted
        "sent_at",  # the request was on its way to the target
        "sent_bytes",
        "status",  # what the balancer answered, or logs in its place (460)
        "target",  # ip:port, empty where none was chosen
        "target_group_arn",
        "target_status",  # 0 where the target gave none
        "target_zone",  # empty where the target has none
        "tier",
        "trace_id",
        "transform_status",  # empty where the rule has no transforms
        "transformed_host",
        "transformed_uri",
        "trouble",  # None where nothing failed
    )

    def __init__(
        self,
        origin: Origin,
        client: str,
        connection_id: str,
        head: RequestHead | None,
        created_s: float,
        arrived_at: float,
    ) -> None:
        self.origin = origin
        self.client = client
        self.connection_id = connection_id
        self.head = head
        self.created_s = created_s
        self.arrived_at = arrived_at
        self.ended_at = arrived_at
        self.sent_at = 0.0
        self.responded_at = 0.0
        self.status = 0
        self.target_status = 0
        self.target = ""
        self.target_group_arn = ""
        self.trace_id = b""
        self.action = ""
        self.received_bytes = 0
        self.sent_bytes = 0
        self.tier = 0
        self.reason = ""
        self.kind = "http"
        self.rule_priority: int | None = None
        self.rules_evaluated = 0
        self.marks = 0
        self.target_zone = ""
        self.redirect_url = b""
        self.error_reason = ""
        self.transformed_host = b""
        self.transformed_uri = b""
        self.transform_status = ""
        self.trouble: Trouble | None = None

    @property
    def cut(self) -> bool:
        """Whether a client that was still there lost its answer half-way."""
        return self.trouble is not None and self.trouble.cut

    @property
    def processing_times_s(self) -> tuple[float, float, float]:
        """Request, target and response processing time as access logs have them, -1 where one never came (fact sheet 9.2)."""
        # A WebSocket connection goes on for long after the target's response has been passed on.
        passed_on = self.ended_at if self.kind == "http" else self.responded_at
        return (
            _milliseconds(self.sent_at - self.arrived_at) if self.sent_at else -1,
            _milliseconds(self.responded_at - self.sent_at) if self.responded_at else -1,
            _milliseconds(passed_on - self.responded_at) if self.target_status else -1,
        )


def _milliseconds(duration_s: float) -> float:
    """Three decimals, cut off rather than rounded, as the log has them."""
    return int(duration_s * 1000) / 1000
