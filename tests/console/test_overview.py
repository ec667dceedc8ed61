"""The overview: what there is, how every target is, and what a change looks like."""

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import expect

from lb.app import App
from lb.configfile.reader import read_config
from lb.settings import Settings
from tests.console import scenes
from tests.console.pages import pass_time, until_quiet, wait_for
from tests.console.stage import console_stage
from tests.support.ports import free_port

ROWS = "[...document.querySelectorAll('.targets tbody tr')]"
NAMES = ".targets tbody [role=rowheader]"
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
        served = "row.children[4].textContent === '2' && row.children[5].textContent === '0'"
        await wait_for(page, f"{ROWS}.every(row => {served})")
        shown = await rows(page)
        await expect(page.locator(".notes")).to_contain_text("fails open")
        await expect(page.locator(".notes")).to_contain_text("looks like a directory")
        korean = await open_page(f"http://127.0.0.1:{api_port}/", locale="ko-KR")
        await expect(korean.locator(".notes li")).to_contain_text(["fail-open으로 동작", "디렉터리처럼"])
        await korean.close()
        listener = page.get_by_role("link", name=f"HTTP:{port}")
        address = re.compile(rf"^http://web-\d+\.us-east-1\.elb\.localhost:{port}/$")
        await expect(listener).to_have_attribute("href", address)
        await page.close()
    for row, target in zip(shown, targets, strict=True):
        assert row[:3] == [
            f"127.0.0.1:{target}",
            "unhealthy",
            "Health checks failed with these codes: [404]|Target.ResponseCodeMismatch",
        ]
        assert re.fullmatch(r"status 404, expected 200\|\d+ s ago", row[3])
        assert row[4:] == ["2", "0"]


async def test_the_load_balancer_is_found_by_the_link_of_its_dns_name(console_page):
    page = console_page.page
    await wait_for(page, READY)
    await page.get_by_role("link", name=re.compile(r"web-\d+\..*localhost")).click()
    await wait_for(page, "document.body.innerText.includes('Web Server')")
    await expect(page).to_have_url(re.compile(f":{console_page.port}/"))


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
        await wait_for(page, f"{UNHEALTHY} === 1 && said.length === 1")
        shown.show(scenes.lesson())
        await wait_for(page, "document.querySelectorAll('.notes li').length === 2")
        await wait_for(page, "said.length === 2")
        # Nothing new is to be said of what is drawn again.
        async with page.expect_request("**/_lb/status?lang=*"):
            pass
        async with page.expect_request("**/_lb/status?lang=*"):
            pass
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
        await expect(page.locator(NAMES)).to_have_text(["new:80", "c:80", "a:80"])


async def test_a_column_sorts_up_down_and_not_at_all(open_page):
    async with console_stage(scenes.all_healthy("b:80", "c:80", "a:80")) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        head = page.locator(".targets").get_by_role("columnheader", name="Target")
        for order, direction in (("abc", "ascending"), ("cba", "descending"), ("bca", None)):
            await head.get_by_role("button").click()
            await expect(page.locator(NAMES)).to_have_text([f"{name}:80" for name in order])
            if direction is None:
                await expect(head).not_to_have_attribute("aria-sort", re.compile(""))
            else:
                await expect(head).to_have_attribute("aria-sort", direction)


async def test_a_balancer_that_is_gone_is_told_and_its_return_too(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        await expect(page).to_have_title("2 of 2 healthy - lb")
    await wait_for(page, "document.body.classList.contains('gone')")
    told = re.compile(r"^no answer since \d\d:\d\d:\d\d, trying again$")
    await expect(page.locator("#link")).to_have_text(told)
    await expect(page.locator(NAMES)).to_have_count(2)
    async with console_stage(scenes.one_down(), shown.port):
        await wait_for(page, f"{UNHEALTHY} === 1")
        await wait_for(page, "!document.body.classList.contains('gone')")
        await page.close()


async def test_a_hidden_tab_asks_for_nothing_until_it_is_seen_again(open_page):
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    event = "document.dispatchEvent(new Event('visibilitychange')); 0"
    asked = []
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url, asked=asked)
        await wait_for(page, READY)
        await page.evaluate(hide % "true" + event)
        await until_quiet(asked)
        before = len(asked)
        await pass_time(page, 1500)
        assert len(asked) == before
        shown.show(scenes.one_down())
        await page.evaluate(hide % "false" + event)
        await wait_for(page, f"{UNHEALTHY} === 1")


@pytest.mark.parametrize("width", [320, 760, 1000, 1600])
async def test_many_targets_with_long_names_fit_into_every_width(open_page, width):
    async with console_stage(scenes.crowd()) as shown:
        page = await open_page(shown.url, width=width)
        await wait_for(page, READY)
        await expect(page.locator(NAMES)).to_have_count(201)
        await wait_for(page, f"document.documentElement.scrollWidth <= {width}")
        wider = f"{ROWS}.filter(row => [...row.children].some(cell => cell.scrollWidth > cell.clientWidth)).length"
        await wait_for(page, f"{wider} === 0")


@pytest.mark.parametrize("width", [320, 1200])
async def test_a_screen_reader_gets_a_table_with_headers_at_every_width(open_page, width):
    async with console_stage(scenes.one_down()) as shown:
        page = await open_page(shown.url, width=width)
        await wait_for(page, READY)
        table = page.get_by_role("table", name="Targets")
        await expect(table.get_by_role("rowheader", name="web2:80")).to_have_count(1)
        await wait_for(page, f"{ROWS}.map(row => row.querySelectorAll('[role=cell]').length).join() === '5,5'")


async def test_text_from_a_target_is_shown_as_text(open_page):
    markup = "no valid answer: <img src=x onerror=alert(1)><b>bold</b>"
    scene = scenes.all_healthy()
    scene.probe((scenes.REFUSED[0], None, markup), "web1:80", times=2)
    async with console_stage(scene) as shown:
        page = await open_page(shown.url)
        probed = page.locator(".targets tbody tr").first.locator("[role=cell]").nth(2).locator(".lines > span")
        await expect(probed).to_have_text([markup, "1 s ago"])
        await expect(page.locator("main img, main b")).to_have_count(0)


async def test_without_a_load_balancer_the_page_says_how_to_make_one(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        shown.records.replace_file([])
        shown.shown = {"load_balancers": [], "target_groups": [], "ready": True}
        page = await open_page(shown.url)
        await page.get_by_text("No load balancers").wait_for()
        await expect(page.locator("main")).to_contain_text("create-load-balancer")
