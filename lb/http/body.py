"""Body framing: where a message's body ends, and which of its bytes go on (RFC 9112 sections 6 and 7).

A reader is fed bytes as they came and returns what to send on; nothing is collected. Chunked bodies are passed on with
the framing they came in, without their trailers, or decoded for a peer that does not know chunks.
"""

import re
from typing import Final, Protocol

from lb.http import limits

_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
LAST_CHUNK: Final = b"0\r\n\r\n"


class BodyError(Exception):
    """The framing is broken; the message says how."""


class BodyReader(Protocol):
    """What all readers offer. `done` is set with the last byte; `leftover` then holds what came after the body."""

    done: bool
    leftover: bytes

    def feed(self, data: bytes) -> bytes:
        """Takes the next bytes of the connection, returns what to pass on. Raises BodyError."""
        ...


class LengthBody:
    """A body of known length."""

    __slots__ = ("done", "leftover", "remaining")

    def __init__(self, length: int) -> None:
        self.remaining = length
        self.done = length == 0
        self.leftover = b""

    def feed(self, data: bytes) -> bytes:
        """See BodyReader."""
        remaining = self.remaining - len(data)
        if remaining > 0:
            self.remaining = remaining
            return data
        self.done = True
        if remaining < 0:
            self.leftover = data[remaining:]
            data = data[:remaining]
        self.remaining = 0
        return data


class UntilCloseBody:
    """A response body that ends with its connection."""

    __slots__ = ("done", "leftover")

    def __init__(self) -> None:
        self.done = False
        self.leftover = b""

    def feed(self, data: bytes) -> bytes:
        """See BodyReader."""
        return data


class ChunkedBody:
    """A chunked body; `decode` returns the payload alone, otherwise the chunks go on as they came."""

    __slots__ = ("_decode", "_in_trailers", "_line", "_skip", "_trailer_size", "done", "leftover")

    def __init__(self, *, decode: bool = False) -> None:
        self._decode = decode
        self._line = b""  # the beginning of a chunk-size or trailer line whose end has not come yet
        self._skip = 0  # bytes of the current chunk, with its closing CRLF, that have not come yet
        self._in_trailers = False
        self._trailer_size = 0
        self.done = False
        self.leftover = b""

    def feed(self, data: bytes) -> bytes:
        """See BodyReader."""
        kept: list[bytes] = []
        at = 0
        while at < len(data):
            if self._in_trailers:
                self._trailers(data, at)
                return b"".join((*kept, b"\r\n" if self.done and not self._decode else b""))
            if self._skip:
                at = self._payload(data, at, kept)
                continue
            end = data.find(b"\n", at)
            line = self._line + (data[at:] if end < 0 else data[at : end + 1])
            if end < 0:
                if len(line) > limits.CHUNK_LINE:
                    raise BodyError("chunk-size line too long")
                self._line = line
                break
            self._line = b""
            at = end + 1
            size = _chunk_size(line)
            if size:
                self._skip = size + 2
            else:
                self._in_trailers = True
                if not self._decode:
                    kept.append(data[:at])
        if self._decode:
            return b"".join(kept)
        return b"".join(kept) if self._in_trailers else data

    def _payload(self, data: bytes, at: int, kept: list[bytes]) -> int:
        end = min(at + self._skip, len(data))
        left = self._skip - (end - at)
        # The last two bytes of what is skipped must be CRLF: check those of them that are here.
        for back in range(2):
            position = end - 1 - back + left
            if at <= position < end and data[position] != b"\n\r"[back]:
                raise BodyError("chunk data longer than its size")
        if self._decode:
            payload_end = min(end, at + max(0, self._skip - 2))
            kept.append(data[at:payload_end])
        self._skip = left
        return end

    def _trailers(self, data: bytes, at: int) -> None:
        while at < len(data):
            end = data.find(b"\n", at)
            line = self._line + (data[at:] if end < 0 else data[at : end + 1])
            self._trailer_size += len(data) - at if end < 0 else end + 1 - at
            if self._trailer_size > limits.TRAILERS:
                raise BodyError("trailers too long")
            if end < 0:
                self._line = line
                return
            self._line = b""
            at = end + 1
            if line == b"\r\n":
                self.done = True
                self.leftover = data[at:]
                return
            if not line.endswith(b"\r\n"):
                raise BodyError("trailer line does not end in CRLF")


def _chunk_size(line: bytes) -> int:
    """The size in a chunk-size line that still has its line end. Raises BodyError."""
    if len(line) > limits.CHUNK_LINE:
        raise BodyError("chunk-size line too long")
    found = _CHUNK_LINE.fullmatch(line[:-2]) if line.endswith(b"\r\n") else None
    if not found:
        raise BodyError("bad chunk size")
    return int(found[1], 16)


def encode_chunk(data: bytes) -> bytes:
    """One chunk that holds `data`, which must not be empty (RFC 9112 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
