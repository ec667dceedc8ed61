"""What a target does that a balancer's health checks and kept connections do not get along with: asks it, and watches.

Each target is asked by itself; what is found is told in words, with the cause and what to do. Nothing is changed.
"""

import asyncio
import errno
import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from lb.health.probe import probe, request
from lb.http.body import BodyError
from lb.http.response import BadResponse, ResponseHead, ResponseReader, frame
from lb.model.config import HealthCheck, Target
from lb.routing.plan import Endpoint
from lb.targets.health import ProbeOutcome

_READ_BYTES: Final = 64 * 1024
_LONGEST_BODY: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 64
_KEEP_ALIVE_LINE: Final = re.compile(rb"\r\nkeep-alive:[^\r\n]*?timeout[ \t]*=[ \t]*\"?(\d{1,9})", re.IGNORECASE)
_LOCATION_LINE: Final = re.compile(rb"\r\nlocation:[ \t]*([^\r\n]{0,300})", re.IGNORECASE)
_REDIRECTS: Final = range(300, 400)
_UNREACHABLE: Final = frozenset((errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN))


@dataclass(frozen=True, slots=True)
class Patient:
    """A target to examine. `address` is None where its name must be looked up; `names` are host names that its clients
    use, as far as they are known."""

    group: str
    target: Target
    address: str | None
    check: HealthCheck
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """How to examine: the balancer's idle timeout, and how long to watch an idle connection."""

    idle_timeout_s: float
    wait_s: float


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to put right. `code` names its kind."""

    code: str
    message: str


@dataclass(slots=True)
class Diagnosis:
    """What was found at a target. `notes` are facts that are in order."""

    group: str
    target: str
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, code: str, message: str) -> None:
        """Adds a finding."""
        self.findings.append(Finding(code, message))


@dataclass(frozen=True, slots=True)
class _Answer:
    """`raw` is the head as it came; `complete` tells whether the body came to its end on an open connection."""

    head: ResponseHead
    raw: bytes
    complete: bool

    @property
    def shown(self) -> str:
        found = _LOCATION_LINE.search(self.raw)
        return f"{self.head.status}" + (f" to {found[1].decode('latin-1').strip()}" if found else "")


class _NoAnswer(Exception):
    """The target did not answer; the message says what it did instead."""


async def examine(patients: Sequence[Patient], visit: Visit) -> list[Diagnosis]:
    """Examines all targets at once; the diagnoses come in the order of the patients, one for each address of a name."""
    rooms = asyncio.Semaphore(_AT_ONCE)

    async def one(patient: Patient) -> list[Diagnosis]:
        async with rooms:
            return await _examine(patient, visit)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(each), name=f"examine {each.target}") for each in patients]
    return [diagnosis for task in tasks for diagnosis in task.result()]


async def _examine(patient: Patient, visit: Visit) -> list[Diagnosis]:
    if patient.address is not None:
        return [await _at_address(patient.address, patient, visit, Diagnosis(patient.group, str(patient.target)))]
    unknown = Diagnosis(patient.group, str(patient.target))
    addresses = await _resolved(patient, unknown)
    places = [Diagnosis(patient.group, _place(patient.target, address)) for address in addresses]
    async with asyncio.TaskGroup() as group:
        for address, diagnosis in zip(addresses, places, strict=True):
            group.create_task(_at_address(address, patient, visit, diagnosis), name=f"examine {address}")
    return places or [unknown]


async def _at_address(address: str, patient: Patient, visit: Visit, diagnosis: Diagnosis) -> Diagnosis:
    check_port = patient.check.port or patient.target.port
    ports = sorted({check_port, patient.target.port})
    reached = [port for port in ports if await _is_reached(address, port, patient, diagnosis)]
    if check_port in reached:
        await _health_check(address, check_port, patient, diagnosis)
    if patient.target.port in reached:
        await _keep_alive(address, patient, visit, diagnosis)
    return diagnosis


def _place(target: Target, address: str) -> str:
    return str(target) if address == target.id else f"{target} ({address})"


# Whether it can be reached


async def _resolved(patient: Patient, diagnosis: Diagnosis) -> list[str]:
    name = patient.target.id
    try:
        async with asyncio.timeout(patient.check.timeout_s):
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except TimeoutError:
        diagnosis.find("unresolved", f"the name server does not answer for {name} within {patient.check.timeout_s:g} s")
        return []
    except OSError as error:
        reason = error.strerror or str(error)
        diagnosis.find("unresolved", f"the name {name} does not resolve ({reason}): check its spelling and the DNS")
        return []
    # As the balancer does: IPv4 alone, where there is any.
    preferred = [entry for entry in found if entry[0] == socket.AF_INET] or found
    return sorted({str(entry[4][0]) for entry in preferred})


async def _is_reached(address: str, port: int, patient: Patient, diagnosis: Diagnosis) -> bool:
    place = f"{address}:{port}"
    limit = patient.check.timeout_s
    try:
        async with asyncio.timeout(limit):
            _, writer = await asyncio.open_connection(address, port)
    except TimeoutError:
        diagnosis.find(
            "timeout",
            f"no connection to {place} within {limit:g} s: packets are dropped without an answer, as a firewall or security"
            " group does, or the address is wrong",
        )
    except OSError as error:
        if isinstance(error, ConnectionRefusedError):
            why = "the machine is there, but nothing listens on this port: is the server started, on this port and address?"
            diagnosis.find("refused", f"{place} refuses the connection: {why}")
        elif error.errno in _UNREACHABLE:
            diagnosis.find("unreachable", f"there is no way to {address} from here ({_reason(error)})")
        else:
            diagnosis.find("no-connection", f"no connection to {place}: {_reason(error)}")
    else:
        writer.close()
        return True
    return False


# The health check


async def _health_check(address: str, port: int, patient: Patient, diagnosis: Diagnosis) -> None:
    check = patient.check
    result = await probe(Endpoint(patient.target, address), check)
    if result.outcome not in (ProbeOutcome.PASSED, ProbeOutcome.CODE_MISMATCH):
        diagnosis.find("health-check", f"health check {check.path}: {result.detail}")
        return
    try:
        as_checked = await _ask(address, port, request(address, port, check.path), check.timeout_s)
    except _NoAnswer as error:
        diagnosis.find("health-check", f"health check {check.path}: {error}")
        return
    own_host = _host(address, port)
    names = dict.fromkeys((*patient.names, *_own_name(patient.target.id)))
    others = [(name, await _status_for(name, address, port, check)) for name in names]
    better = next((name for name, answer in others if answer is not None and answer.head.status in check.matcher), None)
    if result.outcome is ProbeOutcome.PASSED:
        diagnosis.notes.append(f"answers the health check {check.path} with {result.status} for Host {own_host}")
        for name, answer in others:
            if name not in patient.names or (answer is not None and answer.head.status in check.matcher):
                continue
            shown = "nothing valid" if answer is None else answer.shown
            if answer is not None and answer.head.status in _REDIRECTS:
                # A redirect to HTTPS or to another name may well be meant for clients.
                diagnosis.notes.append(f"answers {check.path} with {shown} for Host {name}")
            else:
                diagnosis.find(
                    "other-host",
                    f"answers {check.path} with {result.status} for Host {own_host}, as the health check asks, but with"
                    f" {shown} for Host {name}, as clients do: another virtual host answers them, which the health check"
                    " does not see",
                )
    elif better is not None:
        diagnosis.find(
            "health-check-host",
            f"answers the health check {check.path} with {as_checked.shown} for Host {own_host}, but as expected"
            f" ({check.matcher.text}) for Host {better}: health checks always have the address as Host. Let the server's"
            " default virtual host answer this path, or do not look at the host there (Django: ALLOWED_HOSTS)",
        )
    elif as_checked.head.status in _REDIRECTS:
        diagnosis.find(
            "redirect",
            f"redirects the health check {check.path} ({as_checked.shown}), which is not followed: set the path to where it"
            f" leads, or leave this path out of the server's redirect, or add {as_checked.head.status} to the matcher",
        )
    else:
        diagnosis.find(
            "health-check",
            f"answers the health check {check.path} with {as_checked.shown}, expected {check.matcher.text}"
            + (": there is no such page, check the path" if as_checked.head.status == 404 else ""),
        )


def _own_name(host: str) -> tuple[str, ...]:
    """The name of a target that is not registered by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return (host,)
    return ()


async def _status_for(name: str, address: str, port: int, check: HealthCheck) -> _Answer | None:
    try:
        return await _ask(address, port, _request_for(name, check.path, "close"), check.timeout_s)
    except _NoAnswer:
        return None


# Idle connections


async def _keep_alive(address: str, patient: Patient, visit: Visit, diagnosis: Diagnosis) -> None:
    port, limit = patient.target.port, patient.check.timeout_s
    host = patient.names[0] if patient.names else _host(address, port)
    try:
        async with asyncio.timeout(limit):
            reader, writer = await asyncio.open_connection(address, port)
        with closing(writer):
            async with asyncio.timeout(limit):
                writer.write(_request_for(host, patient.check.path, "keep-alive"))
                answer = await _read_answer(reader)
            if answer.complete and answer.head.keep_alive:
                told = _KEEP_ALIVE_LINE.search(answer.raw)
                await _watch(reader, int(told[1]) if told else None, visit, diagnosis)
            else:
                diagnosis.notes.append(
                    "closes the connection after each answer: no 502 from that, but every request needs a new one"
                )
    except TimeoutError:
        diagnosis.notes.append(f"idle connections were not watched: no answer within {limit:g} s")
    except OSError as error:
        diagnosis.notes.append(f"idle connections were not watched: {_reason(error)}")
    except _NoAnswer as error:
        diagnosis.notes.append(f"idle connections were not watched: {error}")


async def _watch(reader: asyncio.StreamReader, told_s: int | None, visit: Visit, diagnosis: Diagnosis) -> None:
    begun = monotonic()
    closed_s = None
    # Where the target says that it waits longer than this watch, there is nothing to see.
    if told_s is None or told_s <= visit.wait_s:
        with suppress(TimeoutError):
            async with asyncio.timeout(visit.wait_s):
                await _until_closed(reader)
            closed_s = monotonic() - begun
    evidence = [f"it was closed after {closed_s:.1f} s"] if closed_s is not None else []
    evidence += [f"its answer says Keep-Alive: timeout={told_s}"] if told_s is not None else []
    idle = visit.idle_timeout_s
    after = closed_s if closed_s is not None else told_s
    if after is None:
        more = f"; --wait {idle + 5:g} watches to the end" if idle > visit.wait_s else ""
        diagnosis.notes.append(f"keeps an idle connection open for at least {visit.wait_s:g} s{more}")
    elif after < idle:
        diagnosis.find(
            "keep-alive",
            f"closes idle keep-alive connections after {after:.3g} s ({'; '.join(evidence)}), earlier than the balancer does"
            f" ({idle:g} s): a request that is sent while the target closes gets no answer, and the client a 502. Set the"
            f" server's keep-alive timeout above {idle:g} s (Apache KeepAliveTimeout, nginx keepalive_timeout, Node"
            " server.keepAliveTimeout), or lower idle_timeout.timeout_seconds",
        )
    else:
        diagnosis.notes.append(f"keeps idle connections longer than the balancer's {idle:g} s ({'; '.join(evidence)})")


async def _until_closed(reader: asyncio.StreamReader) -> None:
    try:
        # Some servers say 408 before they close.
        while await reader.read(_READ_BYTES):
            pass
    except ConnectionError:
        return


# Asking


async def _ask(address: str, port: int, data: bytes, limit_s: float) -> _Answer:
    """One request on a connection of its own. Raises _NoAnswer."""
    try:
        async with asyncio.timeout(limit_s):
            reader, writer = await asyncio.open_connection(address, port)
            with closing(writer):
                writer.write(data)
                return await _read_answer(reader)
    except TimeoutError as error:
        raise _NoAnswer(f"no answer within {limit_s:g} s") from error
    except OSError as error:
        raise _NoAnswer(_reason(error)) from error


async def _read_answer(reader: asyncio.StreamReader) -> _Answer:
    """The next final answer with its whole body. Raises _NoAnswer and ConnectionError."""
    responses = ResponseReader()
    data = b""
    while True:
        try:
            head = responses.read(data)
        except BadResponse as error:
            raise _NoAnswer("the answer is not HTTP, or its head is too large") from error
        if head is not None and head.status >= 200:
            break
        if head is not None:
            data = data[head.size :]
            continue
        data += await _more(reader)
    body = frame(head, head_only=False, modern=True)[1]
    rest = data[head.size :]
    size = len(rest)
    try:
        body.feed(rest)
        while not body.done and size <= _LONGEST_BODY:
            more = await reader.read(_READ_BYTES)
            if not more:
                break
            size += len(more)
            body.feed(more)
    except BodyError as error:
        raise _NoAnswer(f"the answer's body is broken: {error}") from error
    return _Answer(head, data[: head.size], body.done)


async def _more(reader: asyncio.StreamReader) -> bytes:
    data = await reader.read(_READ_BYTES)
    if not data:
        raise _NoAnswer("the target closed the connection without an answer")
    return data


def _request_for(host: str, path: str, connection: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\nUser-Agent: lb-doctor\r\nAccept: */*\r\n\r\n"
    ).encode()


def _host(address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address else address
    return host if port == 80 else f"{host}:{port}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
