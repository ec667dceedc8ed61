"""A finished request as the console shows it in its list: plain JSON values (docs/local-api.md). Pure."""

from typing import Any, Final

from lb.http.record import RequestRecord
from lb.observe.cause import cause
from lb.observe.target_names import TargetNames

Json = dict[str, Any]
LONGEST_PATH: Final = 200
CUT: Final = "cut"


def view(record: RequestRecord, names: TargetNames) -> Json:
    """One request, with all the fields that docs/local-api.md names."""
    head = record.head
    request_s, target_s, response_s = record.processing_times_s
    ended = outcome(record)
    return {
        "trace_id": record.trace_id.decode("latin-1") or None,
        "connection_id": record.connection_id,
        "at_s": record.created_s,
        "client": record.client,
        "type": record.kind,
        "method": head.method.decode("latin-1") if head is not None else None,
        "host": host_of(record),
        "path": _shortened(head.uri.decode("latin-1")) if head is not None else None,
        **place(record.origin.load_balancer, record.origin.port, record.rule_priority),
        **target(record.target_group_arn, record.target, names),
        "status": record.status,
        "target_status": record.target_status or None,
        "outcome": ended,
        "by": by(record.target_status != 0),
        "request_ms": _ms(request_s),
        "target_ms": _ms(target_s),
        "response_ms": _ms(response_s),
        "total_ms": round((record.ended_at - record.arrived_at) * 1000, 3),
        "actions": record.action or None,
        "error_reason": record.error_reason or None,
        "error": cause(record) if is_own_error(record, ended) else None,
    }


def place(load_balancer: str, port: int, rule_priority: int | None) -> Json:
    """Where a request came in and which rule decided."""
    rule = "default" if rule_priority == 0 else rule_priority
    return {"load_balancer": load_balancer, "port": port, "rule": rule}


def target(target_group_arn: str, key: str, names: TargetNames) -> Json:
    """Where a request went; nulls where it went nowhere."""
    id_, port = names.of(target_group_arn, key) if key else (None, None)
    return {"target_group": target_group_arn or None, "target": key or None, "target_id": id_, "target_port": port}


def outcome(record: RequestRecord) -> str:
    """`2xx` and its like, or `cut` where a client lost an answer that had begun."""
    return outcome_of(0 if record.cut else record.status // 100)


def outcome_of(kind: int) -> str:
    """`2xx` for 2 and so on; `cut` for 0."""
    return f"{kind}xx" if kind else CUT


def by(by_target: bool) -> str:
    """Who answered."""
    return "target" if by_target else "balancer"


def is_error(record: RequestRecord) -> bool:
    """4xx, 5xx, and answers that were cut."""
    return record.status >= 400 or record.cut


def is_own_error(record: RequestRecord, ended: str) -> bool:
    """Whether the balancer itself made the error; `ended` is the outcome."""
    return ended == CUT or (record.status >= 400 and not record.target_status)


def host_of(record: RequestRecord) -> str | None:
    """What was asked for: the load balancer's own name where the request names none, None where it was not readable."""
    head = record.head
    if head is None:
        return None
    found = head.authority or head.host
    return found.decode("latin-1") if found else record.origin.dns_name


def _ms(seconds: float) -> float | None:
    return None if seconds < 0 else round(seconds * 1000, 3)


def _shortened(path: str) -> str:
    return path if len(path) <= LONGEST_PATH else path[: LONGEST_PATH - 1] + "…"
