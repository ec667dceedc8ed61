"""`python -m bench` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import origins, usage, wrk

pytestmark = pytest.mark.skipif(
    bool(origins.missing() or wrk.missing()), reason=f"{origins.missing() or wrk.missing()}"
)


def _bench(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_short_run_prints_a_table_and_writes_the_document(tmp_path):
    file = tmp_path / "result.json"
    with _bench("--peer", "nginx", "--pairs", "1", "--seconds", "1", "--json", str(file)) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "small: 48-byte body" in output
    assert "pair 1 of 1, nginx" in errors
    document = json.loads(file.read_text())
    (sample,) = document["scenarios"]["small"]["samples"]
    assert sample["failed"] == 0
    assert sample["requests_per_s"] > 0
    assert document["scenarios"]["small"]["summary"][0]["ratio"] == 1.0
    assert "proxy_pass" in document["configs"]["nginx"]
    assert document["versions"]["nginx"][0].isdigit()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["pair 1 of 1, nginx", "starting nginx"])
def test_an_interrupt_ends_everything_that_was_started(number, moment):
    with _bench("--peer", "nginx", "--pairs", "1", "--seconds", "30") as process:
        for line in process.stderr:
            if moment in line:
                break
        time.sleep(0.3)
        children = usage.process_tree(process.pid)
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert len(children) > 1 or not Path("/proc").is_dir()
    assert [pid for pid in children if usage.process_tree(pid)] == []


def test_a_file_that_cannot_be_written_is_said_before_the_run():
    with _bench("--json", "/nonexistent/result.json") as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "there is no directory /nonexistent" in errors


def test_without_nginx_it_says_what_to_install(tmp_path):
    environment = {**os.environ, "PATH": str(tmp_path)}
    finished = subprocess.run(
        [sys.executable, "-m", "bench"], env=environment, capture_output=True, text=True, timeout=30
    )
    assert finished.returncode == 2
    assert "nginx is not installed (Debian: apt-get install nginx-light)" in finished.stderr
