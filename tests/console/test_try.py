"""Sending requests from the page, and who answers them."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.pages import wait_for

TARGETS = "fetch('/_lb/status').then(answer => answer.json()).then(({ target_groups: [group] }) => group.targets)"
SERVED = f"{TARGETS}.then(all => all.reduce((sum, each) => sum + each.served, 0))"
MARKS = "[...document.querySelectorAll('.view-try .answers li > span:first-child')].map(each => each.textContent)"


@pytest_asyncio.fixture(loop_scope="session")
async def trying(console_page):
    await console_page.page.goto(f"{console_page.url}#/try")
    await wait_for(console_page.page, "document.querySelector('.view-try form') !== null")
    return console_page


async def send(page, count, rate, path="/"):
    await page.get_by_label("How many").fill(str(count))
    await page.get_by_label("Per second").fill(str(rate))
    await page.get_by_label("Path").fill(path)
    await page.get_by_role("button", name="Send").click()


async def test_both_servers_answer_in_turn_and_are_counted(trying):
    page = trying.page
    await send(page, 10, 100)
    await wait_for(page, f"{MARKS}.length === 10")
    assert sorted(await page.evaluate(MARKS)) == ["1"] * 5 + ["2"] * 5
    rows = page.locator(".result tbody tr")
    await expect(rows).to_have_count(2)
    for number in (1, 2):
        row = rows.nth(number - 1)
        await expect(row.locator(".named > span").last).to_have_text(f"Web Server {number}")
        await expect(row.locator("td").first).to_have_text("5")
        await expect(row.locator(".statuses")).to_have_text("200 \u00d7 5")
    await page.get_by_text("10 of 10 answered").wait_for()


async def test_an_answer_leads_to_its_walk(trying):
    page = trying.page
    await send(page, 1, 1)
    await page.get_by_role("link", name="Why?").click()
    await page.get_by_role("article", name="200 GET /").wait_for()


async def test_errors_have_another_shape_and_their_status(trying):
    page = trying.page
    await send(page, 2, 20, path="/nothing here/ü")
    await wait_for(page, "document.querySelectorAll('.answers .outcome-4xx').length === 2")
    await expect(page.locator(".result tbody .statuses")).to_have_text(["404 \u00d7 1"] * 2)


async def test_wrong_fields_say_so_and_nothing_is_sent(trying):
    page = trying.page
    await page.get_by_label("Headers, one per line").fill("not a header")
    await send(page, 1001, 10)
    await page.get_by_text("From 1 to 1,000.").wait_for()
    await page.get_by_text("Each line must be Name: value.").wait_for()
    # It goes where something is wrong after the decision to send nothing.
    await wait_for(page, "document.activeElement.getAttribute('aria-invalid') === 'true'")
    await expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    assert await page.evaluate(f"{MARKS}.length") == 0


async def test_what_the_balancer_refuses_is_told(trying):
    page = trying.page
    await page.get_by_label("Headers, one per line").fill("Connection: upgrade")
    await send(page, 1, 10)
    await page.locator(".toast").get_by_text("the header Connection cannot be chosen here").wait_for()


@pytest.mark.parametrize("leave", ["stop", "go"])
async def test_it_ends_when_it_is_stopped_or_left(trying, leave):
    page = trying.page
    await send(page, 1000, 5)
    await wait_for(page, f"{MARKS}.length > 0")
    if leave == "stop":
        await page.get_by_role("button", name="Stop").click()
    else:
        await page.get_by_role("link", name="Overview").click()
    # In this time, five requests would come.
    later = "new Promise(done => setTimeout(done, 1000))"
    await wait_for(page, f"{SERVED}.then(before => {later}.then(() => {SERVED}).then(now => now === before))")
    await wait_for(page, f"{TARGETS}.then(all => all.every(each => each.in_flight === 0))")


@pytest.mark.parametrize(
    ("locale", "scheme", "width"), [("en-US", "light", 1300), ("ko-KR", "dark", 1300), ("ko-KR", "light", 420)]
)
async def test_it_can_be_used_by_all(console_page, open_page, axe, locale, scheme, width):
    page = await open_page(f"{console_page.url}#/try", locale=locale, scheme=scheme, width=width)
    await page.locator(".view-try button.primary").click()
    await wait_for(page, f"{MARKS}.length === 20")
    assert await axe(page) == []
    await wait_for(page, "document.documentElement.scrollWidth <= innerWidth")
    await page.close()
