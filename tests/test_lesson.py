"""The lesson that this project comes from, with two real Apaches: a health check path that is a directory, not a URL path.

Both targets turn unhealthy, the page alternates all the same, and `lb status` says in words why.
"""

import json
import signal

import pytest

from tests.support.apache import running_apache
from tests.support.lb_process import free_port, get, lb, run_lb, until

pytestmark = pytest.mark.apache

FILE = """\
load_balancers:
  web:
    listeners:
      - port: {port}
        forward: web-servers
target_groups:
  web-servers:
    health_check: {{path: {path}, interval: 1, timeout: 0.9, healthy_threshold: 2, unhealthy_threshold: 2}}
    targets: [{targets}]
"""


def page(number):
    return f"<html><body><p> Web Server {number} </p></body></html>"


@pytest.fixture
def apaches(tmp_path):
    """The ports of two Apaches, each with the lesson's page and a health page in PHP."""
    docroots = []
    for number in (1, 2):
        docroot = tmp_path / f"www{number}"
        docroot.mkdir()
        (docroot / "index.html").write_text(page(number))
        (docroot / "health.php").write_text("<?php http_response_code(200); echo 'up';")
        docroots.append(docroot)
    with running_apache(docroots[0]) as one, running_apache(docroots[1]) as two:
        yield one.port, two.port


def alternates(port, count=20):
    """Whether the two servers take turns, strictly."""
    bodies = [get(port) for _ in range(count)]
    assert {status for status, _ in bodies} == {200}
    return bodies in (
        [(200, page(1)), (200, page(2))] * (count // 2),
        [(200, page(2)), (200, page(1))] * (count // 2),
    )


def test_a_directory_as_health_check_path_and_its_cure(tmp_path, apaches):
    port, api_port = free_port(), free_port()
    file = tmp_path / "lb.yaml"
    targets = ", ".join(f'"127.0.0.1:{each}"' for each in apaches)

    def group():
        return json.loads(get(api_port, "/_lb/status")[1])["target_groups"][0]

    def states():
        return [target["state"] for target in group()["targets"]]

    def told():
        """What `lb status` prints, whatever the width of the terminal makes of it."""
        shown = run_lb("status", "--api", f"http://127.0.0.1:{api_port}", cwd=tmp_path, COLUMNS="250")
        assert shown.returncode == 0
        return " ".join(shown.stdout.split())

    file.write_text(FILE.format(port=port, path="/var/www/html", targets=targets))
    with lb("up", "--api-port", api_port, cwd=tmp_path) as running:
        running.says("AWS APIs and console on")
        until(lambda: states() == ["unhealthy", "unhealthy"], "both unhealthy")
        for target in group()["targets"]:
            assert target["reason"] == "Target.ResponseCodeMismatch"
            assert target["description"] == "Health checks failed with these codes: [404]"
            assert target["last_probe"]["status"] == 404
        assert group()["fail_open"] is True
        assert alternates(port)

        words = told()
        assert "0 of 2" in words
        assert words.count("Health checks failed with these codes: [404]") >= 1
        assert "Target.ResponseCodeMismatch" in words
        assert "fails open" in words
        assert "/var/www/html looks like a directory" in words
        assert "URL path" in words

        file.write_text(FILE.format(port=port, path="/health.php", targets=targets))
        running.signal(signal.SIGHUP)
        running.says("lb.yaml applied")
        until(lambda: states() == ["healthy", "healthy"], "both healthy")
        assert group()["fail_open"] is False
        assert group()["notes"] == []
        assert alternates(port)
        assert "2 of 2" in told()
        assert "fails open" not in told()
        running.signal(signal.SIGTERM)
        assert running.ended() == 0
