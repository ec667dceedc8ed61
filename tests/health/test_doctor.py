"""What the doctor finds at targets: scripted ones, and a real Apache."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lb.health.doctor import Diagnosis, Patient, Visit, examine
from lb.model.config import Target
from tests.health.scripted import Answer, ScriptedTarget, health_check, says, target, then_closes
from tests.support.apache import free_port, running_apache

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
VISIT = Visit(idle_timeout_s=60, wait_s=0.2)
CHECK = health_check(path="/health", interval_s=60)


async def diagnosed(
    port: int, *names: str, visit: Visit = VISIT, host: str = "127.0.0.1", address: str | None = "127.0.0.1"
) -> Diagnosis:
    (diagnosis,) = await examine([Patient("web", Target(host, port), address, CHECK, names)], visit)
    return diagnosis


async def of(answer: Answer, *names: str, visit: Visit = VISIT) -> Diagnosis:
    async with target(answer) as scripted:
        return await diagnosed(scripted.port, *names, visit=visit)


def codes(diagnosis: Diagnosis) -> list[str]:
    return [finding.code for finding in diagnosis.findings]


def by_host(answers: dict[str, bytes], otherwise: bytes) -> Answer:
    """Virtual hosts."""

    async def answer(scripted: ScriptedTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = scripted.heads[-1].split(b"Host: ")[1].split(b"\r\n")[0].decode()
        await says(answers.get(host, otherwise))(scripted, reader, writer)

    return answer


def closes_after(idle_s: float, last_words: bytes = b"", data: bytes = OK) -> Answer:
    """Keeps a connection for so long."""

    async def answer(_: ScriptedTarget, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(idle_s)
        writer.write(last_words)

    return answer


async def test_a_target_without_findings():
    diagnosis = await of(says(OK))
    assert diagnosis.findings == []
    assert diagnosis.notes[0].startswith("answers the health check /health with 200 for Host 127.0.0.1:")
    assert diagnosis.notes[1] == "keeps an idle connection open for at least 0.2 s; --wait 65 watches to the end"


# Whether it can be reached


async def test_a_port_that_nothing_listens_on():
    diagnosis = await diagnosed(free_port())
    assert codes(diagnosis) == ["refused"]
    assert "nothing listens on this port" in diagnosis.findings[0].message


async def test_a_target_that_drops_packets():
    # A full backlog: Linux leaves further connection requests without an answer.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        try:
            for each in fillers:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            patient = Patient("web", Target("127.0.0.1", port), "127.0.0.1", health_check(timeout_s=1))
            (diagnosis,) = await examine([patient], VISIT)
        finally:
            for each in fillers:
                each.close()
    assert codes(diagnosis) == ["timeout"]
    assert "no connection to 127.0.0.1" in diagnosis.findings[0].message


async def test_a_name_that_does_not_resolve():
    diagnosis = await diagnosed(80, host="no-such-host.invalid", address=None)
    assert codes(diagnosis) == ["unresolved"]
    assert diagnosis.target == "no-such-host.invalid:80"


async def test_a_name_is_examined_at_its_address():
    async with target(says(OK)) as scripted:
        diagnosis = await diagnosed(scripted.port, host="localhost", address=None)
    assert diagnosis.findings == []
    assert diagnosis.target == f"localhost:{scripted.port} (127.0.0.1)"


async def test_a_health_check_on_another_port_leaves_the_traffic_port_in_view():
    async with target(says(OK)) as scripted:
        check = health_check(path="/health", interval_s=60, port=scripted.port)
        (diagnosis,) = await examine([Patient("web", Target("127.0.0.1", free_port()), "127.0.0.1", check)], VISIT)
    assert codes(diagnosis) == ["refused"]
    assert diagnosis.notes[0].startswith("answers the health check")


# The health check


async def test_a_redirect_is_told_with_where_it_leads():
    moved = b"HTTP/1.1 301 Moved\r\nLocation: https://shop.example/health\r\nContent-Length: 0\r\n\r\n"
    diagnosis = await of(says(moved))
    assert codes(diagnosis) == ["redirect"]
    assert "(301 to https://shop.example/health)" in diagnosis.findings[0].message


async def test_a_virtual_host_that_knows_only_its_name():
    moved = b"HTTP/1.1 301 Moved\r\nLocation: http://shop.example/\r\nContent-Length: 0\r\n\r\n"
    diagnosis = await of(by_host({"shop.example": OK}, moved), "shop.example")
    assert codes(diagnosis) == ["health-check-host"]
    assert "but as expected (200) for Host shop.example" in diagnosis.findings[0].message


async def test_a_virtual_host_that_fails_while_the_default_one_answers():
    broken = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
    diagnosis = await of(by_host({"shop.example": broken}, OK), "shop.example")
    assert codes(diagnosis) == ["other-host"]
    assert "with 500 for Host shop.example" in diagnosis.findings[0].message


async def test_a_redirect_for_clients_only_is_no_finding():
    moved = b"HTTP/1.1 301 Moved\r\nLocation: https://shop.example/\r\nContent-Length: 0\r\n\r\n"
    diagnosis = await of(by_host({"shop.example": moved}, OK), "shop.example")
    assert diagnosis.findings == []
    assert "answers /health with 301 to https://shop.example/ for Host shop.example" in diagnosis.notes


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            says(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
            "answers the health check /health with 404, expected 200: there is no such page, check the path",
        ),
        (says(b"SSH-2.0-OpenSSH\r\n\r\n"), "health check /health: no valid answer: not HTTP, or its head is too large"),
        (then_closes(b""), "health check /health: no valid answer: the target closed the connection"),
    ],
)
async def test_a_health_check_that_fails(answer: Callable[..., Awaitable[None]], message: str):
    diagnosis = await of(answer)
    assert [finding.message for finding in diagnosis.findings] == [message]


async def test_a_target_that_never_answers():
    check = health_check(path="/health", timeout_s=0.2)
    async with target(says(b"")) as scripted:
        patient = Patient("web", Target("127.0.0.1", scripted.port), "127.0.0.1", check)
        (diagnosis,) = await examine([patient], VISIT)
    assert [finding.message for finding in diagnosis.findings] == ["health check /health: no answer within 0.2 s"]
    assert diagnosis.notes == ["idle connections were not watched: no answer within 0.2 s"]


# Idle connections


async def test_a_connection_that_is_closed_early():
    diagnosis = await of(closes_after(0.3), visit=Visit(60, 20))
    assert codes(diagnosis) == ["keep-alive"]
    message = diagnosis.findings[0].message
    assert re.search(r"closes idle keep-alive connections after (0\.[3-9]|[1-9])", message), message
    assert "earlier than the balancer does (60 s)" in message
    assert "the client a 502" in message


async def test_last_words_do_not_hide_the_close():
    goodbye = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    assert codes(await of(closes_after(0.2, goodbye), visit=Visit(60, 20))) == ["keep-alive"]


async def test_a_connection_that_outlives_the_balancers_timeout():
    diagnosis = await of(closes_after(0.6), visit=Visit(0.3, 20))
    assert diagnosis.findings == []
    assert diagnosis.notes[1].startswith("keeps idle connections longer than the balancer's 0.3 s")


async def test_the_header_alone_is_evidence_without_waiting():
    kept = b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 2\r\n\r\nok"
    diagnosis = await of(says(kept), visit=Visit(60, 0.2))
    assert codes(diagnosis) == ["keep-alive"]
    assert "after 5 s (its answer says Keep-Alive: timeout=5)" in diagnosis.findings[0].message
    diagnosis = await of(says(kept.replace(b"timeout=5", b"timeout=75")), visit=Visit(60, 0.2))
    assert diagnosis.findings == []


async def test_a_target_that_never_keeps_connections():
    diagnosis = await of(then_closes(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
    assert diagnosis.findings == []
    assert diagnosis.notes[1].startswith("closes the connection after each answer")


async def test_a_chunked_answer_is_read_to_its_end():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    assert codes(await of(closes_after(0.2, data=chunked), visit=Visit(60, 20))) == ["keep-alive"]


async def test_targets_are_examined_at_once():
    async with target(says(OK)) as one, target(says(OK)) as other:
        patients = [Patient("web", Target("127.0.0.1", each.port), "127.0.0.1", CHECK) for each in (one, other) * 5]
        async with asyncio.timeout(20):
            diagnoses = await examine(patients, Visit(60, 2.5))
    assert [each.target for each in diagnoses] == [str(each.target) for each in patients]


@pytest.mark.apache
async def test_a_real_apache_that_closes_after_one_second(tmp_path: Path):
    docroot = tmp_path / "docroot"
    docroot.mkdir()
    (docroot / "health").write_text("ok\n")
    snippet = tmp_path / "keep-alive.conf"
    snippet.write_text("KeepAlive On\nKeepAliveTimeout 1\n")
    with running_apache(docroot, snippets=[snippet]) as apache:
        diagnosis = await diagnosed(apache.port, visit=Visit(60, 20))
    assert codes(diagnosis) == ["keep-alive"]
    message = diagnosis.findings[0].message
    assert "its answer says Keep-Alive: timeout=1" in message
    assert re.search(r"it was closed after [1-9]", message), message
