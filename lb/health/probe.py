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


class ClosedEarly(Exception):
    """The target closed the connection before its answer's head was there."""


class UnknownName(Exception):
    """The target's name does not resolve."""


async def probe(endpoint: Endpoint, check: HealthCheck) -> ProbeResult:
    """Asks one target. Whatever goes wrong is a result; only cancellation is raised."""
    begun = monotonic()
    status: int | None = None
    try:
        async with asyncio.timeout(check.timeout_s):
            status = await _status(endpoint, check)
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
    return ProbeResult(outcome, status, detail, monotonic() - begun, time())


async def _status(endpoint: Endpoint, check: HealthCheck) -> int:
    if endpoint.address is None:
        raise UnknownName
    if endpoint.target.blocked:
        # As packets that a security group drops: nothing comes back, until the timeout.
        await asyncio.Event().wait()
    port = endpoint.port_of(check.port) if check.port else endpoint.port
    reader, writer = await asyncio.open_connection(endpoint.address, port)
    try:
        writer.write(request(endpoint.address, port, check.path))
        responses = ResponseReader()
        data = b""
        while True:
            head = responses.read(data)
            if head is not None and head.status >= 200:
                return head.status
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


def request(address: str, port: int, path: str) -> bytes:
    """The bytes of a probe."""
    host = f"[{address}]" if ":" in address else address
    if port != _DEFAULT_PORT:
        host = f"{host}:{port}"
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
        "Accept-Encoding: gzip, compressed\r\n\r\n"
    ).encode()


def _reason(error: OSError) -> str:
    # uvloop and asyncio word a failed connection differently, and neither as the system does.
    return os.strerror(error.errno).lower() if error.errno else str(error)
