"""The live tail of requests, its filters, and the walk of one of them."""

import asyncio
import json
import re

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from lb.observe.request_view import view
from lb.observe.target_names import TargetNames
from tests.console.pages import pass_time, wait_for
from tests.support.balancer import until

ROWS = "[...document.querySelectorAll('.view-requests tbody tr')].map(row => row.querySelector('.what').textContent)"


async def ask(port, *paths):
    async with aiohttp.ClientSession() as session:
        for path in paths:
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                await answer.read()


@pytest_asyncio.fixture(loop_scope="session")
async def tail(console_page):
    await ask(console_page.port, "/first", "/")
    await console_page.page.goto(f"{console_page.url}#/requests")
    await wait_for(console_page.page, f"{ROWS}.length === 2")
    return console_page


async def test_what_has_ended_is_listed_and_what_ends_comes_on_top(tail):
    await expect(tail.page.locator(".view-requests tbody .what")).to_have_text(["GET /", "GET /first"])
    await ask(tail.port, "/third")
    await wait_for(tail.page, f"{ROWS}.join() === 'GET /third,GET /,GET /first'")


async def test_what_ends_before_the_stream_has_begun_is_listed_too(console_page):
    page, begun = console_page.page, asyncio.Event()

    async def hold(route):
        await begun.wait()
        await route.continue_()

    await page.route("**/_lb/requests/stream?*", hold)
    await ask(console_page.port, "/first")
    await page.goto(f"{console_page.url}#/requests")
    await wait_for(page, f"{ROWS}.join() === 'GET /first'")
    await ask(console_page.port, "/second")
    begun.set()
    await wait_for(page, f"{ROWS}.join() === 'GET /second,GET /first'")


async def test_what_is_in_the_list_and_comes_with_the_stream_is_shown_once(console_page):
    page, listed = console_page.page, asyncio.Event()
    await ask(console_page.port, "/first")
    (first,) = console_page.app.recorder.last(1, lambda _: True)
    batch = {"type": "batch", "count": 1, "edges": [], "requests": [view(first, TargetNames())]}

    async def tell_late(route):
        await listed.wait()
        await route.fulfill(content_type="text/event-stream", body=f"data: {json.dumps(batch)}\n\n")

    await page.route("**/_lb/requests/stream?*", tell_late)
    await page.goto(f"{console_page.url}#/requests")
    await wait_for(page, f"{ROWS}.join() === 'GET /first'")
    listed.set()
    await page.get_by_text(re.compile("last 1; [1-9][0-9]* ended")).wait_for()
    assert await page.evaluate(f"{ROWS}.join()") == "GET /first"


async def test_filters_hold_for_the_past_and_the_present_and_stay_in_the_address(tail):
    page = tail.page
    await page.get_by_label("Status").select_option("4xx")
    await wait_for(page, f"{ROWS}.join() === 'GET /first'")
    await ask(tail.port, "/", "/second")
    await wait_for(page, f"{ROWS}.join() === 'GET /second,GET /first'")
    await page.get_by_label("Search").fill("SECOND")
    await wait_for(page, f"{ROWS}.join() === 'GET /second'")
    await expect(page).to_have_url(re.compile(r"#/requests\?status=4xx&text=SECOND$"))
    await page.reload()
    await wait_for(page, f"{ROWS}.join() === 'GET /second'")
    await page.get_by_label("Search").fill("no such thing")
    await page.get_by_text("No requests match").wait_for()


async def test_paused_the_list_stands_still(tail):
    page = tail.page
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_text("Paused.").wait_for()
    await until(lambda: tail.app.stream.readers == 0, "nobody follows the requests")
    await ask(tail.port, "/later")
    # Longer than until what has come is drawn.
    await pass_time(page, 600)
    await expect(page.locator(".view-requests tbody .what")).to_have_text(["GET /", "GET /first"])
    await page.get_by_role("button", name="Pause").click()
    await wait_for(page, f"{ROWS}[0] === 'GET /later'")


async def test_the_keyboard_opens_the_walk_and_gives_the_focus_back(tail):
    page = tail.page
    opener = page.get_by_role("button", name="why GET /first")
    await opener.focus()
    await page.keyboard.press("Enter")
    card = page.get_by_role("article", name="404 GET /first")
    for part in (
        "Default rule",
        "matches",
        "round_robin",
        "X-Amzn-Trace-Id: Root=",
        "waiting for the target",
        "chosen",
    ):
        await expect(card).to_contain_text(part)
    await expect(page).to_have_url(re.compile("id="))
    await page.keyboard.press("Escape")
    await wait_for(page, "document.activeElement.getAttribute('aria-label')?.includes('/first')")
    await expect(page).not_to_have_url(re.compile("id="))


async def test_the_cause_of_an_error_is_said_in_words(tail):
    page = tail.page
    await tail.servers.stop(1)
    await tail.servers.stop(2)
    await ask(tail.port, "/broken")
    await page.get_by_role("button", name="why GET /broken").click()
    await expect(page.get_by_role("article").locator(".cause").first).to_contain_text("nothing listens on that port")


async def test_a_request_that_is_forgotten_is_told(tail):
    await tail.page.goto(f"{tail.url}#/requests?id=1-00000000-000000000000000000000000")
    await tail.page.reload()
    await tail.page.get_by_role("alert").get_by_text("no request with this id").wait_for()


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-US", "light", 1300), ("ko-KR", "dark", 1300), ("ko-KR", "light", 420)]
)
async def test_it_can_be_used_by_all(tail, open_page, axe, locale, scheme, width):
    page = await open_page(f"{tail.url}#/requests", locale=locale, scheme=scheme, width=width)
    await wait_for(page, f"{ROWS}.length === 2")
    assert await axe(page) == []
    await page.locator(".view-requests .open").first.click()
    await page.get_by_role("article").wait_for()
    assert await axe(page) == []
    await wait_for(page, "document.documentElement.scrollWidth <= innerWidth")
    await page.close()
