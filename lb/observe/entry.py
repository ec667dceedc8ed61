"""One access log entry, field by field in ALB's order (fact sheet 9.1 and 9.2). Pure."""

import time
from typing import Final

from lb.http.desync import Tier
from lb.http.record import RequestRecord

_URI_LIMIT: Final = 8 * 1024
_TIERS: Final = {
    Tier.COMPLIANT: "-",
    Tier.ACCEPTABLE: "Acceptable",
    Tier.AMBIGUOUS: "Ambiguous",
    Tier.SEVERE: "Severe",
}


class EntryFormatter:
    """Formats entries; remembers the last second that it wrote out."""

    __slots__ = ("_second", "_second_text")

    def __init__(self) -> None:
        self._second = -1
        self._second_text = ""

    def format(self, record: RequestRecord) -> str:
        """The entry, with its line end."""
        head = record.head
        arrived, sent, responded = record.arrived_at, record.sent_at, record.responded_at
        created_s = record.created_s
        target = record.target or "-"
        target_status = record.target_status or "-"
        if head is None:
            request = f"- http://{record.origin.dns_name}:{record.origin.port}- -"
            agent = "-"
            tier, reason = record.tier, record.reason
        else:
            request = _request(record)
            agent = _quoted(head.value(b"user-agent") or b"-")
            tier, reason = head.tier, head.reason
        client, port = record.client
        return (
            f"http {self._instant(created_s + record.ended_at - arrived)} {record.origin.load_balancer} "
            f"{f'[{client}]' if ':' in client else client}:{port} {target} "
            f"{f'{sent - arrived:.3f}' if sent else '-1'} "
            f"{f'{responded - sent:.3f}' if responded else '-1'} "
            f"{f'{record.ended_at - responded:.3f}' if record.target_status else '-1'} "
            f"{record.status} {target_status} {record.received_bytes} {record.sent_bytes} "
            f'"{request}" "{agent}" - - {record.target_group_arn or "-"} "{_quoted(record.trace_id or b"-")}" "-" "-" '
            f'{"0" if record.action else "-"} {self._milliseconds(created_s)} "{record.action or "-"}" "-" "-" '
            f'"{target}" "{target_status}" "{_TIERS[Tier(tier)] if tier else "-"}" "{reason or "-"}" '
            f'{record.connection_id} "-" "-" "-"\n'
        )

    def _instant(self, epoch_s: float) -> str:
        second = int(epoch_s)
        return f"{self._text(second)}.{int((epoch_s - second) * 1_000_000):06d}Z"

    def _milliseconds(self, epoch_s: float) -> str:
        second = int(epoch_s)
        return f"{self._text(second)}.{int((epoch_s - second) * 1000):03d}000Z"

    def _text(self, second: int) -> str:
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return self._second_text


def _request(record: RequestRecord) -> str:
    head = record.head
    assert head is not None
    authority = head.authority or head.host
    if authority is None:
        host = record.origin.dns_name
    else:
        name, colon, port = authority.rpartition(b":")
        host = _quoted(name if colon and port.isdigit() else authority)
    uri = _quoted(head.uri[:_URI_LIMIT])
    return (
        f"{head.method.decode('ascii', 'backslashreplace')} http://{host}:{record.origin.port}{uri} HTTP/1.{head.minor}"
    )


def _quoted(value: bytes) -> str:
    """Text that is safe between double quotes on one line."""
    text = value.decode("ascii", "backslashreplace")
    if '"' in text:
        text = text.replace('"', "\\x22")
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
