"""Lessons: the list, one of them step by step, starting and resetting."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.balancers import empty_balancer
from tests.console.pages import copied_by, remember_texts, wait_for

STEPS = "[...document.querySelectorAll('.view-lessons .step')]"
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
GONE = {"shutting-down", "terminated"}
TAGS = [{"Key": "Name", "Value": "Web Server 1"}, {"Key": "lb:lesson", "Value": "2"}]


@pytest_asyncio.fixture(loop_scope="session")
async def empty(tmp_path):
    async with empty_balancer(tmp_path / "data") as running:
        yield running


async def begin(page):
    """Starts the lesson of the page, as a learner does."""
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Start", exact=True).click()
    await wait_for(page, f"{STEPS}[0]?.classList.contains('now')")


async def launch(running):
    """What the first step of lesson 2 asks for."""
    await running.call(
        "ec2",
        "run_instances",
        ImageId=IMAGE,
        MinCount=1,
        MaxCount=1,
        UserData="<html><body><p> Web Server 1 </p></body></html>",
        TagSpecifications=[{"ResourceType": "instance", "Tags": TAGS}],
    )


async def states(running):
    """Of each instance, its state."""
    found = await running.call("ec2", "describe_instances")
    return {each["InstanceId"]: each["State"]["Name"] for one in found["Reservations"] for each in one["Instances"]}


async def test_the_list_has_every_lesson_with_its_progress_and_leads_to_it(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons")
    await wait_for(page, "document.querySelectorAll('.view-lessons .lesson').length === 10")
    await expect(page.locator(".lesson").nth(1)).to_contain_text("not started")
    await expect(page.locator(".lesson").nth(1)).to_contain_text("0 of 4 steps")
    await page.get_by_role("link", name="Clone Web Server 1 into Web Server 2").click()
    await page.get_by_role("heading", name="2. Clone Web Server 1 into Web Server 2").wait_for()


async def test_a_step_says_what_is_missing_and_turns_green_only_when_it_is_there(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2")
    await wait_for(page, f"{STEPS}.length === 4")
    await expect(page.locator(".missing li")).to_have_count(0)
    await begin(page)
    await wait_for(page, "document.querySelectorAll('.missing li').length > 0")
    await expect(page.locator(".missing").first).to_contain_text("Web Server 1")
    await expect(page.locator("[aria-current=step] h3")).to_have_text("1. Launch Web Server 1")
    await launch(empty)
    await wait_for(page, f"{STEPS}[0].classList.contains('done')")
    await wait_for(page, f"{STEPS}[1].classList.contains('now')")
    await expect(page.locator(".about")).to_contain_text("1 of 4 steps")
    await expect(page.locator("#said")).to_contain_text("Step done: Launch Web Server 1")


async def test_an_answer_from_before_the_start_is_not_shown_after_it(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2")
    await wait_for(page, f"{STEPS}.length === 4")
    answered, started = asyncio.Event(), asyncio.Event()

    async def hold(route):
        answer = await route.fetch()
        answered.set()
        await started.wait()
        await route.fulfill(response=answer)

    await page.route("**/_lb/lessons/2?*", hold)
    await answered.wait()
    await begin(page)
    await remember_texts(page, ".view-lessons .about")
    started.set()
    await launch(empty)
    await wait_for(page, f"{STEPS}[0].classList.contains('done')")
    assert not await page.evaluate("texts.some(text => text.includes('not started'))")
    await page.unroute_all(behavior="wait")


async def test_a_reset_asks_first_and_removes_what_was_made(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2")
    await begin(page)
    await launch(empty)
    await wait_for(page, f"{STEPS}[0].classList.contains('done')")
    await page.get_by_role("button", name="Reset").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog").wait_for(state="detached")
    # What is asked from now on would tell of a reset.
    async with page.expect_request("**/_lb/lessons/2?*") as asked:
        pass
    await (await (await asked.value).response()).finished()
    await expect(page.locator(".step.done")).to_have_count(1)
    assert not GONE & set((await states(empty)).values())
    await page.get_by_role("button", name="Reset").click()
    await page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    await page.locator(".toast").get_by_text("Removed: 1.").wait_for()
    await wait_for(page, f"{STEPS}.every(step => step.classList.contains('later'))")
    assert set((await states(empty)).values()) <= GONE


async def test_commands_are_copied_and_hints_are_folded(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2")
    await wait_for(page, f"{STEPS}.length === 4")
    copied = await copied_by(page, page.get_by_role("button", name="Copy With the CLI").first)
    assert copied.startswith("aws ec2 run-instances")
    assert copied.endswith("Value=2}]'")
    hint = page.get_by_text("The tag lb:lesson=2 lets")
    await expect(hint).to_be_hidden()
    await page.get_by_text("Hint 1").first.click()
    await expect(hint).to_be_visible()


async def test_the_page_leads_to_the_views_that_help(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2")
    await wait_for(page, f"{STEPS}.length === 4")
    helpful = page.get_by_role("navigation", name="Views that help")
    await helpful.get_by_role("link", name="Target health").click()
    await wait_for(page, "location.hash === '#/health'")


async def test_what_a_lesson_needs_and_has_not_is_said(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=1")
    await page.get_by_label("Password").fill("secret")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await page.locator(".toast.bad").get_by_text("no MySQL server is configured").wait_for()
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Start", exact=True).click()
    await page.locator(".toast.bad").get_by_text("this lesson needs a MySQL server").wait_for()


async def test_the_databases_answer_is_shown(open_page, empty):
    page = await open_page("about:blank")
    asked = []
    answer = {
        "outcome": "wrong-password",
        "message": "Access denied (1045)",
        "cause": "It is wrong.",
        "next_step": "Correct it.",
    }

    async def fulfill(route):
        asked.append(route.request.post_data_json)
        await route.fulfill(json=answer)

    await page.route("**/_lb/lessons/database", fulfill)
    await page.goto(f"{empty.url}/#/lessons?id=1")
    await page.get_by_label("User").fill("app")
    await page.get_by_label("Password").fill(" pass ")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await page.get_by_text("Access denied (1045)").wait_for()
    await expect(page.locator(".answer")).to_contain_text("Correct it.")
    assert asked == [{"user": "app", "password": " pass "}]


async def test_only_the_lesson_with_a_database_asks_for_one(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2")
    await wait_for(page, f"{STEPS}.length === 4")
    await expect(page.get_by_text("Ask the database")).to_be_hidden()


async def test_a_reader_of_korean_gets_the_lesson_in_korean(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=2", locale="ko-KR")
    await page.get_by_role("heading", name="2. Web Server 1을 복제해 Web Server 2 만들기").wait_for()
    await expect(page.locator(".step").first).to_contain_text("콘솔에서")


async def test_a_lesson_that_does_not_exist_is_said(open_page, empty):
    page = await open_page(f"{empty.url}/#/lessons?id=99")
    await page.get_by_role("alert").get_by_text("there is no lesson 99").wait_for()


@pytest.mark.parametrize("width", [320, 1600])
@pytest.mark.parametrize("path", ["lessons", "lessons?id=2"])
async def test_the_lessons_fit_into_every_width(open_page, empty, path, width):
    page = await open_page(f"{empty.url}/#/{path}", width=width)
    await wait_for(page, "document.querySelectorAll('.view-lessons .card').length > 3")
    await wait_for(page, f"document.documentElement.scrollWidth <= {width}")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_violation(open_page, empty, axe, scheme, locale):
    page = await open_page(f"{empty.url}/#/lessons", scheme=scheme, locale=locale)
    await wait_for(page, "document.querySelectorAll('.view-lessons .lesson').length === 10")
    assert await axe(page) == []
    await page.evaluate("fetch('/_lb/lessons/2/start', { method: 'POST' }).then(answer => answer.text())")
    await page.goto(f"{empty.url}/#/lessons?id=2")
    await wait_for(page, "document.querySelectorAll('.missing li').length > 0")
    assert await axe(page) == []
