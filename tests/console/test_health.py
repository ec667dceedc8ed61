"""Target health: the state machine with its counter, the last probes, the reason and what to do."""

import re

import pytest
from playwright.async_api import expect

from lb.model.said import ENGLISH
from lb.observe.advice import Advice
from lb.observe.words import load_words
from tests.console import scenes
from tests.console.pages import remember_texts, still_page, wait_for
from tests.console.stage import console_stage

CARDS = "[...document.querySelectorAll('.view-health article')]"
READY = f"{CARDS}.length > 0"
GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/{name}/0123456789abcdef"


def target(number=1, *, group="web-servers", **changed):
    """A target as `GET /_lb/targets/health` tells of it: healthy, but for what is `changed`."""
    address = f"10.0.{number // 250}.{number % 250}:80"
    name, port = address.split(":")
    return {
        "target_group": GROUP.format(name=group),
        "target_group_name": group,
        "target": address,
        "id": name,
        "port": int(port),
        "zone": "us-east-1a",
        "state": "healthy",
        "since_s": scenes.NOW_S,
        "reason": None,
        "description": None,
        "counter": None,
        "served": 12,
        "in_flight": 0,
        "advice": {"code": "healthy", "values": {}},
        "check": {
            "method": "GET",
            "path": "/",
            "port": 80,
            "interval_s": 30.0,
            "timeout_s": 5.0,
            "matcher": "200",
            "healthy_threshold": 5,
            "unhealthy_threshold": 3,
        },
        "probes": [probe(at_s=scenes.NOW_S - 30 * place) for place in range(10)],
        **changed,
    }


def probe(at_s, **changed):
    """A probe that passed, but for what is `changed`."""
    return {
        "at_s": at_s,
        "passed": True,
        "outcome": "passed",
        "request": "GET / HTTP/1.1",
        "host": "10.0.0.1:80",
        "status": 200,
        "answer": "HTTP/1.1 200 OK",
        "latency_ms": 1.25,
        "detail": None,
        **changed,
    }


def trapped(number=1):
    """The lesson's target, checked at a directory of the disk."""
    failed = probe(
        scenes.NOW_S,
        passed=False,
        outcome="code-mismatch",
        status=404,
        answer="HTTP/1.1 404 Not Found",
        detail="status 404, expected 200",
    )
    return target(
        number,
        state="unhealthy",
        reason="Target.ResponseCodeMismatch",
        description="Health checks failed with these codes: [404]",
        counter={"kind": "successes", "count": 2, "of": 5, "leads_to": "healthy", "text": "2 of 5 successes"},
        advice={"code": "directory-path", "values": {"path": "/var/www/html", "status": 404}},
        probes=[failed],
    )


def advised(told, words):
    """As `lb.observe.target_health` has it."""
    advice = Advice(**told["advice"])
    return {**told, "advice": {**told["advice"], "why": advice.why.to(words), "to_do": advice.to_do.to(words)}}


async def shown(open_page, url, targets, *, path="/#/health", **options):
    """The view of made-up targets. Their advice is said in the language that was asked for."""
    page = await open_page("about:blank", **options)
    words = load_words()

    def answer(route):
        language = route.request.url.partition("?lang=")[2]
        return route.fulfill(json={"targets": [advised(each, words[language]) for each in targets]})

    await page.route("**/_lb/targets/health?lang=*", answer)
    await page.goto(url + path)
    return page


async def test_a_server_that_stops_is_followed_from_the_first_failure_to_unhealthy_and_back(console_page):
    page = console_page.page
    await page.goto(f"{console_page.url}#/health")
    await wait_for(page, f"{CARDS}.length === 2")
    card = page.locator("article").nth(1)
    await remember_texts(page, ".view-health article:nth-of-type(2)")
    await console_page.servers.stop(2)
    await wait_for(page, "texts.some(text => text.includes('1 of 2 failures'))")
    await wait_for(page, f"{CARDS}[1].querySelector('.box.now:not([hidden])').innerText === 'unhealthy'")
    await expect(card).to_contain_text("There is no connection to")
    await expect(card).to_contain_text("Start the web server")
    row = card.get_by_role("row").nth(1)
    await expect(row).to_contain_text("failed")
    await expect(row).to_contain_text("GET /health.php HTTP/1.1")
    await console_page.servers.start(2)
    await wait_for(page, "texts.some(text => text.includes('1 of 2 successes'))")
    await wait_for(page, f"{CARDS}[1].querySelector('.box.now:not([hidden])').innerText === 'healthy'")
    await expect(row).to_contain_text("HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("locale", "counter", "why", "to_do"),
    [
        ("en-US", "2 of 5 successes", "/var/www/html looks like a directory on the disk", "/health.php"),
        ("ko-KR", "성공 2/5회", "디스크의 디렉터리처럼 보입니다", "/health.php로 바꾸세요"),
    ],
)
async def test_the_reason_is_said_in_the_readers_words_with_what_to_do(open_page, locale, counter, why, to_do):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, [trapped()], locale=locale)
        for words in (counter, why, to_do, "Target.ResponseCodeMismatch", "HTTP/1.1 404 Not Found"):
            await expect(page.locator("article")).to_contain_text(words)
        await expect(page.get_by_role("img")).to_have_attribute("aria-label", re.compile(re.escape(counter)))


async def test_targets_are_chosen_by_group_and_by_need_and_the_address_remembers(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        targets = [target(1), trapped(2), target(3, group="other")]
        page = await shown(open_page, stage.url, targets)
        await wait_for(page, f"{CARDS}.length === 3")
        await page.get_by_label("Target group").select_option("web-servers")
        await wait_for(page, f"{CARDS}.length === 2")
        await page.get_by_label("Show").select_option("attention")
        await wait_for(page, f"{CARDS}.length === 1")
        await expect(page.locator("article h2")).to_contain_text("10.0.0.2:80")
        await page.reload()
        await wait_for(page, f"{CARDS}.length === 1")
        await expect(page.get_by_label("Show")).to_have_value("attention")
        await page.get_by_label("Target group").select_option("other")
        await page.get_by_text("All is well").wait_for()


async def test_a_link_may_name_the_target_group(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        targets = [target(1), target(3, group="other")]
        page = await shown(open_page, stage.url, targets, path="/#/health?group=other")
        await wait_for(page, f"{CARDS}.length === 1")
        await expect(page.locator("article h2")).to_have_text("10.0.0.3:80")


@pytest.mark.parametrize("width", [320, 760, 1400])
async def test_many_targets_fit_into_every_width_with_their_probes_folded(open_page, width):
    async with console_stage(scenes.all_healthy()) as stage:
        targets = [target(each, id=f"ec2-203-0-113-{each}.ap-northeast-2.compute.example") for each in range(200)]
        page = await shown(open_page, stage.url, targets, width=width)
        await wait_for(page, f"{CARDS}.length === 200")
        await wait_for(page, f"document.documentElement.scrollWidth <= {width}")
        await expect(page.locator("details[open]")).to_have_count(0)
        await page.locator("summary").first.click()
        await wait_for(page, "document.querySelectorAll('tbody tr').length === 10")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_violation(open_page, axe, scheme, locale):
    async with console_stage(scenes.all_healthy()) as stage:
        targets = [target(1), trapped(2), target(3, state="draining", since_s=None, probes=[])]
        page = await shown(open_page, stage.url, targets, scheme=scheme, locale=locale)
        await wait_for(page, f"{CARDS}.length === 3")
        assert await axe(page) == []


async def test_without_targets_the_page_says_what_would_be_here(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, [])
        await page.get_by_text("No targets", exact=True).wait_for()
        await expect(page.get_by_label("Target group").locator("option")).to_have_text(["All target groups"])
        await expect(page.get_by_role("main").get_by_role("link", name="Target groups")).to_have_attribute(
            "href", "#/group"
        )


async def test_what_cannot_be_asked_is_said_and_asked_again(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await still_page(open_page)
        broken = {"error": {"code": "broken", "message": "it broke"}}
        await page.route("**/_lb/targets/health?lang=*", lambda route: route.fulfill(status=500, json=broken))
        await page.goto(f"{stage.url}/#/health")
        await page.get_by_role("alert").get_by_text("it broke").wait_for()
        await page.route(
            "**/_lb/targets/health?lang=*", lambda route: route.fulfill(json={"targets": [advised(target(), ENGLISH)]})
        )
        await page.get_by_role("button", name="Try again").click()
        await wait_for(page, READY)
