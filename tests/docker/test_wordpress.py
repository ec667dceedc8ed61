"""`docker compose --profile wordpress up` for real: two WordPress servers that are one site to whoever comes through lb."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from urllib.parse import urlencode

import pytest

from tests.docker.browser import Browser, Page
from tests.docker.composition import Composition, create_composition, wait_for

pytestmark = pytest.mark.docker

BOTH = {"Web Server 1", "Web Server 2"}

# compose/wordpress/lb.yaml: two checks, 5 s apart, each with up to 4 s; and Docker's own time to start or stop a container.
NOTICED_S = 180.0

PICTURE = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    composition = create_composition(tmp_path_factory.mktemp("compose"), wordpress=True)
    try:
        composition.up("--build")
        yield composition
    finally:
        composition.down()
    assert composition.volumes() == []


@pytest.fixture
def site(project: Composition) -> Composition:
    """The site with both servers taking turns, whatever the test before left behind."""
    browser = Browser(project.wordpress_port)
    wait_for(lambda: set(servers_of(browser, 4)) == BOTH, NOTICED_S, "both servers in use", project.logs)
    return project


@pytest.fixture
def admin(site: Composition) -> Browser:
    """Logged in, once."""
    browser = Browser(site.wordpress_port)
    assert browser.ask("/wp-login.php").status == 200
    form = {"log": "admin", "pwd": "lesson", "testcookie": "1", "redirect_to": f"{browser.site}/wp-admin/"}
    answer = browser.ask("/wp-login.php", urlencode(form).encode())
    assert (answer.status, answer.headers["Location"]) == (302, f"{browser.site}/wp-admin/"), answer.text
    return browser


def servers_of(browser: Browser, count: int) -> list[str]:
    """Who answers; an answer of the balancer's own counts as nobody's."""
    return [browser.ask("/").server for _ in range(count)]


def dashboard(browser: Browser) -> Page:
    """A page that only those see who are logged in: others are sent to log in."""
    page = browser.ask("/wp-admin/profile.php")
    assert page.status == 200, (page.server, page.headers["Location"])
    assert 'value="admin"' in page.text
    return page


def publish(browser: Browser, route: str, data: bytes, **headers: str) -> dict[str, str]:
    """What WordPress's REST API made. The nonce comes from one server and is good on the other."""
    nonce = browser.ask("/wp-admin/admin-ajax.php?action=rest-nonce")
    made = browser.ask(
        f"/?rest_route=/wp/v2/{route}",
        data,
        {"X-WP-Nonce": nonce.text, **{k.replace("_", "-"): v for k, v in headers.items()}},
    )
    assert made.status == 201, made.text
    assert made.server != nonce.server
    answer: dict[str, str] = json.loads(made.text)
    return answer


def post(browser: Browser, title: str) -> str:
    """Publishes a post; its path."""
    data = json.dumps({"title": title, "content": "Seen on both.", "status": "publish"}).encode()
    return publish(browser, "posts", data, Content_Type="application/json")["link"].removeprefix(browser.site)


def on_both(ask: Callable[[], Page]) -> list[Page]:
    """The same from each server."""
    pages = [ask(), ask()]
    assert {page.server for page in pages} == BOTH
    return pages


def test_the_two_servers_take_turns_and_say_who_they_are(site: Composition) -> None:
    browser = Browser(site.wordpress_port)
    pages = [browser.ask("/") for _ in range(10)]
    assert [page.status for page in pages] == [200] * 10
    assert all(one.server != next_one.server for one, next_one in pairwise(pages))
    for page in pages:
        assert re.findall(r'<p id="web-server"[^>]*>([^<]*)</p>', page.text) == [page.server]


def test_links_lead_back_to_the_balancer(site: Composition) -> None:
    browser = Browser(site.wordpress_port)
    for page in on_both(lambda: browser.ask("/")):
        assert f'href="{browser.site}' in page.text
        assert set(re.findall(r"""(?:href|src)=["'](https?://(?:127\.0\.0\.1|localhost)[^/"']*)""", page.text)) == {
            browser.site
        }


def test_who_is_not_logged_in_is_sent_to_log_in_by_both(site: Composition) -> None:
    browser = Browser(site.wordpress_port)
    for page in on_both(lambda: browser.ask("/wp-admin/profile.php")):
        assert page.status == 302
        assert page.headers["Location"].startswith(f"{browser.site}/wp-login.php?")


def test_a_login_outlives_the_alternation(admin: Browser) -> None:
    servers = [dashboard(admin).server for _ in range(10)]
    assert set(servers) == BOTH
    assert all(one != next_one for one, next_one in pairwise(servers)), servers


def test_a_post_made_on_one_server_is_seen_on_the_other(admin: Browser, site: Composition) -> None:
    path = post(admin, "Written on one server")
    visitor = Browser(site.wordpress_port)
    for page in on_both(lambda: visitor.ask(path)):
        assert page.status == 200
        assert "Written on one server" in page.text


def test_a_picture_uploaded_to_one_server_is_served_by_both(admin: Browser, site: Composition) -> None:
    disposition = 'attachment; filename="dot.gif"'
    made = publish(admin, "media", PICTURE, Content_Type="image/gif", Content_Disposition=disposition)
    path = made["source_url"].removeprefix(admin.site)
    visitor = Browser(site.wordpress_port)
    for page in on_both(lambda: visitor.ask(path)):
        assert (page.status, page.headers["Content-Type"]) == (200, "image/gif")


def test_a_stopped_server_costs_nobody_the_login_and_finds_everything_again(admin: Browser, site: Composition) -> None:
    path = post(admin, "Written before the stop")
    site.run("stop", "wordpress1")
    wait_for(lambda: servers_of(admin, 4) == ["Web Server 2"] * 4, NOTICED_S, "only Web Server 2 answers", site.logs)
    assert [dashboard(admin).server for _ in range(5)] == ["Web Server 2"] * 5

    site.run("start", "wordpress1")
    wait_for(lambda: set(servers_of(admin, 4)) == BOTH, NOTICED_S, "Web Server 1 in use again", site.logs)
    on_both(lambda: dashboard(admin))
    for page in on_both(lambda: admin.ask(path)):
        assert "Written before the stop" in page.text


def test_apache_does_not_know_the_passwords_of_the_setup(site: Composition) -> None:
    environment = site.run("exec", "-T", "wordpress1", "sh", "-c", "cat /proc/1/environ").split("\0")
    names = {line.partition("=")[0] for line in environment}
    assert "LB_DB_PASSWORD" in names
    assert names.isdisjoint({"LB_DB_ROOT_PASSWORD", "LB_WORDPRESS_PASSWORD"})


def test_the_servers_of_the_demo_are_not_disturbed(site: Composition) -> None:
    assert site.run("exec", "-T", "lb", "lb", "status", "--ready").strip() == "ready"
