"""One request from its head to its record: the one object that knows how far things have come.

Forward only: the client connection starts it, the target connection feeds it, and it ends exactly once, in `_finish`.
"""

from asyncio import Transport
from time import monotonic
from typing import TYPE_CHECKING, Final

from lb.http import body, forwarded, pages, response, trace
from lb.http.body import BodyError, BodyReader, ChunkedBody, LengthBody, UntilCloseBody
from lb.http.desync import Tier
from lb.http.head import Rejected, RequestHead
from lb.http.outcomes import CUT, Failure, Moment, status_of
from lb.http.record import RequestRecord
from lb.http.response import BadResponse, ResponseHead
from lb.routing.decide import Reply, decide
from lb.routing.plan import ListenerPlan
from lb.targets.roster import Roster, Slot

if TYPE_CHECKING:
    from lb.proxy.client import ClientConnection
    from lb.proxy.target import TargetConnection

_KEEP_ALIVE: Final = b"\r\nConnection: keep-alive"
_CLOSE: Final = b"\r\nConnection: close"


class Exchange:
    """A request, its target and its answer."""

    __slots__ = (
        "_encode",  # the answer's body goes out in chunks that are made here
        "_keep_client",
        "_response_body",
        "_response_keep_alive",
        "_response_part",  # a response head that is not complete yet
        "_roster",
        "_transport",  # the client's
        "_unsent",  # what waits for the connection to the target
        "client",
        "head",
        "moment",
        "over",
        "plan",
        "record",
        "request_body",  # None where there is none, or no more
        "slot",  # the target in its roster, None before one was picked
        "target",
    )

    def __init__(self, client: "ClientConnection", plan: ListenerPlan, head: RequestHead, created_s: float) -> None:
        self.client = client
        self.plan = plan
        self.head = head
        self._transport: Transport = client.transport
        self.record = RequestRecord(plan.origin, client.name, client.connection_id, head, created_s, monotonic())
        self.moment = Moment.CONNECTING
        self.over = False
        self.target: TargetConnection | None = None
        self.request_body: BodyReader | None = None
        self._roster: Roster | None = None
        self.slot: Slot | None = None
        self._keep_client = False
        self._response_body: BodyReader | None = None
        self._response_part = b""
        self._unsent = b""

    def start(self, first: bytes) -> bytes:
        """Decides where the request goes and sends it on its way.

        `first` is what came behind the head; what does not belong to this request is returned.
        """
        head = self.head
        record = self.record
        record.received_bytes = head.size
        leftover = first
        sent = b""
        if head.content_length > 0 or head.chunked:
            self.request_body = ChunkedBody() if head.chunked else LengthBody(head.content_length)
            try:
                sent, leftover = self._request_bytes(first)
            except BodyError:
                self.fail(Failure.BAD_BODY)
                return b""
        decision = decide(self.plan, head)
        if isinstance(decision, Reply):
            self.answer(decision.status)
            return leftover
        record.action = "forward"
        record.target_group_arn = decision.target_group_arn
        node = self.client.node
        roster = node.rosters[decision.target_group_arn]
        record.trace_id = trace_id = trace.trace_id(head.trace_id, int(record.created_s), node.entropy.next24())
        try:
            added = self.client.added_headers(head)
        except Rejected as refusal:
            self.answer(refusal.status)
            return leftover
        self.slot = slot = roster.pick()
        if slot is None:
            self.answer(503)
            return leftover
        self._roster = roster
        record.target = slot.key
        message = forwarded.to_target(head, added, trace_id)
        if head.expect_continue and head.minor == 1:
            self._transport.write(pages.CONTINUE)
        pool = node.pools[slot]
        connection = pool.take()
        if connection is None:
            self._unsent = message + sent
            node.connect(self, pool)
        else:
            self._send(connection, message + sent)
        return leftover

    def connected(self, connection: "TargetConnection") -> None:
        """The new connection to the target is there; nothing has been sent on it yet."""
        waiting = self._unsent
        self._unsent = b""
        self.client.resume_reading()
        self._send(connection, waiting)

    def _send(self, connection: "TargetConnection", data: bytes) -> None:
        self.target = connection
        connection.exchange = self
        self.moment = Moment.SENT
        self.record.sent_at = monotonic()
        connection.transport.write(data)

    def request_data(self, data: bytes) -> bytes:
        """More of the request's body; returns what does not belong to it."""
        try:
            passed, leftover = self._request_bytes(data)
        except BodyError:
            self.fail(Failure.BAD_BODY)
            return b""
        if self.target is not None:
            self.target.transport.write(passed)
        else:
            # The connection to the target is not there yet: hold what came, and ask for no more.
            self._unsent += passed
            self.client.pause_reading()
        return leftover

    def _request_bytes(self, data: bytes) -> tuple[bytes, bytes]:
        """What of `data` goes on to the target, and what is behind the body. Raises BodyError."""
        reader = self.request_body
        assert reader is not None
        passed = reader.feed(data)
        leftover = b""
        if reader.done:
            leftover = reader.leftover
            self.request_body = None
        self.record.received_bytes += len(data) - len(leftover)
        return passed, leftover

    def target_data(self, data: bytes) -> None:
        """Bytes from the target."""
        self.client.quiet = 0
        if self._response_body is not None:
            self._pass_on(b"", data)
            return
        if self._response_part:
            data = self._response_part + data
        try:
            head = self.client.node.responses.read(data)
            while head is not None and head.status < 200:
                # Interim answers stay here; an upgrade was not asked for (fact sheet 7.1).
                if head.status == 101:
                    self.fail(Failure.BAD_RESPONSE)
                    return
                data = data[head.size :]
                head = self.client.node.responses.read(data)
        except BadResponse:
            self.fail(Failure.BAD_RESPONSE)
            return
        if head is None:
            self._response_part = data
            return
        self._respond(head, data[head.size :] if len(data) > head.size else b"")

    def _respond(self, head: ResponseHead, rest: bytes) -> None:
        record = self.record
        record.responded_at = monotonic()
        record.target_status = record.status = head.status
        request = self.head
        client = self.client
        line, self._response_body, self._encode, bounded = response.frame(
            head, head_only=request.method == b"HEAD", modern=request.minor == 1
        )
        self._keep_client = keep = (
            bounded
            and self.request_body is None
            and request.tier < Tier.AMBIGUOUS
            and not client.closing_soon
            and request.keep_alive
        )
        self._response_keep_alive = head.keep_alive
        out = response.to_client(head, line, _KEEP_ALIVE if keep else _CLOSE, client.node.date_line)
        self._pass_on(out, rest)

    def _pass_on(self, out: bytes, data: bytes) -> None:
        """Sends `out` and what of `data` belongs to the answer's body, in one write."""
        reader = self._response_body
        assert reader is not None
        if data:
            try:
                passed = reader.feed(data)
            except BodyError:
                self.fail(Failure.BAD_RESPONSE)
                return
            if passed:
                out += body.encode_chunk(passed) if self._encode else passed
        if out:
            self.moment = Moment.ANSWERING
            self.record.sent_bytes += len(out)
            self._transport.write(out)
        if reader.done:
            self._finish(reusable=self._response_keep_alive and not reader.leftover)

    def target_closed(self, *, clean: bool) -> None:
        """The target closed the connection, or it broke: then nobody knows what is missing (RFC 9112 8)."""
        if clean and isinstance(self._response_body, UntilCloseBody):
            if self._encode:
                self._transport.write(body.LAST_CHUNK)
                self.record.sent_bytes += len(body.LAST_CHUNK)
            self._finish(reusable=False)
        else:
            self.fail(Failure.TARGET_CLOSED)

    def timed_out(self) -> None:
        """No byte went either way for the idle timeout."""
        self.fail(Failure.TARGET_SILENT)

    def fail(self, failure: Failure) -> None:
        """Ends the exchange with what the failure becomes at this moment."""
        if self.over:
            return
        status = status_of(failure, self.moment, request_complete=self.request_body is None)
        record = self.record
        if status == CUT:
            self._keep_client = False
            self.client.cut()
            self._finish(reusable=False)
        elif failure is Failure.CLIENT_GONE:
            record.status = status
            record.sent_at = 0.0
            self._finish(reusable=False)
        else:
            record.target_status = 0
            if record.sent_at and failure is not Failure.TARGET_SILENT:
                record.responded_at = monotonic()
            self.answer(status)

    def answer(self, status: int) -> None:
        """Ends the exchange with an answer of the balancer's own."""
        head = self.head
        # What is left of a request that was not read to its end would be taken for the next one.
        complete = self.request_body is None
        keep = (
            complete
            and status != 400
            and head.keep_alive
            and head.tier < Tier.AMBIGUOUS
            and not self.client.closing_soon
        )
        out = pages.answer(
            status,
            self.client.node.date,
            keep_alive=keep,
            head_only=head.method == b"HEAD",
            user_agent=head.user_agent,
            server=self.plan.server_header,
        )
        self.record.status = status
        self.record.sent_bytes = len(out)
        self._keep_client = keep
        self._transport.write(out)
        self._finish(reusable=False)

    def _finish(self, *, reusable: bool) -> None:
        self.over = True
        record = self.record
        record.ended_at = monotonic()
        complete = self.request_body is None
        if self.slot is not None and self._roster is not None:
            self._roster.release(self.slot)
        if self.target is not None:
            head = self.head
            bodied = head.content_length > 0 or head.chunked
            # A target may answer before it has read the body: what still waits would hold up the next request.
            through = complete and not (bodied and self.target.transport.get_write_buffer_size())
            if reusable and through and head.tier < Tier.AMBIGUOUS:
                self.target.release()
            else:
                self.target.drop()
        client = self.client
        client.node.record(record)
        client.exchange_over(keep=self._keep_client, linger=not complete)
