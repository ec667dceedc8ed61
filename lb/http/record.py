"""What is known of one request when it is over, and of one connection: the source of log entries and counters."""

from dataclasses import dataclass
from typing import NamedTuple

from lb.http.head import RequestHead


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
