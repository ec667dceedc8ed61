"""Live traffic: requests on the resource map, what they add up to, and that nothing runs unseen."""

import asyncio
import re

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.balancers import traffic
from tests.console.pages import pass_time, until_quiet, wait_for
from tests.support.balancer import until

BOXES = "[...document.querySelectorAll('.view-live .box .name')].map(each => each.textContent)"
COUNTED = "Number(document.querySelector('.view-live .rows .count')?.textContent ?? 0)"
COUNT_FRAMES = """
    window.frames = 0; const real = requestAnimationFrame;
    window.requestAnimationFrame = work => { frames++; return real(work); }; 0"""
# How many pixels of the canvas are not empty.
DRAWN = """(() => {
    const canvas = document.querySelector('.view-live canvas');
    if (!canvas?.width || !canvas.height) return 0;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 3; at < data.length; at += 4) found += data[at] > 0;
    return found;
})()"""
# Whether anything was drawn is remembered by the page itself: marks are soon gone.
REMEMBER_DRAWN = f"""
    window.everDrawn = 0;
    const looking = setInterval(() => {{ if ((everDrawn = {DRAWN}) > 0) clearInterval(looking); }}, 50); 0"""


async def send(port, count, rate=50.0, path="/"):
    """So many requests to the listener, at a rate per second."""
    async with aiohttp.ClientSession() as session:
        for _ in range(count):
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                await answer.read()
            await asyncio.sleep(1 / rate)


@pytest_asyncio.fixture(loop_scope="session")
async def live(console_page):
    await console_page.page.goto(f"{console_page.url}#/live")
    await wait_for(console_page.page, f"{BOXES}.length === 5 && document.querySelector('.view-live .figures') !== null")
    return console_page


async def following(app, readers):
    await until(lambda: app.stream.readers == readers, f"{readers} follow the requests")


async def test_requests_travel_over_the_map_and_are_counted_by_target_and_outcome(live):
    page = live.page
    targets = [f"127.0.0.1:{target}" for target in await ports(page)]
    boxes = [f"HTTP:{live.port}", "Default rule", "web-servers", *targets]
    await expect(page.locator(".view-live .box .name")).to_have_text(boxes)
    await wait_for(page, f"{DRAWN} === 0")
    await page.evaluate(REMEMBER_DRAWN)
    await send(live.port, 12, rate=10)
    await wait_for(page, "everDrawn > 0")
    await wait_for(page, f"{COUNTED} === 12")
    await expect(page.locator(".figures section").nth(2).locator(".count")).to_have_text(["50%", "50%"])
    await page.get_by_text("The same as a table").click()
    rows = page.locator(".view-live tbody tr")
    await expect(rows).to_have_count(2)
    mean = re.compile(r"\d ms$")
    # By their ports, which have the same number of digits here.
    for place, target in enumerate(sorted(targets)):
        cells = ["default", "web-servers", target, "6", "0", mean]
        await expect(rows.nth(place).locator("td")).to_have_text(cells)
    # Nothing moves any more: nothing is drawn.
    await wait_for(page, f"{DRAWN} === 0")


async def ports(page):
    status = await page.evaluate("fetch('/_lb/status').then(answer => answer.json())")
    return [target["port"] for target in status["target_groups"][0]["targets"]]


async def test_many_requests_become_bands_with_numbers(live):
    page = live.page
    async with traffic(live.port, senders=4, rate=30):
        await wait_for(page, "document.querySelector('.controls').innerText.includes('bands')")
        await wait_for(page, f"{DRAWN} > 1000")
        await expect(page.locator(".view-live .box .rate")).to_have_text([re.compile("/s$")] * 5)


async def test_without_motion_bands_stand_still(live):
    page = live.page
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(COUNT_FRAMES)
    async with traffic(live.port, senders=1, rate=20):
        await wait_for(page, f"{DRAWN} > 100")
        await pass_time(page, 500)
        assert await page.evaluate("frames") == 0


async def test_paused_hidden_or_left_it_costs_nothing(live):
    page = live.page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await following(live.app, 1)
    await page.get_by_role("button", name="Pause").click()
    await following(live.app, 0)
    await until_quiet(asked)
    asked.clear()
    await page.evaluate(COUNT_FRAMES)
    await send(live.port, 10)
    # Longer than the map is asked for, and than figures are drawn.
    await pass_time(page, 2500)
    assert asked == []
    assert await page.evaluate("frames") == 0
    assert await page.evaluate(COUNTED) == 0
    await page.get_by_role("button", name="Pause").click()
    await following(live.app, 1)
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });"
        "document.dispatchEvent(new Event('visibilitychange')); 0"
    )
    await following(live.app, 0)
    await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); 0")
    await following(live.app, 1)
    await page.get_by_role("link", name="Overview").click()
    await following(live.app, 0)


async def test_a_path_to_an_unhealthy_target_is_marked_on_the_map(live):
    page = live.page
    await live.servers.stop(2)
    await wait_for(page, "document.querySelectorAll('.view-live .ties .bad').length === 1")
    await wait_for(page, "document.querySelector('.view-live .column:last-child .state.bad') !== null")


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-US", "light", 1400), ("ko-KR", "dark", 1400), ("ko-KR", "light", 420)]
)
async def test_it_can_be_used_by_all(console_page, open_page, axe, locale, scheme, width):
    page = await open_page(f"{console_page.url}#/live", locale=locale, scheme=scheme, width=width)
    await wait_for(page, f"{BOXES}.length === 5 && document.querySelector('.view-live .figures') !== null")
    await send(console_page.port, 10)
    await wait_for(page, f"{COUNTED} === 10")
    await page.locator("summary").click()
    await page.locator(".view-live tbody tr").first.wait_for()
    assert await axe(page) == []
    await wait_for(page, "document.documentElement.scrollWidth <= innerWidth")
    await page.close()
