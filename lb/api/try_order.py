"""What `POST /_lb/try` is asked to send: read from its JSON, refused where it cannot be sent. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

MOST_REQUESTS: Final = 1_000
MOST_PER_S: Final = 200.0
LONGEST_S: Final = 300.0
_MOST_HEADERS: Final = 50
_LONGEST: Final = 8 * 1024
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PATH: Final = re.compile(r"/[\x21-\x7e]*")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
# They say where a message ends and what becomes of the connection, which is decided here.
_RESERVED: Final = frozenset({"connection", "content-length", "expect", "te", "transfer-encoding", "upgrade"})


@dataclass(frozen=True, slots=True)
class Order:
    """Requests to send to a listener: `count` of them, `rate` per second. `load_balancer` is a name or an ARN."""

    load_balancer: str
    port: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    count: int
    rate: float
    cookies: bool

    @classmethod
    def read(cls, given: Any) -> Self:
        """From the JSON of the call. Raises ValueError with a sentence for people."""
        if not isinstance(given, dict):
            raise ValueError("the body must be a JSON object")  # noqa: TRY004
        if unknown := given.keys() - cls.__slots__:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        count = _number(given, "count", 1, 1, MOST_REQUESTS)
        rate = _number(given, "rate", 10, 0.1, MOST_PER_S)
        if count != int(count):
            raise ValueError("count must be a whole number")
        if count / rate > LONGEST_S:
            raise ValueError(f"{count:g} requests at {rate:g} per second take longer than {LONGEST_S:g} s")
        return cls(
            _text(given, "load_balancer", ""),
            int(_number(given, "port", None, 1, 65_535)),
            _matching(_text(given, "method", "GET"), _TOKEN, "method must be one word, such as GET"),
            _matching(
                _text(given, "path", "/"), _PATH, "path must begin with / and have no space or other sign to escape"
            ),
            _headers(given.get("headers", {})),
            int(count),
            rate,
            _flag(given, "cookies"),
        )

    def message(self, host: str, cookie: str) -> bytes:
        """The bytes of one request. `host` is for where no Host header is given, `cookie` a line to add, "" for none."""
        given = {name.lower() for name, _ in self.headers}
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        if "host" not in given:
            lines.append(f"Host: {host}")
        if "user-agent" not in given:
            lines.append("User-Agent: lb-try")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if cookie:
            lines.append(f"Cookie: {cookie}")
        if self.method in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: 0")
        return ("\r\n".join(lines) + "\r\nConnection: close\r\n\r\n").encode("latin-1")


def _number(given: Mapping[str, Any], key: str, default: float | None, least: float, most: float) -> float:
    value = given.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{key} must be a number from {least:g} to {most:g}")
    return value


def _text(given: Mapping[str, Any], key: str, default: str) -> str:
    value = given.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text")  # noqa: TRY004
    return value


def _flag(given: Mapping[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false")  # noqa: TRY004
    return value


def _matching(value: str, pattern: re.Pattern[str], wrong: str) -> str:
    if len(value) > _LONGEST or not pattern.fullmatch(value):
        raise ValueError(wrong)
    return value


def _headers(given: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, dict) or len(given) > _MOST_HEADERS:
        raise ValueError(f"headers must be an object with at most {_MOST_HEADERS} names and values")
    for name, value in given.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if name.lower() in _RESERVED:
            raise ValueError(f"the header {name} cannot be chosen here")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name} must be a text without line breaks")
    if sum(len(name) + len(value) for name, value in given.items()) > _LONGEST:
        raise ValueError(f"headers must not be longer than {_LONGEST:,} characters together")
    return tuple(given.items())
