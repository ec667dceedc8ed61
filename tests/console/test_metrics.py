"""Metrics: charts that are read and zoomed together, per second and per minute."""

import re

import pytest
from playwright.async_api import expect

from tests.console import scenes
from tests.console.balancers import pages_of
from tests.console.pages import still_page, wait_for
from tests.console.stage import console_stage
from tests.support.balancer import until

WIDTHS = "[...document.querySelectorAll('[role=slider]')].map(each => Number(each.ariaValueMax))"
CHARTS = "[...document.querySelectorAll('.view-metrics .chart')]"
READY = f"{CHARTS}.length > 0"
ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/0123456789abcdef"
FIRST_S = 1_800_000_000
COUNT = 300
GROUPLESS = "load_balancers: {gone: {listeners: [{port: 8080, fixed-response: {status_code: 410}}]}}"


def seconds(**changed):
    """Five minutes in which second n had n requests."""
    values = list(range(COUNT))
    empty = [0] * COUNT
    series = {
        "kind": "load_balancer",
        "load_balancer": "app/web/0123456789abcdef",
        "target_group": None,
        "target": None,
        "requests": values,
        "2xx": values,
        "3xx": empty,
        "4xx": empty,
        "5xx": empty,
        "own_errors": empty,
        **{f"{name}_ms": [None, *values[1:]] for name in ("p50", "p90", "p99", "max")},
        **changed,
    }
    targets = [{**series, "kind": "target", "target_group": "arn:tg", "target": f"10.0.0.{each}:80"} for each in (1, 2)]
    return {"from_s": FIRST_S, "until_s": FIRST_S + COUNT - 1, "series": [series, *targets]}


async def shown(open_page, url, answer, **options):
    """The view of made-up seconds, which do not go on."""
    page = await open_page("about:blank", **options)

    async def fulfill(route):
        later = {"from_s": FIRST_S + COUNT, "until_s": FIRST_S + COUNT - 1, "series": []}
        lists = [
            {key: [] if isinstance(value, list) else value for key, value in each.items()} for each in answer["series"]
        ]
        await route.fulfill(json={**later, "series": lists} if "since=" in route.request.url else answer)

    await page.route("**/_lb/metrics/seconds*", fulfill)
    await page.goto(f"{url}/#/metrics")
    await wait_for(page, f"{READY} && document.querySelector('.chart .legend li')")
    return page


def plots(page):
    return page.get_by_role("slider")


async def expect_value(plot, text):
    """Waits until a screen reader would be told a text that matches this."""
    await expect(plot).to_have_attribute("aria-valuetext", re.compile(text))


async def test_requests_are_seen_second_by_second_and_minute_by_minute(console_page):
    page = console_page.page
    await page.goto(f"{console_page.url}#/metrics")
    await wait_for(page, READY)
    await pages_of(console_page.port, 6)
    # All minutes of the table: the requests need not be of the last one.
    rows = "[...document.querySelectorAll('.chart tbody tr')]"
    sums = f"{rows}.reduce((sum, row) => sum + (+row.children[1].innerText || 0), 0)"
    for tab, title in (("Per second", "Answers per second"), ("CloudWatch, per minute", "RequestCount")):
        await page.get_by_role("tab", name=tab).click()
        await page.locator("section", has=page.get_by_role("heading", name=title)).locator("summary").click()
        await wait_for(page, f"{sums} === 6")
    hosts = f"{CHARTS}.find(each => each.getAttribute('aria-label') === 'HealthyHostCount')"
    await wait_for(page, f"/web-servers\\s*2/.test({hosts}.querySelector('.legend').innerText)")


async def test_the_keyboard_reads_values_in_all_charts_at_once_and_zooms_them(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds())
        plot = plots(page).first
        await plot.focus()
        await expect_value(plot, "requests 299$")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("PageUp")
        await expect_value(plot, "requests 288$")
        await expect_value(plots(page).nth(2), "p50 288 ms")
        await page.keyboard.press("+")
        await wait_for(page, f"new Set({WIDTHS}).size === 1 && {WIDTHS}[0] < 100")
        await expect(page.get_by_label("Range")).to_have_value("part")
        await page.keyboard.press("Escape")
        await wait_for(page, f"{WIDTHS}.join() === '299,299,299,299,299'")


async def test_pointing_reads_and_dragging_zooms_every_chart(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds())
        box = await plots(page).first.bounding_box()
        await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
        await expect_value(plots(page).nth(2), "p50 150 ms")
        await page.mouse.down()
        await page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=3)
        await page.mouse.up()
        await wait_for(page, f"new Set({WIDTHS}).size === 1 && {WIDTHS}[0] >= 70 && {WIDTHS}[0] <= 80")
        await page.get_by_role("button", name="Show all").click()
        await expect(plots(page).first).to_have_attribute("aria-valuemax", "299")


async def test_a_range_is_the_newest_part_of_every_chart(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds())
        await page.get_by_label("Range").select_option("60")
        await expect(plots(page).first).to_have_attribute("aria-valuemax", "60")
        await expect_value(plots(page).first, "requests 299$")


async def test_the_table_has_what_the_chart_shows(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds())
        await page.get_by_label("Range").select_option("60")
        await page.locator("summary").nth(4).click()
        table = page.get_by_role("table", name="Requests per second and target")
        await expect(table.get_by_role("columnheader")).to_have_text(["Time", "10.0.0.1:80", "10.0.0.2:80"])
        await expect(table.locator("tbody tr")).to_have_count(61)
        await expect(table.locator("tbody tr").first.locator("td")).to_have_text(["299", "299"])


async def test_seconds_without_a_value_are_gaps_and_a_single_one_is_a_dot(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        lonely = [None] * COUNT
        lonely[10] = 5.0
        page = await shown(open_page, stage.url, seconds(p50_ms=lonely))
        path = page.locator(".chart").nth(2).locator("path.line.good").last
        await expect(path).to_have_attribute("d", re.compile("^M[^M]*h0$"))


async def test_a_target_group_is_chosen_and_the_address_remembers(open_page):
    asked = []
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds(), asked=asked)
        await page.get_by_label("Target group").select_option("web-servers")
        await wait_for(page, "location.hash.includes('group=web-servers')")
        await page.reload()
        await wait_for(page, f"{READY} && document.getElementById('group').selectedOptions[0].text === 'web-servers'")
        asked.clear()
        await until(lambda: any("target_group=arn" in each for each in asked), "asked for the target group")


@pytest.mark.parametrize("width", [320, 900, 1600])
async def test_the_charts_fit_into_every_width(open_page, width):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds(), width=width)
        await wait_for(page, f"document.documentElement.scrollWidth <= {width}")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_violation(open_page, axe, scheme, locale):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, seconds(), scheme=scheme, locale=locale)
        await page.locator("summary").first.click()
        await page.locator(".chart tbody tr").first.wait_for()
        assert await axe(page) == []


async def test_without_traffic_a_chart_says_that_it_has_no_data(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, {**seconds(), "series": []})
        await expect(page.get_by_text("No data yet").first).to_be_visible()


async def test_without_a_load_balancer_the_page_says_what_would_be_here(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        stage.records.replace_file([])
        page = await open_page(f"{stage.url}/#/metrics")
        await page.get_by_text("No load balancers").wait_for()


async def test_a_load_balancer_without_target_groups_has_a_choice_of_all(open_page):
    async with console_stage(scenes.Scene(GROUPLESS)) as stage:
        page = await shown(open_page, stage.url, {**seconds(), "series": []})
        await expect(page.get_by_label("Target group").locator("option")).to_have_text(["All target groups"])


async def test_what_the_api_refuses_is_said_and_asked_again(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await still_page(open_page)
        broken = {"error": {"code": "broken", "message": "it broke"}}
        await page.route("**/_lb/metrics/seconds*", lambda route: route.fulfill(status=500, json=broken))
        await page.goto(f"{stage.url}/#/metrics")
        await page.get_by_role("alert").get_by_text("it broke").wait_for()
        await page.route("**/_lb/metrics/seconds*", lambda route: route.fulfill(json=seconds()))
        await page.get_by_role("button", name="Try again").click()
        await wait_for(page, f"{READY} && document.querySelector('.chart .legend li')")
