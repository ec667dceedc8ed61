"""Authenticated, opaque cookie values: AES-GCM with the cookie's kind as associated data, in base64.

A value tells a short text and the second it was issued, and has one length whatever the text. Key and nonces come from
outside, so that nodes can share the key and nothing here draws random numbers. Nobody without the key can read, change or
make a value.

What was sealed is remembered: the same text in the same second yields the same value (a node that answers 10,000 requests a
second for 10 targets seals 10 times, which also keeps far from the 2**32 messages that NIST SP 800-38D 8.3 allows a key with
random nonces), and a value that a client brings back is mostly known already. Only values that are genuine are
remembered, so a flood of broken ones pushes nothing out.

Lengths: observed (fact sheet 4.4; AWSALBAPP: 144 characters that begin with eight zero bytes). The content is ours.
"""

from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_TIME_BYTES: Final = 5
_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """A family of cookies, each one of its own. `characters` is the length of a value, `prefix` its beginning in clear."""

    name: bytes
    characters: int
    prefix: bytes = b""

    @property
    def text_bytes(self) -> int:
        """The longest text that a value can hold."""
        return self.characters // 4 * 3 - len(self.prefix) - NONCE_BYTES - _TAG_BYTES - _TIME_BYTES


AWSALB: Final = Kind(b"AWSALB", 124)
AWSALBTG: Final = Kind(b"AWSALBTG", 172)
AWSALBAPP: Final = Kind(b"AWSALBAPP", 144, bytes(8))


class Sealer:
    """Seals and opens with one key."""

    __slots__ = ("_cipher", "_next_nonce", "_opened", "_sealed", "_second")

    def __init__(self, key: bytes, next_nonce: Callable[[], bytes]) -> None:
        """`key` has `KEY_BYTES` bytes; `next_nonce` returns `NONCE_BYTES` bytes that never come twice. Raises ValueError."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key that protects cookies must have {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(key)
        self._next_nonce = next_nonce
        self._second = -1
        self._sealed: dict[tuple[Kind, bytes], bytes] = {}  # of this second
        self._opened: dict[bytes, tuple[Kind, bytes, int]] = {}

    def seal(self, kind: Kind, text: bytes, issued_s: int) -> bytes:
        """The value for a text without NUL bytes, issued at `issued_s` (seconds since 1970).

        Raises ValueError for a text that does not fit.
        """
        if issued_s != self._second:
            self._sealed.clear()
            self._second = issued_s
        known = self._sealed.get((kind, text))
        if known is not None:
            return known
        if len(text) > kind.text_bytes or b"\0" in text:
            raise ValueError(f"{text!r} does not fit into a value of {kind.name.decode()}")
        plain = issued_s.to_bytes(_TIME_BYTES, "big") + text.ljust(kind.text_bytes, b"\0")
        nonce = self._next_nonce()
        value = b64encode(kind.prefix + nonce + self._cipher.encrypt(nonce, plain, kind.name))
        self._sealed[kind, text] = value
        self._remember(value, (kind, text, issued_s))
        return value

    def open(self, kind: Kind, value: bytes) -> tuple[bytes, int] | None:
        """The text and the second it was issued; None for a value that is broken, foreign or of another kind."""
        known = self._opened.get(value)
        if known is None:
            known = self._decrypt(kind, value)
            if known is None:
                return None
            self._remember(value, known)
        found_kind, text, issued_s = known
        return (text, issued_s) if found_kind is kind else None

    def _decrypt(self, kind: Kind, value: bytes) -> tuple[Kind, bytes, int] | None:
        if len(value) != kind.characters:
            return None
        try:
            raw = a2b_base64(value, strict_mode=True)
        except Error:
            return None
        start = len(kind.prefix)
        # Padding would make the value shorter than its kind is.
        if len(raw) != kind.characters // 4 * 3 or raw[:start] != kind.prefix:
            return None
        try:
            plain = self._cipher.decrypt(raw[start : start + NONCE_BYTES], raw[start + NONCE_BYTES :], kind.name)
        except InvalidTag:
            return None
        return kind, plain[_TIME_BYTES:].rstrip(b"\0"), int.from_bytes(plain[:_TIME_BYTES], "big")

    def _remember(self, value: bytes, meaning: tuple[Kind, bytes, int]) -> None:
        if len(self._opened) >= _REMEMBERED:
            self._opened.clear()
        self._opened[value] = meaning
