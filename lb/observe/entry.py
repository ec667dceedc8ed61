"""One access log entry, field by field in ALB's order (fact sheet 9.1 and 9.2). Pure."""

import re
import time
from typing import Final

from lb.http.desync import Tier
from lb.http.head import RequestHead
from lb.http.record import RequestRecord

_TEXT_LIMIT: Final = 8 * 1024  # of the URI and of the user agent
_HOSTS_REMEMBERED: Final = 1024
_HOST_REMEMBERED_BYTES: Final = 300
_TIERS: Final = ("-", "Acceptable", "Ambiguous", "Severe")
_UNSAFE: Final = re.compile(rb'[^\x20-\x7e]|"')
_NO_OUTCOME: Final = '"-" "-"'
_NO_TRANSFORMS: Final = '"-" "-" "-"'
_MILLISECONDS: Final = tuple(f"{number / 1000:.3f}" for number in range(1000))


class EntryFormatter:
    """Formats entries; remembers the last second and the hosts that it wrote out."""

    __slots__ = ("_hosts", "_second", "_second_text")

    def __init__(self) -> None:
        self._second = -1
        self._second_text = ""
        self._hosts: dict[tuple[bytes | None, int, str], str] = {}

    def format(self, record: RequestRecord) -> str:
        """The entry, with its line end."""
        head = record.head
        origin = record.origin
        if head is None:
            request = f"- http://{origin.dns_name}:{origin.port}- -"
            agent = "-"
            tier, reason = Tier(record.tier), record.reason
        else:
            uri = head.uri if len(head.uri) <= _TEXT_LIMIT else head.uri[:_TEXT_LIMIT]
            request = f"{_text(head.method)} {self._base(record, head)}{_text(uri)} HTTP/1.{head.minor}"
            agent = _text(head.user_agent[:_TEXT_LIMIT]) if head.user_agent else "-"
            tier, reason = head.tier, head.reason
        arrived, sent, responded, ended = record.arrived_at, record.sent_at, record.responded_at, record.ended_at
        created_s = record.created_s
        created = int(created_s)
        ended_s = created_s + ended - arrived
        ended_second = int(ended_s)
        created_date = self._date(created)
        ended_date = created_date if ended_second == created else self._date(ended_second)
        target = record.target or "-"
        target_status = record.target_status or "-"
        trace = _text(record.trace_id) if record.trace_id else "-"
        kind = record.kind
        priority = record.rule_priority
        outcome, transforms = _NO_OUTCOME, _NO_TRANSFORMS
        if record.redirect_url or record.error_reason:
            outcome = f'"{_text(record.redirect_url) or "-"}" "{record.error_reason or "-"}"'
        if record.transform_status:
            host, new_uri = _text(record.transformed_host), _text(record.transformed_uri[:_TEXT_LIMIT])
            transforms = f'"{host or "-"}" "{new_uri or "-"}" "{record.transform_status}"'
        # A WebSocket connection goes on for long after the target's response has been passed on.
        passed_on = ended if kind == "http" else responded
        return (
            f"{kind} {ended_date}.{int((ended_s - ended_second) * 1_000_000):06d}Z {origin.load_balancer} "
            f"{record.client} {target} {_seconds(sent - arrived) if sent else '-1'} "
            f"{_seconds(responded - sent) if responded else '-1'} "
            f"{_seconds(passed_on - responded) if record.target_status else '-1'} "
            f"{record.status} {target_status} {record.received_bytes} {record.sent_bytes} "
            f'"{request}" "{agent}" - - {record.target_group_arn or "-"} "{trace}" "-" "-" '
            f"{'-' if priority is None else priority} {created_date}.{int((created_s - created) * 1000):03d}000Z "
            f'"{record.action or "-"}" {outcome} "{target}" "{target_status}" "{_TIERS[tier]}" "{reason or "-"}" '
            f"{record.connection_id} {transforms}\n"
        )

    def _date(self, second: int) -> str:
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return self._second_text

    def _base(self, record: RequestRecord, head: RequestHead) -> str:
        """`http://HOST:PORT`; the port is the listener's, whatever the client wrote."""
        authority = head.authority or head.host
        origin = record.origin
        known = self._hosts.get((authority, origin.port, origin.dns_name))
        if known is None:
            if len(self._hosts) >= _HOSTS_REMEMBERED:
                self._hosts.clear()
            name = origin.dns_name
            if authority:
                before, colon, after = authority.rpartition(b":")
                name = _text(before if colon and (after.isdigit() or not after) else authority)
            known = f"http://{name}:{origin.port}"
            if len(known) <= _HOST_REMEMBERED_BYTES:
                self._hosts[authority, origin.port, origin.dns_name] = known
        return known


def _seconds(duration_s: float) -> str:
    """Three decimals, cut off rather than rounded: a clock of milliseconds would have said the same."""
    number = int(duration_s * 1000)
    return _MILLISECONDS[number] if 0 <= number < 1000 else f"{number / 1000:.3f}"


def _text(value: bytes) -> str:
    """Text that is safe between double quotes on one line."""
    if value.isascii():
        text = str(value, "ascii")
        if '"' not in text and text.isprintable():
            return text
    return _UNSAFE.sub(lambda found: b"\\x%02x" % found[0][0], value).decode("ascii")
