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
from lb.http.record import RequestRecord, Trouble
from lb.http.response import BadResponse, ResponseHead
from lb.model.metric_table import Mark
from lb.proxy.node import SWEEP_S
from lb.proxy.pool import NEVER_IDLE
from lb.routing.decide import Reply, decide, view_of
from lb.routing.fixed import FixedAnswer
from lb.routing.plan import ListenerPlan
from lb.routing.redirect import LocationTooLong, RedirectTemplate
from lb.routing.rewrite import Rewrite, TransformStatus
from lb.routing.weights import GroupChoice
from lb.targets.groups import GroupPick, GroupPicker
from lb.targets.roster import Roster, Slot, StickyPick

if TYPE_CHECKING:
    from lb.proxy.client import ClientConnection
    from lb.proxy.target import TargetConnection

_KEEP_ALIVE: Final = b"\r\nConnection: keep-alive"
_CLOSE: Final = b"\r\nConnection: close"
_UPGRADED: Final = b"\r\nConnection: upgrade\r\nUpgrade: websocket"


class Exchange:
    """A request, its target and its answer."""

    __slots__ = (
        "_encode",  # the answer's body goes out in chunks that are made here
        "_group_pick",  # None where the action leaves no choice; likewise `_sticky_pick`
        "_keep_client",
        "_picker",
        "_response_body",
        "_response_keep_alive",
        "_response_part",  # a response head that is not complete yet
        "_roster",
        "_sticky_pick",
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
        self._picker: GroupPicker | None = None
        self._group_pick: GroupPick | None = None
        self._sticky_pick: StickyPick | None = None
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
        if head.has_invalid_names:
            record.marks = Mark.HEADERS_DROPPED if self.plan.drop_invalid_headers else Mark.HEADERS_FORWARDED
        leftover = first
        sent = b""
        if head.content_length > 0 or head.chunked:
            self.request_body = ChunkedBody() if head.chunked else LengthBody(head.content_length)
            try:
                sent, leftover = self._request_bytes(first)
            except BodyError:
                self.fail(Failure.BAD_BODY)
                return b""
        self._act(sent)
        return leftover

    def _act(self, body: bytes) -> None:
        """Walks the rules and does what the first that matches says. `body` is what came of the request's body."""
        record = self.record
        decision = decide(self.plan, self.head, self.client.peer[0])
        if isinstance(decision, Reply):
            self.answer(decision.status)
            return
        record.rule_priority = decision.logged_priority
        record.rules_evaluated = min(decision.position + 1, len(self.plan.rules.rules))
        record.trace_id = trace.trace_id(self.head.trace_id, int(record.created_s), self.client.node.entropy.next24())
        action = decision.action
        if isinstance(action, GroupChoice):
            self._forward(action, decision.rewrite, body)
        elif isinstance(action, RedirectTemplate):
            self._redirect(action)
        else:
            self._answer_fixed(action)

    def _redirect(self, action: RedirectTemplate) -> None:
        self.record.action = "redirect"
        try:
            view = view_of(self.plan, self.head, self.client.peer[0])
            location = action.location(view, b"http", self.plan.port)
        except LocationTooLong:
            self.answer(507)
            return
        self.record.redirect_url = location
        keep = self._may_keep()
        out = action.answer(
            location,
            self.client.node.date,
            keep_alive=keep,
            head_only=self.head.method == b"HEAD",
            server=self.plan.server_header,
        )
        self._answer_with(action.status, out, keep=keep)

    def _answer_fixed(self, action: FixedAnswer) -> None:
        self.record.action = "fixed-response"
        keep = self._may_keep() and self.head.minor == 1
        out = action.answer(
            self.client.node.date,
            keep_alive=keep,
            head_only=self.head.method == b"HEAD",
            server=self.plan.server_header,
        )
        self._answer_with(action.status, out, keep=keep)

    def _forward(self, action: GroupChoice, rewrite: Rewrite | None, body: bytes) -> None:
        """Chooses group and target, and sends the request, or answers where there is none."""
        head = self.head
        record = self.record
        client = self.client
        record.action = "forward"
        uri = head.uri
        try:
            added = client.added_headers(head)
            if rewrite is not None:
                uri, added = self._rewritten(rewrite, added)
        except Rejected as refusal:
            self.answer(refusal.status)
            return
        arn = self._choose_group(action)
        if arn is None:
            self.answer(503)
            return
        record.target_group_arn = arn
        roster = client.node.rosters[arn]
        slot = self._choose_target(roster)
        if slot is None:
            self.answer(503)
            return
        self.slot = slot
        record.target = slot.key
        record.target_zone = slot.zone or ""
        if roster.fail_open:
            record.marks |= Mark.FAIL_OPEN
        message = forwarded.to_target(head, uri, added, record.trace_id)
        if head.expect_continue and head.minor == 1:
            self._transport.write(pages.CONTINUE)
        pool = client.node.pools[slot]
        connection = pool.take()
        if connection is None:
            self._unsent = message + body
            client.node.connect(self, pool)
        else:
            self._send(connection, message + body)

    def _rewritten(self, rewrite: Rewrite, added: bytes) -> tuple[bytes, bytes]:
        """URI and added headers after the rule's transforms. Raises Rejected(500) where one fails."""
        head, record, client = self.head, self.record, self.client
        result = rewrite.apply(head.uri, forwarded.target_host(head, self.plan.forwarded))
        record.transform_status = result.status.value
        if result.status is not TransformStatus.SUCCESS:
            record.action = "rewrite"
            raise Rejected(500)
        record.action = "rewrite,forward"
        record.transformed_uri = result.uri or b""
        record.transformed_host = result.host or b""
        if result.host is not None:
            added = forwarded.added_headers(head, self.plan.forwarded, client.address, result.host)
        return result.uri if result.uri is not None else head.uri, added

    def _choose_group(self, action: GroupChoice) -> str | None:
        self._picker = picker = self.client.listener.pickers.get(action)
        if picker is None:
            return action.pick(0.0)
        self._group_pick = pick = picker.pick(self.head.block, self.record.created_s, self.client.node.rng.random())
        if pick.choice is not None:
            self.record.error_reason = pick.choice.error_reason or ""
        return pick.arn

    def _choose_target(self, roster: Roster) -> Slot | None:
        self._roster = roster
        now = self.record.arrived_at
        if roster.sticky is None:
            return roster.pick(now)
        self._sticky_pick = pick = roster.pick_sticky(self.head.block, now, self.record.created_s)
        if pick is None:
            return None
        if pick.choice.kept is None:
            self.record.marks |= Mark.NON_STICKY
        return pick.slot

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
                # Interim answers stay here (fact sheet 7.1), and an upgrade has to be asked for.
                if head.status == 101:
                    if self.head.opens_websocket:
                        self._upgrade(head, data[head.size :])
                    else:
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
        connection = _KEEP_ALIVE if keep else _CLOSE
        headers = client.listener.with_set_headers(head.rest)
        if self._sticky_pick is not None or self._group_pick is not None:
            before, after = self._cookie_lines(head.rest)
            connection += before
            headers += after
        self._pass_on(response.to_client(head, line, connection, client.node.date_line, headers), rest)

    def _cookie_lines(self, answer: bytes) -> tuple[bytes, bytes]:
        """Sticky cookies for the client: what goes right behind Connection, and what behind the target's headers."""
        before = after = b""
        wall_s = self.client.node.wall_s()
        if self._sticky_pick is not None and self._roster is not None:
            pick = self._sticky_pick
            before, after = self._roster.cookie_lines(pick.slot, pick.choice, answer, wall_s)
        if self._picker is not None and self._group_pick is not None and self._group_pick.arn is not None:
            before += self._picker.cookie_lines(self._group_pick.arn, wall_s)
        return before, after

    def _upgrade(self, head: ResponseHead, rest: bytes) -> None:
        """The target has agreed to a WebSocket: from here on bytes flow both ways as they come."""
        record = self.record
        record.kind = "ws"
        record.responded_at = monotonic()
        record.target_status = record.status = 101
        headers = self.client.listener.with_set_headers(head.rest)
        before, after = self._cookie_lines(head.rest)
        out = response.to_client(head, b"", _UPGRADED + before, b"", headers + after)
        self.request_body = UntilCloseBody()
        self._response_body = UntilCloseBody()
        self._encode = False
        self._pass_on(out, rest)
        ahead = self.client.take_unread()
        if ahead:
            self.request_data(ahead)

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
        record.trouble = self._trouble(failure)
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

    def _trouble(self, failure: Failure) -> Trouble:
        target = self.target
        return Trouble(
            failure,
            self.moment,
            request_complete=self.request_body is None,
            sent_at=self.record.sent_at,
            idle_s=target.quiet * SWEEP_S if target is not None and target.quiet != NEVER_IDLE else None,
            answer_bytes=len(self._response_part),
            idle_timeout_s=self.plan.idle_timeout_s,
        )

    def _may_keep(self) -> bool:
        """Whether the client's connection may live on after an answer of the balancer's own."""
        # What is left of a request that was not read to its end would be taken for the next one.
        head = self.head
        return (
            self.request_body is None
            and head.keep_alive
            and head.tier < Tier.AMBIGUOUS
            and not self.client.closing_soon
        )

    def answer(self, status: int) -> None:
        """Ends the exchange with the balancer's page for this status."""
        head = self.head
        keep = status != 400 and self._may_keep()
        out = pages.answer(
            status,
            self.client.node.date,
            keep_alive=keep,
            head_only=head.method == b"HEAD",
            user_agent=head.user_agent,
            server=self.plan.server_header,
        )
        self._answer_with(status, out, keep=keep)

    def _answer_with(self, status: int, out: bytes, *, keep: bool) -> None:
        out = self.client.listener.own_answer(out)
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
            self._release(self._roster, self.slot)
        if self.target is not None:
            head = self.head
            bodied = head.content_length > 0 or head.chunked
            # A target may answer before it has read the body: what still waits would hold up the next request.
            through = complete and not (bodied and self.target.transport.get_write_buffer_size())
            if reusable and through and head.tier < Tier.AMBIGUOUS:
                self.target.release()
            elif record.kind == "ws":
                # What the client sent last is still on its way.
                self.target.pool.leave(self.target)
            else:
                self.target.drop()
        client = self.client
        client.node.record(record)
        client.exchange_over(keep=self._keep_client, linger=not complete)

    def _release(self, roster: Roster, slot: Slot) -> None:
        record = self.record
        if record.target_status >= 500:
            roster.release(slot, server_error=True)
        elif not record.sent_at and record.status in (502, 504):
            roster.release(slot, connection_error=True)
        else:
            roster.release(slot)
