"""One client connection: reads request heads, runs one exchange after another, answers pipelined requests in order."""

import asyncio
import contextlib
import socket
import struct
from time import monotonic, time
from typing import TYPE_CHECKING, cast

from lb.http import forwarded, pages
from lb.http.head import HeadReader, Rejected, RequestHead, may_be_complete
from lb.http.outcomes import Failure
from lb.http.record import ConnectionRecord, RequestRecord
from lb.proxy.exchange import Exchange
from lb.routing.plan import ListenerPlan

if TYPE_CHECKING:
    from lb.proxy.listener import ActiveListener
    from lb.proxy.node import Node
    from lb.proxy.port import Port

# What a client may send ahead while its request is being answered, before its connection is no longer read.
_AHEAD_BYTES = 64 * 1024
# After an answer that ends the connection, what the client still sends is read and thrown away for this long: closing with
# bytes unread would reset the connection, and the client might lose the answer (RFC 9112 9.6).
_LINGER_SWEEPS = 8
_RESET = struct.pack("ii", 1, 0)


class ClientConnection(asyncio.Protocol):
    """Server side of a connection that a client opened."""

    __slots__ = (
        "_added",
        "_added_for",
        "_at_most_until",  # monotonic; the client keep-alive duration ends
        "_busy",  # inside the loop of `_read`
        "_closing",  # no further request is read
        "_connection_id",
        "_counts",
        "_heads",
        "_lingering",
        "_paused",
        "_pending",  # bytes that waited to be sent at the last sweep
        "_plan",
        "_unread",
        "_write_paused",
        "address",  # the client as X-Forwarded-For names it
        "closing_soon",  # the next answer is the last one here
        "exchange",
        "listener",  # the one that the last request was for
        "lost",
        "name",  # the client as logs name it
        "node",
        "peer",
        "port",
        "quiet",  # sweeps since the last byte either way
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, port: "Port") -> None:
        self.port = port
        self.listener: ActiveListener = port.first
        self.node: Node = port.node
        self.exchange: Exchange | None = None
        self.quiet = 0
        self.lost = False
        self.closing_soon = False
        self._heads = HeadReader()
        self._unread = bytearray()
        self._busy = False
        self._closing = False
        self._pending = 0
        self._paused = False
        self._write_paused = False
        self._lingering = 0
        self._connection_id = ""
        self._added_for: bytes | None = None
        self._added = b""

    @property
    def connection_id(self) -> str:
        """`TID_` and 32 hex digits, the same for every request of the connection."""
        if not self._connection_id:
            entropy = self.node.entropy
            self._connection_id = "TID_" + (entropy.next24() + entropy.next24()[:8]).decode()
        return self._connection_id

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: a client connected."""
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if self.port.closed or not peer or not self._is_admitted(peer[0]):
            # Accepted in the moment in which the listener closed, or gone again already; or security groups keep it out.
            self.lost = self._closing = True
            self.transport.abort()
            return
        self.peer: tuple[str, int] = peer[:2]
        host, port = self.peer
        self.name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._adopt(self.listener.plan)
        self._counts = self.listener.connections
        self._counts.opened()
        self.node.recorder.record_connection(
            ConnectionRecord(self._plan.origin, time(), host, port, self.connection_id)
        )
        self._at_most_until = monotonic() + self._plan.client_keep_alive_s
        self.node.clients.add(self)

    def _is_admitted(self, address: str) -> bool:
        # On a shared port the load balancer is known with the first request.
        return self.port.only is None or self.port.only.plan.admits(address)

    def _adopt(self, plan: ListenerPlan) -> None:
        """Prepares what is the same for every request of this connection under one plan."""
        self._plan = plan
        self._added_for = None
        self.address = forwarded.client_address(plan.forwarded, *self.peer)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes from the client."""
        if self._closing:
            return
        self.quiet = 0
        exchange = self.exchange
        if exchange is None:
            if self._write_paused:
                self._keep(data)
                return
            if self._unread:
                seen = len(self._unread)
                self._unread += data
                if not may_be_complete(self._unread, seen):
                    return
                data = bytes(self._unread)
                self._unread.clear()
            self._read(data)
        elif exchange.request_body is not None:
            if leftover := exchange.request_data(data):
                self._keep(leftover)
        else:
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        self._unread += data
        if len(self._unread) > _AHEAD_BYTES:
            self.pause_reading()

    def _read(self, data: bytes) -> None:
        """Reads requests until one has to be waited for."""
        self._busy = True
        at = 0
        while self.exchange is None and at < len(data) and not (self._closing or self._write_paused):
            if data[at] in (0x0D, 0x0A) and (at := _skip_empty_lines(data, at)) == len(data):
                break
            try:
                found = self._read_head(data, at)
            except Rejected as refusal:
                self._refuse(refusal, head_only=data.startswith(b"HEAD ", at))
                break
            if found is None:
                self._unread += data[at:]
                break
            head, at = found
            self.exchange = exchange = Exchange(self, self._plan, head, time())
            rest = exchange.start(data[at:] if at < len(data) else b"")
            data, at = rest, 0
        else:
            self._unread += data[at:]
        self._busy = False

    def _read_head(self, data: bytes, at: int) -> tuple[RequestHead, int] | None:
        """The head at `at`, as its listener reads it, and where it ends; None while it is not all here. Raises Rejected."""
        while True:
            plan = self.listener.plan
            if plan is not self._plan:
                self._adopt(plan)
            found = self._heads.read(data, at, plan.desync_mode, drop_invalid=plan.drop_invalid_headers)
            if found is None or self.listener is self.port.only:
                return found
            listener = self.port.listener_of(found[0].authority or found[0].host)
            if not listener.plan.admits(self.peer[0]):
                self.cut()
                return None
            if listener is self.listener:
                return found
            # The port is shared: the head is for another load balancer, whose attributes may read it otherwise.
            self.listener = listener
            self._counts.closed()
            self._counts = listener.connections
            self._counts.opened()

    def take_unread(self) -> bytes:
        """What the client has sent ahead, for an exchange that has become a tunnel."""
        data = bytes(self._unread)
        self._unread.clear()
        self.resume_reading()
        return data

    def exchange_over(self, *, keep: bool, linger: bool) -> None:
        """The exchange has ended; the next request may already be here."""
        self.exchange = None
        if self.lost:
            return
        if not keep or self.port.closed:
            self._close(linger=linger)
        elif self._unread or self._paused:
            self._read_on()

    def _read_on(self) -> None:
        """Goes on with what the client has sent ahead."""
        if self._unread and not self._busy and not self._write_paused:
            data = bytes(self._unread)
            self._unread.clear()
            self._read(data)
        if self._paused and len(self._unread) <= _AHEAD_BYTES:
            self.resume_reading()

    def _refuse(self, refusal: Rejected, *, head_only: bool = False) -> None:
        """Answers a request whose head could not be used."""
        plan = self.listener.plan
        now = monotonic()
        record = RequestRecord(plan.origin, self.name, self.connection_id, None, time(), now)
        record.status = refusal.status
        record.tier = refusal.tier
        record.reason = refusal.reason
        out = self.listener.own_answer(
            pages.answer(
                refusal.status,
                self.node.date,
                keep_alive=False,
                head_only=head_only,
                user_agent=None,
                server=plan.server_header,
            )
        )
        record.sent_bytes = len(out)
        self.transport.write(out)
        self.node.record(record)
        self._close(linger=True)

    def _close(self, *, linger: bool) -> None:
        """Ends the connection once all is sent. Lingers where the client has sent, or may send, more than was read."""
        self._closing = True
        if not (linger or self._unread or self._paused) or not self.transport.can_write_eof():
            self.transport.close()
            return
        self._unread.clear()
        self._lingering = _LINGER_SWEEPS
        self.resume_reading()
        self.transport.write_eof()

    def let_go(self) -> None:
        """Closes now; what the kernel already has still goes out."""
        self.lost = self._closing = True
        self.transport.abort()

    def cut(self) -> None:
        """Ends the connection where it stands, by a reset: a body that ends with its connection would look complete."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.let_go()

    def eof_received(self) -> None:
        """asyncio: the client will send no more. As for ALB that is a client that left; the transport closes by itself."""
        self._gone()

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio: closed."""
        self._gone()
        if self in self.node.clients:
            self._counts.closed()
            self.node.clients.discard(self)

    def _gone(self) -> None:
        if self.lost:
            return
        self.lost = self._closing = True
        if self.exchange is not None:
            self.exchange.fail(Failure.CLIENT_GONE)

    def pause_writing(self) -> None:
        """asyncio: the client takes the answer more slowly than the target sends it."""
        self._write_paused = True
        if self.exchange is not None and self.exchange.target is not None:
            self.exchange.target.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: the client has caught up."""
        self._write_paused = False
        self.quiet = 0
        if self.exchange is None:
            self._read_on()
        elif self.exchange.target is not None:
            self.exchange.target.resume_reading()

    def pause_reading(self) -> None:
        """Stops reading from the client."""
        if not self._paused and not self.lost:
            self._paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Reads from the client again."""
        if self._paused and not self.lost:
            self._paused = False
            self.transport.resume_reading()

    def added_headers(self, head: RequestHead) -> bytes:
        """What is added to the head for the target; the same for a client that asks the same host again.

        Raises Rejected(463).
        """
        host = head.host
        if host == self._added_for and host is not None and head.forwarded_for is None and not head.unusual_host:
            return self._added
        added = forwarded.added_headers(head, self._plan.forwarded, self.address)
        if head.forwarded_for is None and not head.unusual_host:
            self._added_for = host
            self._added = added
        return added

    def tick(self) -> None:
        """One sweep: ends what has been quiet for too long."""
        if self.lost:
            return
        pending = self.transport.get_write_buffer_size()
        self.quiet = self.quiet + 1 if pending == self._pending else 0
        self._pending = pending
        if monotonic() >= self._at_most_until:
            self.closing_soon = True
        if self._lingering and not pending:
            self._lingering -= 1
            if not self._lingering:
                self.let_go()
        elif self.quiet > self.listener.idle_sweeps:
            self.quiet = 0
            self._time_out(pending)

    def _time_out(self, pending: int) -> None:
        if self.exchange is not None:
            self.exchange.timed_out()
        elif pending or self._closing:
            # Closing in good order would wait for a client that does not read.
            self.cut()
        elif self._unread:
            self._refuse(Rejected(408))
        else:
            self._close(linger=False)

    def retire(self) -> None:
        """The listener or the node closes: ends with the answer under way, or now where there is none."""
        self.closing_soon = True
        if self.exchange is None and not self._closing:
            self._close(linger=False)


def _skip_empty_lines(data: bytes, at: int) -> int:
    """Empty lines before a request line are ignored (RFC 9112 2.2)."""
    while at < len(data) and data[at] in (0x0D, 0x0A):
        at += 1
    return at
