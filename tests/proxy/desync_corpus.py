"""Streams of bytes that try to be read in two ways, and how the balancer reads each of them.

A stream is one odd request, its body (which may be too long), and NEXT, a plain request that ends the connection. Streams
are made from a seed: the same number gives the same stream. `readings` is the balancer's own reading, by its pure parts:
what a live balancer answers and what servers behind it see is compared with that.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lb.http.body import BodyError, ChunkedBody, LengthBody
from lb.http.desync import Tier
from lb.http.head import HeadReader, Rejected

NEXT = b"GET /next HTTP/1.1\r\nHost: next.example\r\nConnection: close\r\n\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: hidden.example\r\nX-Hidden: "


@dataclass(frozen=True, slots=True)
class Reading:
    """One request as somebody reads it; a chunked body without its framing."""

    method: bytes
    uri: bytes
    body: bytes

    def encode(self) -> bytes:
        """The form in which servers tell their reading: safe in a header whatever the bytes are."""
        return b".".join(part.hex().encode() for part in (self.method, self.uri, self.body))


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the balancer's own. `method` is empty where the head was not readable, unless it is HEAD."""

    status: int
    method: bytes = b""


NEXT_READING = Reading(b"GET", b"/next", b"")


def readings(stream: bytes, mode: str) -> list[Reading | Refusal] | None:
    """What the balancer makes of a stream: requests that it passes on, and the one that it refuses.

    Ends with the request after which the balancer closes the connection. None for a stream that leaves it waiting.
    """
    reader = HeadReader()
    read: list[Reading | Refusal] = []
    while stream := stream.lstrip(b"\r\n"):
        try:
            found = reader.read(stream, 0, mode, drop_invalid=False)
        except Rejected as refusal:
            return [*read, Refusal(refusal.status, b"HEAD" if stream.startswith(b"HEAD ") else b"")]
        if found is None:
            return None
        head, end = found
        length = max(head.content_length, 0)
        body = ChunkedBody(decode=True) if head.chunked else LengthBody(length)
        try:
            payload = body.feed(stream[end:])
        except BodyError:
            return [*read, Refusal(400, head.method)]
        if not body.done:
            return None
        read.append(Reading(head.method, head.uri, payload))
        if head.tier >= Tier.AMBIGUOUS or not head.keep_alive:
            return read
        # A reader that is done without having been fed has nothing left over.
        stream = body.leftover if head.chunked or length else stream[end:]
    return None


def streams(seed: int) -> Iterator[bytes]:
    """Streams without end."""
    maker = _Maker(seed)
    while True:
        yield maker.stream()


class _Maker:
    """Puts streams together from the words of `desync_corpus.yaml`."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._words: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))

    def stream(self) -> bytes:
        """One odd request, its body and NEXT."""
        rng = self._rng
        version = self._word("versions", 0.12)
        request_line = self._word("methods", 0.06) + b" " + self._word("uris", 0.12) + (version and b" " + version)
        lines = [b"Host: a.example", *(self._framing_line() for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))))]
        lines += (self._one_of("other_lines") for _ in range(rng.choice((0, 0, 0, 1, 1, 2))))
        rng.shuffle(lines)
        ends = (b"\n", b"\r\n") if self._now_and_then(0.1) else (b"\r\n",)
        head = b"".join(line + rng.choice(ends) for line in (request_line, *lines, b""))
        request = head + (self._chunks() if self._is_chunked(head) else self._body())
        return (self._stroke(request) if self._now_and_then(0.2) else request) + NEXT

    def _now_and_then(self, share: float) -> bool:
        return self._rng.random() < share

    def _word(self, name: str, odd_share: float) -> bytes:
        kind = "odd" if self._now_and_then(odd_share) else "usual"
        word: str = self._rng.choice(self._words[name][kind])
        return word.encode("latin-1")

    def _one_of(self, name: str) -> bytes:
        word: str = self._rng.choice(self._words[name])
        return word.encode("latin-1")

    def _framing_line(self) -> bytes:
        # Odd names and odd values are rarer than usual ones, or nearly all requests would be refused.
        names, values = self._rng.choice((("length_names", "lengths"), ("coding_names", "codings")))
        colon = self._rng.choice((b": ", b": ", b":", b":\t", b":  "))
        return self._word(names, 0.25) + colon + self._word(values, 0.3)

    def _is_chunked(self, head: bytes) -> bool:
        """Mostly whether the head says so."""
        return self._now_and_then(0.5) if self._now_and_then(0.15) else b"chunked" in head.lower()

    def _chunks(self) -> bytes:
        parts = []
        for _ in range(self._rng.choice((0, 1, 1, 2))):
            parts += [self._word("chunk_sizes", 0.3), self._line_end(), b"hello", self._line_end()]
        return b"".join((*parts, self._word("last_chunks", 0.4)))

    def _line_end(self) -> bytes:
        return self._rng.choice((b"\n", b"\r", b"", b"x\r\n")) if self._now_and_then(0.05) else b"\r\n"

    def _body(self) -> bytes:
        odd = (b"", b"hel", b"hello!", b"hello" + HIDDEN, b"\r\nhel", b"0\r\n\r\n")
        return self._rng.choice(odd) if self._now_and_then(0.6) else b"hello"

    def _stroke(self, request: bytes) -> bytes:
        """A request after one stroke of bad luck."""
        rng = self._rng
        at = rng.randrange(len(request))
        match rng.randrange(4):
            case 0:
                return request[:at] + bytes((request[at] ^ 1 << rng.randrange(8),)) + request[at + 1 :]
            case 1:
                return request[:at] + self._one_of("strokes") + request[at:]
            case 2:
                return request[:at] + request[at + 1 :]
            case _:
                return request[:at] + request[at : at + rng.randrange(1, 20)] + request[at:]
