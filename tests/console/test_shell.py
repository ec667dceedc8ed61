"""The frame of the console: navigation, language, theme, focus, and what it costs."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.console import scenes
from tests.console.pages import pass_time, still_page, wait_for
from tests.console.stage import console_stage

READY = "document.querySelectorAll('tbody tr').length > 0"
CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
      .map(each => each / 255).map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" && node.parentElement ? behind(node.parentElement) : colour;
  };
  const leaves = [...document.body.querySelectorAll(":not(script, noscript, style)")]
    .filter(node => [...node.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.trim()));
  return leaves.map(node => {
    const [dim, bright] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
    return [(bright + 0.05) / (dim + 0.05), node.textContent];
  }).filter(([ratio]) => !(ratio >= 4.5));
}"""

# How many ms the machine takes now for work of a browser that is always the same: some 100 where nothing else runs.
WORK = """(() => {
    const begun = performance.now();
    const list = document.createElement("ul");
    for (let round = 0; round < 25; round++) {
        const texts = Array.from({ length: 250 }, (_, place) => `${round} ${place}`);
        list.replaceChildren(...texts.map(text => Object.assign(document.createElement("li"), { textContent: text })));
        document.body.append(list);
        list.getBoundingClientRect();
        list.remove();
    }
    return performance.now() - begun;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_what_is_behind_it(open_page, scheme):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    async with console_stage(scenes.crowd()) as shown:
        page = await open_page(shown.url, scheme=scheme)
        await wait_for(page, READY)
        assert await page.evaluate(CONTRAST) == []
        shown.show(scenes.lesson())
        await page.locator(".notes li").nth(1).wait_for()
        assert await page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_violation(open_page, axe, scheme, locale):
    async with console_stage(scenes.one_down()) as shown:
        page = await open_page(shown.url, scheme=scheme, locale=locale)
        await wait_for(page, READY)
        assert await axe(page) == []


async def test_a_reader_of_korean_gets_korean_and_may_choose_english_for_good(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url, locale="ko-KR")
        heading = page.locator("#heading")
        await wait_for(page, READY)
        await expect(heading).to_have_text("개요")
        await expect(page.locator("html")).to_have_attribute("lang", "ko")
        await page.get_by_label("언어").select_option("en")
        await expect(heading).to_have_text("Overview")
        await wait_for(page, "document.activeElement.getAttribute('aria-label') === 'Language'")
        await page.reload()
        await wait_for(page, READY)
        await expect(heading).to_have_text("Overview")
        await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_a_theme_that_was_chosen_outlives_the_page(open_page):
    colour = "getComputedStyle(document.body).backgroundColor"
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url, scheme="light")
        await wait_for(page, READY)
        light = await page.evaluate(colour)
        await page.get_by_label("Theme").select_option("dark")
        await wait_for(page, f"{colour} !== '{light}'")
        dark = await page.evaluate(colour)
        await page.reload()
        # There from the first moment on.
        assert await page.evaluate(colour) == dark
        await wait_for(page, READY)
        await page.get_by_label("Theme").select_option("system")
        await wait_for(page, f"{colour} === '{light}'")


async def test_the_keyboard_skips_to_the_content_and_the_address_stays(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(f"{shown.url}/#/overview")
        await wait_for(page, READY)
        await page.keyboard.press("Tab")
        await wait_for(page, "document.activeElement.textContent === 'Skip to the content'")
        await page.keyboard.press("Enter")
        await wait_for(page, "document.activeElement.id === 'content'")
        await expect(page).to_have_url(f"{shown.url}/#/overview")


async def test_going_to_a_view_moves_the_focus_to_its_heading_and_marks_the_place(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url)
        await wait_for(page, READY)
        await page.get_by_role("link", name="Overview").click()
        await wait_for(page, "document.activeElement.id === 'heading'")
        await expect(page.locator("nav [aria-current=page]")).to_have_text("Overview")
        await expect(page.locator("#said")).to_have_text("Overview")


async def test_a_view_that_cannot_be_shown_says_why_and_tries_again(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        broken = {"error": {"code": "c", "message": "it broke"}}
        page = await still_page(open_page)
        await page.route(
            "**/_lb/status?lang=*",
            lambda route: route.fulfill(status=500, json=broken),
        )
        await page.goto(shown.url)
        card = page.get_by_role("alert")
        await expect(card).to_contain_text("it broke")
        await page.unroute("**/_lb/status?lang=*")
        await card.get_by_role("button").click()
        await wait_for(page, READY)


async def test_a_view_that_was_left_before_it_had_come_takes_the_place_of_no_other(open_page):
    come = asyncio.Event()

    async def hold(route):
        await come.wait()
        await route.continue_()

    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(f"{shown.url}/#/overview")
        await wait_for(page, READY)
        await page.route("**/views/metrics.js", hold)
        await page.evaluate("location.hash = '#/metrics'; setTimeout(() => { location.hash = '#/overview'; }, 20); 0")
        await wait_for(page, "document.activeElement.id === 'heading' && location.hash === '#/overview'")
        # Longer than until what takes long is said to be loading.
        await pass_time(page, 300)
        async with page.expect_response("**/views/metrics.js"):
            come.set()
        await pass_time(page, 100)
        assert await page.evaluate(READY)


async def test_the_first_view_waits_for_no_timer(open_page):
    async with console_stage(scenes.all_healthy()) as shown:
        page = await still_page(open_page)
        await page.goto(shown.url)
        await wait_for(page, READY)


async def test_the_first_view_is_there_at_once_and_nothing_moves_afterwards(open_page):
    """Bar: usable within 500 ms on loopback, by a machine that does WORK in 100 ms. The best of five loads."""
    watch = """
        window.shifts = [];
        new PerformanceObserver(list => shifts.push(...list.getEntries().map(each => each.value)))
            .observe({ type: "layout-shift", buffered: true });
        new MutationObserver(() => { if (document.querySelector("tbody tr")) window.usable ??= performance.now(); })
            .observe(document, { childList: true, subtree: true });"""
    parts = []
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page("about:blank")
        await page.add_init_script(watch)
        for _ in range(5):
            await page.goto(shown.url)
            await wait_for(page, "window.usable")
            parts.append(await page.evaluate(f"window.usable / {WORK}"))
        shown.show(scenes.lesson())
        await page.locator(".notes li").nth(1).wait_for()
        assert sum(await page.evaluate("shifts")) < 0.001
    assert min(parts) < 5, parts


async def test_nothing_but_this_origin_is_asked(open_page):
    asked = []
    async with console_stage(scenes.all_healthy()) as shown:
        page = await open_page(shown.url, asked=asked)
        await wait_for(page, READY)
        assert {address.split("/")[2] for address in asked} == {f"127.0.0.1:{shown.port}"}
        assert {re.sub(r"/console/.*|\?.*", "", each.removeprefix(shown.url)) for each in asked} == {
            "",
            "/",
            "/_lb/status",
        }
