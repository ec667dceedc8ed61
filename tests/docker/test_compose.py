"""The compose demo for real: the shipped images and docker-compose.yml, and what the lesson does with them."""

import contextlib
import http.client
import json
import re
import socket
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.docker.composition import Composition, create_composition, wait_for

pytestmark = pytest.mark.docker

WEB1 = "<html><body><p> Web Server 1 </p></body></html>"
WEB2 = "<html><body><p> Web Server 2 </p></body></html>"

# compose/lb.yaml: two checks, 5 s apart, each with up to 2 s; and Docker's own time to start or stop a container.
NOTICED_S = 120.0
# Docker kills after 10 s what did not stop by itself.
KILLED = 137


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Composition, list[str]]]:
    """The running demo, and what its very first requests were answered with."""
    composition = create_composition(tmp_path_factory.mktemp("compose"))
    try:
        composition.up("--build")
        yield composition, fetch_pages(composition, 20)
    finally:
        composition.down()


@pytest.fixture
def demo(project: tuple[Composition, list[str]]) -> Composition:
    """The demo with both web servers taking turns, whatever the test before left behind."""
    composition, _ = project
    wait_for(lambda: takes_turns(composition), NOTICED_S, "both web servers in use", composition.logs)
    return composition


def get(composition: Composition, path: str) -> tuple[int, str]:
    """Status and body, over a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", composition.port, timeout=60)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def fetch_pages(composition: Composition, count: int) -> list[str]:
    answers = [get(composition, "/") for _ in range(count)]
    assert [status for status, _ in answers] == [200] * count, answers
    return [body for _, body in answers]


def get_info(composition: Composition) -> dict[str, Any]:
    status, body = get(composition, "/info.php?format=json")
    assert status == 200, body
    page: dict[str, Any] = json.loads(body)
    return page


def states_of(composition: Composition) -> list[str]:
    """Each target's state, as `lb status` tells; not of those that are only being let go."""
    picture = json.loads(composition.run("exec", "-T", "lb", "lb", "status", "--json"))
    states = [target["state"] for group in picture["target_groups"] for target in group["targets"]]
    return [state for state in states if state != "draining"]


def answers_of(composition: Composition, count: int) -> set[tuple[int, str]]:
    return {get(composition, "/") for _ in range(count)}


def takes_turns(composition: Composition) -> bool:
    """Whether both servers answer and nothing is about to change: a server that becomes healthy shifts the turns."""
    return answers_of(composition, 4) == {(200, WEB1), (200, WEB2)} and states_of(composition) == ["healthy"] * 2


def only_web2(composition: Composition) -> bool:
    return answers_of(composition, 6) == {(200, WEB2)}


def assert_strictly_alternating(pages: list[str]) -> None:
    assert set(pages) == {WEB1, WEB2}
    assert all(one != next_one for one, next_one in pairwise(pages)), pages


def test_the_very_first_requests_alternate(project: tuple[Composition, list[str]]) -> None:
    _, first_pages = project
    assert_strictly_alternating(first_pages)


def test_requests_on_one_connection_alternate_too(demo: Composition) -> None:
    pages = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", demo.port, timeout=60)) as connection:
        for _ in range(20):
            connection.request("GET", "/")
            pages.append(connection.getresponse().read().decode())
    assert_strictly_alternating(pages)


def test_the_web_servers_see_the_balancer_connect_and_read_who_asked(demo: Composition) -> None:
    pages = [get_info(demo) for _ in range(2)]
    assert {page["server"] for page in pages} == {"Web Server 1", "Web Server 2"}
    for page in pages:
        assert page["client_address"] == demo.address("lb")
        assert page["x_forwarded_for"] == demo.gateway()
        assert page["forwarded_headers"]["X-Forwarded-Proto"] == "http"
        assert page["forwarded_headers"]["X-Forwarded-Port"] == "8080"
        assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", page["forwarded_headers"]["X-Amzn-Trace-Id"])


def test_both_web_servers_reach_the_database(demo: Composition) -> None:
    for page in (get_info(demo) for _ in range(2)):
        assert page["database"]["outcome"] == "ok", page
        assert "server version" in page["database"]["message"]


def test_a_stopped_server_is_noticed_and_used_again_after_its_start(demo: Composition) -> None:
    (container,) = demo.container_ids("web1")
    demo.run("stop", "web1")
    assert demo.exit_code(container) != KILLED
    wait_for(lambda: only_web2(demo), NOTICED_S, "only web2 answers", demo.logs)
    assert fetch_pages(demo, 30) == [WEB2] * 30

    demo.run("start", "web1")
    wait_for(lambda: takes_turns(demo), NOTICED_S, "web1 in use again", demo.logs)
    assert_strictly_alternating(fetch_pages(demo, 20))


def test_a_server_that_says_it_is_unhealthy_gets_no_requests(demo: Composition) -> None:
    demo.run("exec", "-T", "web1", "health", "down")
    wait_for(lambda: only_web2(demo), NOTICED_S, "only web2 answers", demo.logs)
    assert fetch_pages(demo, 10) == [WEB2] * 10
    demo.run("exec", "-T", "web1", "health", "up")
    wait_for(lambda: takes_turns(demo), NOTICED_S, "web1 in use again", demo.logs)


def test_the_lessons_mistaken_health_check_path_fails_open_and_is_explained(demo: Composition) -> None:
    shipped = demo.configuration.read_text()
    demo.configuration.write_text(shipped.replace("path: /health.php", "path: /var/www/html"))
    try:
        wait_for(lambda: states_of(demo) == ["unhealthy"] * 2, NOTICED_S, "both unhealthy", demo.logs)
        assert_strictly_alternating(fetch_pages(demo, 20))
        told = " ".join(demo.run("exec", "-T", "-e", "COLUMNS=200", "lb", "lb", "status").split())
    finally:
        demo.configuration.write_text(shipped)
    assert "Health checks failed with these codes: [404]" in told
    assert "fails open" in told
    wait_for(lambda: states_of(demo) == ["healthy"] * 2, NOTICED_S, "both healthy again", demo.logs)


def test_scaled_up_every_server_gets_its_share_and_scaled_down_the_rest_take_turns(demo: Composition) -> None:
    demo.run("up", "--detach", "--scale", "web1=2")
    wait_for(lambda: len({get_info(demo)["host"] for _ in range(9)}) == 3, NOTICED_S, "three servers", demo.logs)
    counts = Counter(get_info(demo)["host"] for _ in range(30))
    assert sorted(counts.values()) == [10, 10, 10]

    demo.run("up", "--detach", "--scale", "web1=1")
    wait_for(lambda: takes_turns(demo), NOTICED_S, "two servers again", demo.logs)
    assert len({get_info(demo)["host"] for _ in range(9)}) == 2
    assert_strictly_alternating(fetch_pages(demo, 20))


def test_the_balancer_does_not_run_as_root(demo: Composition) -> None:
    process_1 = demo.run("exec", "-T", "lb", "cat", "/proc/1/status")
    (user_ids,) = re.findall(r"^Uid:\s+(.*)$", process_1, re.MULTILINE)
    assert "0" not in user_ids.split()


def test_the_api_is_published_on_loopback_only(demo: Composition) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", demo.api_port, timeout=60)) as connection:
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((demo.gateway(), demo.api_port), timeout=5)


def test_the_mounted_configuration_is_valid_and_taken_again_on_sighup(demo: Composition) -> None:
    demo.run("exec", "-T", "lb", "lb", "validate", "/etc/lb/lb.yaml")
    demo.run("kill", "-s", "HUP", "lb")
    assert_strictly_alternating(fetch_pages(demo, 20))
    assert demo.inspect("lb")["State"]["Running"]


def test_the_whole_demo_stops_cleanly_and_starts_again(demo: Composition) -> None:
    containers = {service: demo.inspect(service)["Id"] for service in ("lb", "web1", "web2")}
    demo.run("stop")
    assert {service: demo.exit_code(container) for service, container in containers.items()} == dict.fromkeys(
        containers, 0
    )

    demo.run("start")
    demo.wait_until_healthy()
    wait_for(lambda: takes_turns(demo), NOTICED_S, "both web servers in use again", demo.logs)
    assert_strictly_alternating(fetch_pages(demo, 20))
