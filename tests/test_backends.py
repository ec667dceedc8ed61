"""The demo's web servers: the PHP pages and the Apache configuration of backends/, under a real Apache on loopback."""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.apache import Apache, free_port, running_apache
from tests.support.mariadb import MariaDB, mariadb

__all__ = ["mariadb"]  # a fixture: used by name

pytestmark = pytest.mark.apache

BACKENDS = Path(__file__).parent.parent / "backends"
HOSTILE = "<script>\"&'"


@contextlib.contextmanager
def web_server(**environment: str) -> Iterator[Apache]:
    with running_apache(
        BACKENDS / "www",
        beside_docroot=[BACKENDS / "include"],
        snippets=[BACKENDS / "apache" / "web-server.conf"],
        environment=environment,
    ) as apache:
        yield apache


@pytest.fixture(scope="module")
def web1() -> Iterator[Apache]:
    with web_server(WEB_SERVER_NAME="Web Server 1") as apache:
        yield apache


def get(apache: Apache, path: str, headers: Mapping[str, str] | None = None) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", apache.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response, response.read().decode()


def status(apache: Apache, path: str) -> int:
    return get(apache, path)[0].status


def info(apache: Apache, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    response, body = get(apache, "/info.php?format=json", headers)
    assert response.status == 200, body
    page: dict[str, Any] = json.loads(body)
    return page


def database(**settings: str) -> dict[str, Any]:
    """What /info.php says of the database, as JSON; the HTML page must tell the same."""
    with web_server(WEB_SERVER_NAME="Web Server 1", **settings) as apache:
        found: dict[str, Any] = info(apache)["database"]
        assert f"<td>{found['outcome']}</td>" in get(apache, "/info.php")[1]
    return found


# ------------------------------------------------------------------------------------------------ the front page


def run_entrypoint(root: Path, name: str) -> str:
    subprocess.run(
        [BACKENDS / "entrypoint.sh", "true"],
        env={"PATH": os.defpath, "WEB_SERVER_NAME": name, "WEB_ROOT": str(root)},
        check=True,
        timeout=60,
    )
    return (root / "index.html").read_text()


def test_the_front_page_is_exactly_the_lessons_page(web1: Apache) -> None:
    run_entrypoint(web1.docroot, "Web Server 1")
    (web1.docroot / "index.html").chmod(0o644)
    response, body = get(web1, "/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html"
    assert body == "<html><body><p> Web Server 1 </p></body></html>"


def test_a_server_name_with_markup_stays_text(tmp_path: Path) -> None:
    page = run_entrypoint(tmp_path, "a <b> & c")
    assert page == "<html><body><p> a &lt;b&gt; &amp; c </p></body></html>"


def test_a_browser_keeps_no_page_so_that_refresh_reaches_the_balancer(web1: Apache) -> None:
    for path in ("/info.php", "/health.php", "/no-such-page"):
        assert get(web1, path)[0].headers["Cache-Control"] == "no-store", path


def test_idle_connections_are_kept_longer_than_the_balancers_idle_timeout(web1: Apache) -> None:
    response, _ = get(web1, "/health.php", {"Connection": "keep-alive"})
    # No max=: a number of requests after which Apache would close.
    assert response.headers["Keep-Alive"] == "timeout=75"


def test_the_includes_have_no_address(web1: Apache) -> None:
    assert status(web1, "/include/page.php") == 404
    assert status(web1, "/../include/page.php") == 400


# ------------------------------------------------------------------------------------------------ /info.php


def test_info_tells_apart_who_connected_and_who_asked(web1: Apache) -> None:
    trace = "Root=1-67891233-abcdef012345678912345678"
    page = info(
        web1,
        {
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Port": "8080",
            "X-Amzn-Trace-Id": trace,
            "X-Other": "not a forwarded header",
        },
    )
    assert page["server"] == "Web Server 1"
    assert page["host"] == socket.gethostname()
    assert page["server_address"] == f"127.0.0.1:{web1.port}"
    assert page["client_address"] == "127.0.0.1"
    assert page["x_forwarded_for"] == "203.0.113.7"
    assert page["forwarded_headers"] == {
        "X-Amzn-Trace-Id": trace,
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "8080",
        "X-Forwarded-Proto": "http",
    }


def test_info_without_a_balancer_says_so(web1: Apache) -> None:
    page = info(web1)
    assert page["x_forwarded_for"] is None
    assert page["forwarded_headers"] == {}
    assert "did not come through a balancer" in get(web1, "/info.php")[1]


def test_info_shows_headers_as_text_not_as_markup(web1: Apache) -> None:
    for header in ("X-Forwarded-For", "X-Amzn-Trace-Id"):
        body = get(web1, "/info.php", {header: HOSTILE})[1]
        assert "<script>" not in body
        assert "&lt;script&gt;&quot;&amp;&apos;" in body


def test_info_survives_header_bytes_that_are_not_utf8(web1: Apache) -> None:
    response, body = get(web1, "/info.php", {"X-Forwarded-For": "\xff\xfe"})
    assert response.status == 200
    assert "\N{REPLACEMENT CHARACTER}" in body
    assert "\N{REPLACEMENT CHARACTER}" in str(info(web1, {"X-Forwarded-For": "\xff\xfe"})["x_forwarded_for"])


# ------------------------------------------------------------------------------------------------ the database


def test_no_database_configured_is_said() -> None:
    assert database()["outcome"] == "not-configured"


def test_an_unknown_database_host_is_told() -> None:
    found = database(LB_DB_HOST="no-such-host.invalid")
    assert found["outcome"] == "unknown-host"
    assert "LB_DB_HOST" in found["cause"]


def test_a_refused_database_port_is_told() -> None:
    port = free_port()
    found = database(LB_DB_HOST="127.0.0.1", LB_DB_PORT=str(port))
    assert found["outcome"] == "refused"
    assert found["where"] == f"127.0.0.1:{port}"


def test_a_silent_firewall_before_the_database_is_told_soon() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        # Once its queue is full the kernel drops what knocks, as a firewall does.
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(full.getsockname())
        started = time.monotonic()
        found = database(LB_DB_HOST="127.0.0.1", LB_DB_PORT=str(full.getsockname()[1]))
        took_s = time.monotonic() - started
    assert found["outcome"] == "timeout"
    assert "firewall" in found["cause"]
    # Twice 2 s, for database() reads two pages, and Apache's start and stop; PHP itself would wait a minute each time.
    assert took_s < 50


def test_a_port_that_accepts_and_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as mute:
        found = database(LB_DB_HOST="127.0.0.1", LB_DB_PORT=str(mute.getsockname()[1]))
    assert found["outcome"] == "other"
    assert found["milliseconds"] < 20_000


def settings(server: MariaDB) -> dict[str, str]:
    return {
        "LB_DB_HOST": server.host,
        "LB_DB_PORT": str(server.port),
        "LB_DB_USER": server.user,
        "LB_DB_PASSWORD": server.password,
        "LB_DB_NAME": server.database,
    }


@pytest.mark.mysql
def test_a_database_that_answers_tells_its_version(mariadb: MariaDB) -> None:
    found = database(**settings(mariadb))
    assert found["outcome"] == "ok"
    assert re.fullmatch(r"MySQL answers: server version \d+\.\d+.*", found["message"])
    assert found["cause"] == ""


@pytest.mark.mysql
@pytest.mark.parametrize(
    ("wrong", "outcome", "told"),
    [
        ({"LB_DB_PASSWORD": "not this one"}, "wrong-password", "using password: YES"),
        ({"LB_DB_PASSWORD": ""}, "wrong-password", "using password: NO"),
        ({"LB_DB_USER": "nobody"}, "wrong-password", "nobody"),
        ({"LB_DB_USER": "system"}, "wrong-password", "system"),
        ({"LB_DB_NAME": "forbidden"}, "no-access", "forbidden"),
    ],
)
def test_a_database_that_refuses_is_told_apart_from_one_not_reached(
    mariadb: MariaDB, wrong: dict[str, str], outcome: str, told: str
) -> None:
    found = database(**(settings(mariadb) | wrong))
    assert found["outcome"] == outcome
    assert told in found["message"]


@pytest.mark.mysql
def test_a_database_name_that_does_not_exist_is_told(mariadb: MariaDB) -> None:
    mariadb.administer(f"GRANT SELECT ON *.* TO '{mariadb.user}'@'%'")
    try:
        found = database(**(settings(mariadb) | {"LB_DB_NAME": "no_such_database"}))
    finally:
        mariadb.administer(f"REVOKE SELECT ON *.* FROM '{mariadb.user}'@'%'")
    assert found["outcome"] == "unknown-database"


# ------------------------------------------------------------------------------------------------ /health.php


def test_health_is_up_until_switched_down_and_each_server_has_its_own_switch() -> None:
    with web_server(WEB_SERVER_NAME="one") as one, web_server(WEB_SERVER_NAME="two") as two:
        assert [status(one, "/health.php"), status(two, "/health.php")] == [200, 200]
        assert status(one, "/health.php?set=down") == 503
        assert [status(one, "/health.php"), status(two, "/health.php")] == [503, 200]
        assert status(one, "/health.php?set=down") == 503
        assert status(one, "/health.php?set=up") == 200
        assert status(one, "/health.php?set=up") == 200
        assert status(one, "/health.php") == 200


def test_the_health_switch_outlives_a_restart() -> None:
    # Not tmp_path: Apache started by root writes as www-data, and pytest's directories are closed to it.
    with tempfile.TemporaryDirectory() as state:
        Path(state).chmod(0o777)
        with web_server(WEB_STATE_DIR=state) as before:
            assert status(before, "/health.php?set=down") == 503
        with web_server(WEB_STATE_DIR=state) as after:
            assert status(after, "/health.php") == 503


def test_a_health_switch_that_cannot_be_written_is_an_error_not_a_wrong_answer() -> None:
    with web_server(WEB_STATE_DIR="/proc/no-such-directory") as apache:
        response, body = get(apache, "/health.php?set=down")
        assert response.status == 500
        assert "/proc/no-such-directory/down" in body


def test_the_health_page_says_how_to_switch(web1: Apache) -> None:
    body = get(web1, "/health.php")[1]
    assert "/health.php?set=down" in body
    assert "/health.php?set=up" in body
    assert "Answered by <b>Web Server 1</b>" in body


@pytest.mark.parametrize("query", ["set=sideways", "set=", "set[]=down"])
def test_a_health_switch_position_that_does_not_exist_is_refused(web1: Apache, query: str) -> None:
    assert status(web1, f"/health.php?{query}") == 400
    assert status(web1, "/health.php") == 200


# ------------------------------------------------------------------------------------------------ /slow.php, /status.php


def test_slow_waits_as_long_as_asked(web1: Apache) -> None:
    started = time.monotonic()
    assert status(web1, "/slow.php?ms=300") == 200
    assert 0.3 <= time.monotonic() - started < 20


@pytest.mark.parametrize(
    "query", ["", "?ms=", "?ms=-1", "?ms=90001", "?ms=1e3", "?ms[]=1", "?ms=%3Cscript%3E", "?ms=99999999999999999999"]
)
def test_slow_refuses_what_is_no_number_in_its_range(web1: Apache, query: str) -> None:
    response, body = get(web1, f"/slow.php{query}")
    assert response.status == 400
    assert "from 0 to 90000" in body
    assert "<script>" not in body


@pytest.mark.parametrize("code", [200, 204, 299, 301, 304, 404, 418, 500, 503, 599])
def test_status_answers_with_the_status_asked_for(web1: Apache, code: int) -> None:
    assert status(web1, f"/status.php?code={code}") == code


@pytest.mark.parametrize("query", ["", "?code=100", "?code=199", "?code=600", "?code=abc", "?code=200%0d%0aX:1"])
def test_status_refuses_what_is_no_final_status(web1: Apache, query: str) -> None:
    assert status(web1, f"/status.php{query}") == 400


def test_a_directory_of_the_file_system_is_not_a_url_path(web1: Apache) -> None:
    """The lesson's mistake: a health check path of /var/www/html."""
    assert status(web1, "/var/www/html") == 404


def test_php_reported_nothing_while_all_this_ran(web1: Apache) -> None:
    for path in ("/info.php", "/health.php", "/slow.php?ms=0", "/status.php?code=200", "/status.php"):
        get(web1, path)
    assert "PHP" not in web1.error_log()
