"""The open-model generator against real servers on loopback."""

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from bench.guard import NotLoopbackError
from bench.open_rate import Arrivals, main, run_open_rate

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
ERROR = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


class Server:
    """Counts requests and answers each with what `answer` returns (None: close), in a thread with a loop of its own."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = 0
        self.connections = 0
        self.arrived_at = []

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests += 1
                self.arrived_at.append(time.monotonic())
                reply = self.answer(self.requests)
                if asyncio.iscoroutine(reply):
                    reply = await reply
                if reply is None:
                    return
                # In two pieces: an answer need not come whole.
                writer.write(reply[:20])
                await writer.drain()
                writer.write(reply[20:])
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


@contextmanager
def serving(answer):
    server = Server(answer)
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(server.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def close():
        listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield server, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    finally:
        asyncio.run_coroutine_threadsafe(close(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def test_every_scheduled_request_is_sent_once_and_answered():
    with serving(lambda _: OK) as (server, url):
        result = run_open_rate(url, Arrivals(rate_per_s=200, seconds=0.5, connections=4))
    assert (result.intended, result.sent, result.answered, server.requests) == (100, 100, 100, 100)
    assert result.failed == {}
    assert server.connections == 4
    assert result.corrected.p50_ms >= result.uncorrected.p50_ms > 0


def test_requests_are_spread_over_the_time_and_not_sent_in_a_burst():
    with serving(lambda _: OK) as (server, url):
        run_open_rate(url, Arrivals(rate_per_s=25, seconds=2, connections=4))
    took = server.arrived_at[-1] - server.arrived_at[0]
    assert 1.5 < took < 20
    middle = server.arrived_at[25] - server.arrived_at[0]
    assert middle > 0.5


def test_a_stall_shows_in_the_corrected_column_for_all_requests_that_had_to_wait():
    async def stall_once(number):
        if number == 10:
            await asyncio.sleep(1.2)
        return OK

    with serving(stall_once) as (_, url):
        result = run_open_rate(url, Arrivals(rate_per_s=50, seconds=2, connections=1))
    assert result.answered == 100
    # One request saw the stall; about sixty were due while it lasted.
    assert result.uncorrected.p90_ms < 600
    assert result.corrected.p50_ms > 120
    assert result.corrected.p90_ms > 800
    assert result.corrected.max_ms >= 1190


def test_answers_other_than_2xx_are_failures_by_status():
    with serving(lambda number: ERROR if number % 2 else OK) as (_, url):
        result = run_open_rate(url, Arrivals(rate_per_s=100, seconds=0.2, connections=1))
    assert result.failed == {"status 503": 10}
    assert result.answered == 10
    assert len(result.failures) == 10
    assert result.failures[0].how == "status 503"


def test_a_closed_connection_is_a_failure_and_is_replaced():
    with serving(lambda number: None if number == 5 else OK) as (server, url):
        result = run_open_rate(url, Arrivals(rate_per_s=100, seconds=0.3, connections=2))
    assert result.failed == {"connection closed": 1}
    assert result.answered == 29
    assert server.connections == 3


def test_a_server_that_never_answers_is_not_waited_for_beyond_the_limit():
    async def never(_):
        await asyncio.sleep(60)

    began = time.monotonic()
    with serving(never) as (_, url):
        result = run_open_rate(url, Arrivals(rate_per_s=50, seconds=0.2, connections=2, drain_s=0.2))
    assert time.monotonic() - began < 30
    assert result.failed == {"no answer": 2, "never sent: no free connection": 8}
    assert result.corrected is None


def test_an_answer_without_a_length_is_a_failure():
    with serving(lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") as (_, url):
        result = run_open_rate(url, Arrivals(rate_per_s=50, seconds=0.1, connections=1))
    assert result.answered == 0
    assert result.failed["connection closed"] >= 1


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://0.0.0.0:8080/", "https://127.0.0.1/"])
def test_other_targets_are_refused_before_anything_is_sent(url, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(NotLoopbackError):
        run_open_rate(url, Arrivals(rate_per_s=1, seconds=0.1))


def test_the_program_refuses_other_targets_in_one_line():
    outcome = CliRunner().invoke(main, ["http://192.0.2.1:8080/", "--rate", "10"])
    assert outcome.exit_code == 2
    assert "is not a loopback address" in outcome.output


def test_the_program_reports_in_text_and_in_json():
    with serving(lambda _: OK) as (_, url):
        arguments = [url, "--rate", "100", "--seconds", "0.2"]
        text = CliRunner().invoke(main, arguments)
        as_json = CliRunner().invoke(main, [*arguments, "--json"])
    assert text.exit_code == 0
    assert "20 of 20 requests answered" in text.output
    assert "uncorrected" in text.output
    document = json.loads(as_json.output)
    assert document["answered"] == 20
    assert document["corrected"].keys() == {"p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"}


def test_the_program_ends_with_1_when_a_request_failed_and_when_nobody_listens():
    with serving(lambda _: ERROR) as (_, url):
        failing = CliRunner().invoke(main, [url, "--rate", "50", "--seconds", "0.1"])
    assert failing.exit_code == 1
    assert "5 x status 503" in failing.output
    gone = CliRunner().invoke(main, [url, "--rate", "50", "--seconds", "0.1"])
    assert gone.exit_code == 1
    assert "cannot reach" in gone.output
