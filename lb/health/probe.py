"""One health check request (fact sheet 6.2): a fresh connection, the status code, and nothing else of the answer."""

import asyncio
import os
from time import monotonic, time

from lb.http.response import BadResponse, ResponseReader
from lb.model.config import HealthCheck
from lb.routing.plan import Endpoint
from lb.targets.health import ProbeOutcome, ProbeResult

_DEFAULT_PORT = 80
_READ_BYTES = 16 * 1024
_LONGEST_LINE = 200


class ClosedEarly(Exception):
    """The target closed the connection before its answer's head was there."""


class UnknownName(Exception):
    """The target's name does not resolve."""


async def probe(endpoint: Endpoint, check: HealthCheck) -> ProbeResult:
    """Asks one target. Whatever goes wrong is a result; only cancellation is raised."""
    begun = monotonic()
    status: int | None = None
    line = ""
    try:
        async with asyncio.timeout(check.timeout_s):
            status, line = await _answer(endpoint, check)
    except TimeoutError:
        outcome, detail = ProbeOutcome.TIMED_OUT, f"no answer within {check.timeout_s:g} s"
    except UnknownName:
        outcome, detail = ProbeOutcome.FAILED, f"the name {endpoint.target.id} does not resolve"
    except OSError as error:
        outcome, detail = ProbeOutcome.FAILED, f"no connection: {_reason(error)}"
    except BadResponse:
        outcome, detail = ProbeOutcome.FAILED, "no valid answer: not HTTP, or its head is too large"
    except ClosedEarly:
        outcome, detail = ProbeOutcome.FAILED, "no valid answer: the target closed the connection"
    else:
        passed = status in check.matcher
        outcome = ProbeOutcome.PASSED if passed else ProbeOutcome.CODE_MISMATCH
        detail = "" if passed else f"status {status}, expected {check.matcher.text}"
    return ProbeResult(outcome, status, detail, monotonic() - begun, time(), line)


async def _answer(endpoint: Endpoint, check: HealthCheck) -> tuple[int, str]:
    """Status and first line."""
    if endpoint.address is None:
        raise UnknownName
    if endpoint.target.blocked:
        # As packets that a security group drops: nothing comes back, until the timeout.
        await asyncio.Event().wait()
    port = port_of(endpoint, check)
    reader, writer = await asyncio.open_connection(endpoint.address, port)
    try:
        writer.write(request(endpoint.address, port, check.path))
        responses = ResponseReader()
        data = b""
        while True:
            head = responses.read(data)
            if head is not None and head.status >= 200:
                line, _, _ = data.partition(b"\r\n")
                return head.status, line[:_LONGEST_LINE].decode("latin-1")
            if head is not None:
                data = data[head.size :]
                continue
            more = await reader.read(_READ_BYTES)
            if not more:
                raise ClosedEarly
            data += more
    except ConnectionError as error:
        raise ClosedEarly from error
    finally:
        writer.close()


def port_of(endpoint: Endpoint, check: HealthCheck) -> int:
    """Where probes go at the target's address."""
    return endpoint.port_of(check.port) if check.port else endpoint.port


def request_line(path: str) -> str:
    """The first line of a probe."""
    return f"GET {path} HTTP/1.1"


def host_of(address: str, port: int) -> str:
    """The Host header of a probe."""
    host = f"[{address}]" if ":" in address else address
    return host if port == _DEFAULT_PORT else f"{host}:{port}"


def request(address: str, port: int, path: str) -> bytes:
    """The bytes of a probe."""
    return (
        f"{request_line(path)}\r\nHost: {host_of(address, port)}\r\n"
        "Connection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
        "Accept-Encoding: gzip, compressed\r\n\r\n"
    ).encode()


def _reason(error: OSError) -> str:
    # uvloop and asyncio word a failed connection differently, and neither as the system does.
    return os.strerror(error.errno).lower() if error.errno else str(error)
