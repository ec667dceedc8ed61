"""The status page in a real browser, against the real API server."""

import asyncio
import re
import socket
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from lb.app import App
from lb.configfile.reader import read_config
from lb.settings import Settings
from tests.console import scenes
from tests.console.browser import chromium
from tests.console.stage import PAGE, stage

ROWS = "[...document.querySelectorAll('tbody tr')]"
READY = f"{ROWS}.length > 0"


@pytest.fixture
async def page(tmp_path: Path):
    async with chromium(tmp_path / "profile") as opened:
        yield opened
    assert opened.complaints == []


def free_ports(count):
    """Loopback ports that nothing listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


async def rows(page):
    """The texts of the targets' cells: name, state and counter, reason, last probe, requests, in flight."""
    cells = "[...row.children].map(cell => [...cell.childNodes].map(node => node.textContent).join('|'))"
    return await page.run(f"{ROWS}.map(row => {cells})")


async def answer(reader, writer):
    """A web server that, as Apache, has no /var/www/html below its document root."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = b"404 Not Found" if head.startswith(b"GET /var/www/html ") else b"200 OK"
    writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
    await writer.drain()
    writer.close()


async def get(port):
    """The status of one request over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1])


@asynccontextmanager
async def lesson_for_real(data):
    """A running balancer, its two targets both checked at /var/www/html; yields the ports of API, listener, targets."""
    api_port, port = free_ports(2)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(await asyncio.start_server(answer, "127.0.0.1", 0)) for _ in "12"]
        targets = [server.sockets[0].getsockname()[1] for server in servers]
        text = scenes.lb_yaml(*(f"127.0.0.1:{each}" for each in targets), path="/var/www/html")
        app = App(Settings(api_port=api_port, data_dir=data))
        stack.push_async_callback(app.close)
        await app.start(read_config(text.replace("8080", str(port)), "lb.yaml"))
        yield api_port, port, targets


async def test_a_running_balancer_is_shown_with_what_its_probes_and_requests_have_met(page, tmp_path):
    async with lesson_for_real(tmp_path / "data") as (api_port, port, targets):
        await page.open(f"http://127.0.0.1:{api_port}/")
        await page.wait("document.querySelectorAll('td .unhealthy').length === 2")
        assert [await get(port) for _ in range(4)] == [200] * 4
        await page.wait(f"{ROWS}.every(row => row.children[4].textContent === '2')")
        shown = await rows(page)
        notes = await page.run("document.querySelector('.notes').innerText")
        link = await page.run("document.querySelector('.listeners a').href")
    for row, target in zip(shown, targets, strict=True):
        assert row[:3] == [
            f"127.0.0.1:{target}|",
            "unhealthy|",
            "Health checks failed with these codes: [404]|Target.ResponseCodeMismatch",
        ]
        assert re.fullmatch(r"status 404, expected 200\|\d+ s ago", row[3])
        assert row[4:] == ["2", "0"]
    assert "fails open" in notes
    assert "looks like a directory" in notes
    assert link == f"http://127.0.0.1:{port}/"


async def test_nothing_but_the_page_and_the_picture_is_asked_for(page):
    async with stage(scenes.all_healthy().picture()) as shown:
        await page.open(f"{shown.url}/")
        await page.wait(READY)
    assert {address for address in page.asked if not address.startswith("data:")} == {
        f"{shown.url}/",
        f"{shown.url}/_lb/status",
    }


async def test_a_change_is_drawn_in_place_moves_nothing_and_is_said_once(page):
    async with stage(scenes.all_healthy().picture()) as shown:
        await page.open(f"{shown.url}/")
        await page.wait(READY)
        await page.run(f"""
            window.kept = {ROWS}; window.places = kept.map(row => row.getBoundingClientRect().top); window.said = [];
            new MutationObserver(() => said.push(document.getElementById('said').textContent))
                .observe(document.getElementById('said'), {{childList: true, subtree: true, characterData: true}}); 0""")
        shown.shown = scenes.one_down().picture()
        await page.wait("document.querySelectorAll('td .unhealthy').length === 1")
        drawn = len([address for address in page.asked if address.endswith("/_lb/status")])
        shown.shown = scenes.lesson().picture()
        await page.wait("document.querySelectorAll('.notes li').length === 2")
        assert len([address for address in page.asked if address.endswith("/_lb/status")]) > drawn
        assert await page.run(f"{ROWS}.every((row, place) => row === kept[place])")
        assert await page.run("kept.map(row => row.getBoundingClientRect().top)") == await page.run("places")
        first, second = await page.run("said")
    assert first == "web2:80 is unhealthy: Health checks failed."
    assert second.startswith("web1:80 is unhealthy: Health checks failed with these codes: [404]. No target is healthy")


async def test_targets_that_come_and_go_keep_the_order_of_the_picture(page):
    async with stage(scenes.all_healthy("a:80", "b:80", "c:80").picture()) as shown:
        await page.open(f"{shown.url}/")
        await page.wait(READY)
        shown.shown = scenes.all_healthy("new:80", "c:80", "a:80").picture()
        await page.wait(f"{ROWS}.some(row => row.textContent.startsWith('new:80'))")
        assert [row[0] for row in await rows(page)] == ["new:80|", "c:80|", "a:80|"]


async def test_a_balancer_that_is_gone_is_told_and_its_return_too(page):
    async with stage(scenes.all_healthy().picture()) as shown:
        await page.open(f"{shown.url}/")
        await page.wait(READY)
        assert await page.run("document.title") == "2 of 2 healthy - load balancer status"
    await page.wait("document.body.classList.contains('gone')")
    assert re.fullmatch(
        r"no answer since \d\d:\d\d:\d\d, trying again", await page.run("document.getElementById('link').textContent")
    )
    assert await page.run("document.title") == "No answer - load balancer status"
    assert len(await rows(page)) == 2
    async with stage(scenes.one_down().picture(), shown.port):
        await page.wait("document.querySelectorAll('td .unhealthy').length === 1")
        assert not await page.run("document.body.classList.contains('gone')")


async def test_a_hidden_tab_asks_for_nothing_until_it_is_seen_again(page):
    async with stage(scenes.all_healthy().picture()) as shown:
        await page.open(f"{shown.url}/")
        await page.wait(READY)
        hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
        event = "document.dispatchEvent(new Event('visibilitychange')); document.getElementById('link').textContent"
        assert await page.run(hide % "true" + event) == "paused while this tab is hidden"
        await asyncio.sleep(0.2)
        asked = len(page.asked)
        await asyncio.sleep(1.5)
        assert len(page.asked) == asked
        shown.shown = scenes.one_down().picture()
        await page.run(hide % "false" + event)
        await page.wait("document.querySelectorAll('td .unhealthy').length === 1")


@pytest.mark.parametrize("width", [320, 760, 1000, 1600])
async def test_many_targets_with_long_names_fit_into_every_width(page, width):
    async with stage(scenes.crowd().picture()) as shown:
        await page.open(f"{shown.url}/", width=width)
        await page.wait(READY)
        assert len(await rows(page)) == 201
        assert await page.run("document.documentElement.scrollWidth") <= width
        wider = f"{ROWS}.filter(row => [...row.children].some(cell => cell.scrollWidth > cell.clientWidth)).length"
        assert await page.run(wider) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_what_is_behind_it(page, scheme):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    contrast = """
    (() => {
      const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(Number)
          .map(each => each / 255).map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = (node) => {
        const colour = getComputedStyle(node).backgroundColor;
        return colour === "rgba(0, 0, 0, 0)" ? behind(node.parentElement) : colour;
      };
      const leaves = [...document.body.querySelectorAll(":not(script, noscript, style)")]
        .filter(node => [...node.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.trim()));
      return leaves.map(node => {
        const [dim, bright] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
        return [(bright + 0.05) / (dim + 0.05), node.textContent];
      }).filter(([ratio]) => ratio < 4.5);
    })()"""
    async with stage(scenes.crowd().picture()) as shown:
        await page.open(f"{shown.url}/", scheme=scheme)
        await page.wait(READY)
        assert await page.run(contrast) == []
        shown.shown = scenes.lesson().picture()
        await page.wait("document.querySelectorAll('.notes li').length === 2")
        assert await page.run(contrast) == []


@pytest.mark.parametrize("width", [320, 1200])
async def test_a_screen_reader_gets_a_table_with_headers_at_every_width(page, width):
    async with stage(scenes.one_down().picture()) as shown:
        await page.open(f"{shown.url}/", width=width)
        await page.wait(READY)
        await page.call("Accessibility.enable")
        nodes = (await page.call("Accessibility.getFullAXTree"))["nodes"]
    told = [(node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]]
    assert ("table", "Targets of web-servers") in told
    assert ("rowheader", "web2:80") in told
    assert [role for role, _ in told].count("cell") == 10
    assert ("status", "") in told


async def test_text_from_a_target_is_shown_as_text(page):
    markup = "no valid answer: <img src=x onerror=alert(1)><b>bold</b>"
    scene = scenes.all_healthy()
    scene.probe((scenes.REFUSED[0], None, markup), "web1:80", times=2)
    async with stage(scene.picture()) as shown:
        await page.open(f"{shown.url}/")
        await page.wait(READY)
        assert (await rows(page))[0][3] == f"{markup}|1 s ago"
        assert await page.run("document.querySelectorAll('img, b').length") == 0


def test_the_page_is_one_small_file_that_names_no_other_host():
    content = PAGE.read_text()
    assert len(content.encode()) < 20_000
    assert re.findall(r"https?://[^\s`$]+", content) == []
    assert "innerHTML" not in content
