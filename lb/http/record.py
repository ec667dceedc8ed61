"""What is known of one request when it is over: the source of access log entries and counters."""

from dataclasses import dataclass

from lb.http.head import RequestHead


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests of one listener come in, in the forms that logs and metrics use."""

    load_balancer: str  # app/NAME/ID
    dns_name: str
    port: int


class RequestRecord:
    """One request, finished. Instants `*_at` are monotonic seconds, 0.0 where the moment never came."""

    __slots__ = (
        "action",  # `forward`, or empty where no action ran
        "arrived_at",
        "client",  # ip:port
        "connection_id",  # TID_...
        "created_s",  # wall clock, epoch seconds
        "ended_at",
        "head",  # None where the request was not readable
        "origin",
        "reason",  # desync classification reason, empty where compliant
        "received_bytes",
        "responded_at",  # the target's response head was there, or the target had closed the connection
        "sent_at",  # the request was on its way to the target
        "sent_bytes",
        "status",  # what the balancer answered, or logs in its place (460)
        "target",  # ip:port, empty where none was chosen
        "target_group_arn",
        "target_status",  # 0 where the target gave none
        "tier",
        "trace_id",
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
