"""The overview: what there is, how every target is, and what a change looks like."""

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from lb.app import App
from lb.configfile.reader import read_config
from lb.settings import Settings
from tests.console import scenes
from tests.console.pages import wait_for
from tests.console.stage import console_stage
from tests.support.balancer import free_port

ROWS = "[...document.querySelectorAll('.targets tbody tr')]"
READY = f"{ROWS}.length > 0"
UNHEALTHY = "document.querySelectorAll('td .state.bad').length"


async def rows(page):
    """The texts of the targets' cells: name, state and counter, reason, last probe, requests, in flight."""
    cells = "[...row.children].map(cell => cell.innerText.replace(/\\n+/g, '|'))"
    return await page.evaluate(f"{ROWS}.map(row => {cells})")


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
    api_port, port = free_port(), free_port()
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(await asyncio.start_server(answer, "127.0.0.1", 0)) for _ in "12"]
        targets = [server.sockets[0].getsockname()[1] for server in servers]
        text = scenes.lb_yaml(*(f"127.0.0.1:{each}" for each in targets), path="/var/www/html")
        app = App(Settings(api_port=api_port, data_dir=data))
        stack.push_async_callback(app.close)
        await app.start(read_config(text.replace("8080", str(port)), "lb.yaml"))
        yield api_port, port, targets


async def test_a_running_balancer_is_shown_with_what_its_probes_and_requests_have_met(open_page, tmp_path):
    async with lesson_for_real(tmp_path / "data") as (api_port, port, targets):
        page = await open_page(f"http://127.0.0.1:{api_port}/")
        await wait_for(page, f"{UNHEALTHY} === 2")
        assert [await get(port) for _ in range(4)] == [200] * 4
        await wait_for(page, f"{ROWS}.every(row => row.children[4].textContent === '2')")
        shown = await rows(page)
        notes = await page.locator(".notes").inner_text()
        listener = page.get_by_role("link", name=f"HTTP:{port}")
        assert re.fullmatch(rf"http://web-\d+\.us-east-1\.elb\.localhost:{port}/", await listener.get_attribute("href"))
        await page.close()
    for row, target in zip(shown, targets, strict=True):
        assert row[:3] == [
            f"127.0.0.1:{target}",
            "unhealthy",
            "Health checks failed with these codes: [404]|Target.ResponseCodeMismatch",
        ]
        assert re.fullmatch(r"status 404, expected 200\|\d+ s ago", row[3])
        assert row[4:] == ["2", "0"]
    assert "fails open" in notes
    assert "looks like a directory" in notes


async def test_the_load_balancer_is_found_by_the_link_of_its_dns_name(console_page):
    page = console_page.page
    await wait_for(page, READY)
    await page.get_by_role("link", name=re.compile(r"web-\d+\..*localhost")).click()
    await wait_for(page, "document.body.innerText.includes('Web Server')")
    assert f":{console_page.port}/" in page.url


async def test_a_server_that_stops_and_starts_again_is_seen(console_page):
    page = console_page.page
    await wait_for(page, "document.body.innerText.includes('2 of 2 healthy')")
    await console_page.servers.stop(2)
    await wait_for(page, f"{UNHEALTHY} === 1")
    await console_page.servers.start(2)
    await wait_for(page, f"{UNHEALTHY} === 0")


async def test_a_change_is_drawn_in_place_moves_nothing_and_is_said_once(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        await page.evaluate(f"""
            window.kept = {ROWS}; window.places = kept.map(row => row.getBoundingClientRect().top); window.said = [];
            new MutationObserver(() => said.push(document.getElementById('said').textContent))
                .observe(document.getElementById('said'), {{childList: true, subtree: true, characterData: true}}); 0""")
        shown.show(scenes.one_down())
        await wait_for(page, f"{UNHEALTHY} === 1")
        async with page.expect_response("**/_lb/status"):
            pass
        shown.show(scenes.lesson())
        await wait_for(page, "document.querySelectorAll('.notes li').length === 2")
        assert await page.evaluate(f"{ROWS}.every((row, place) => row === kept[place])")
        assert await page.evaluate("kept.map(row => row.getBoundingClientRect().top)") == await page.evaluate("places")
        first, second = await page.evaluate("said")
    assert first == "web2:80: unhealthy. Health checks failed."
    assert second.startswith("web1:80: unhealthy. Health checks failed with these codes: [404]. No target is healthy")


async def test_targets_that_come_and_go_keep_the_order_of_the_picture(open_page):
    async with console_stage(scenes.all_healthy("a:80", "b:80", "c:80")) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        shown.show(scenes.all_healthy("new:80", "c:80", "a:80"))
        await wait_for(page, f"{ROWS}.some(row => row.textContent.startsWith('new:80'))")
        assert [row[0] for row in await rows(page)] == ["new:80", "c:80", "a:80"]


async def test_a_column_sorts_up_down_and_not_at_all(open_page):
    async with console_stage(scenes.all_healthy("b:80", "c:80", "a:80")) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        head = page.locator(".targets").get_by_role("columnheader", name="Target")
        for order, direction in (("abc", "ascending"), ("cba", "descending"), ("bca", None)):
            await head.get_by_role("button").click()
            assert "".join(row[0][0] for row in await rows(page)) == order
            assert await head.get_attribute("aria-sort") == direction


async def test_a_balancer_that_is_gone_is_told_and_its_return_too(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        assert await page.title() == "2 of 2 healthy - lb"
    await wait_for(page, "document.body.classList.contains('gone')")
    told = await page.locator("#link").text_content()
    assert re.fullmatch(r"no answer since \d\d:\d\d:\d\d, trying again", told)
    assert len(await rows(page)) == 2
    async with console_stage(scenes.one_down(), shown.port):
        await wait_for(page, f"{UNHEALTHY} === 1")
        assert not await page.evaluate("document.body.classList.contains('gone')")
        await page.close()


async def test_a_hidden_tab_asks_for_nothing_until_it_is_seen_again(open_page):
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    event = "document.dispatchEvent(new Event('visibilitychange')); 0"
    asked = []
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url, asked=asked)
        await wait_for(page, READY)
        await page.evaluate(hide % "true" + event)
        await asyncio.sleep(0.2)
        before = len(asked)
        await asyncio.sleep(1.5)
        assert len(asked) == before
        shown.show(scenes.one_down())
        await page.evaluate(hide % "false" + event)
        await wait_for(page, f"{UNHEALTHY} === 1")


@pytest.mark.parametrize("width", [320, 760, 1000, 1600])
async def test_many_targets_with_long_names_fit_into_every_width(open_page, width):
    async with console_stage(scenes.crowd()) as shown:
        page = await open_page(shown.url, width=width)
        await wait_for(page, READY)
        assert len(await rows(page)) == 201
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        wider = f"{ROWS}.filter(row => [...row.children].some(cell => cell.scrollWidth > cell.clientWidth)).length"
        assert await page.evaluate(wider) == 0


@pytest.mark.parametrize("width", [320, 1200])
async def test_a_screen_reader_gets_a_table_with_headers_at_every_width(open_page, width):
    async with console_stage(scenes.one_down()) as shown:
        page = await open_page(shown.url, width=width)
        await wait_for(page, READY)
        table = page.get_by_role("table", name="Targets")
        assert await table.get_by_role("rowheader", name="web2:80").count() == 1
        assert await page.evaluate(f"{ROWS}.map(row => row.querySelectorAll('[role=cell]').length)") == [5, 5]


async def test_text_from_a_target_is_shown_as_text(open_page):
    markup = "no valid answer: <img src=x onerror=alert(1)><b>bold</b>"
    scene = scenes.all_healthy()
    scene.probe((scenes.REFUSED[0], None, markup), "web1:80", times=2)
    async with console_stage(scene) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        assert (await rows(page))[0][3] == f"{markup}|1 s ago"
        assert await page.locator("main img, main b").count() == 0


async def test_without_a_load_balancer_the_page_says_how_to_make_one(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        shown.records.replace_file([])
        shown.shown = {"load_balancers": [], "target_groups": [], "ready": True}
        page = await open_page(shown.url)
        await page.get_by_text("No load balancers").wait_for()
        assert "create-load-balancer" in await page.inner_text("main")
