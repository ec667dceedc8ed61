"""Target groups and instances: listed, created, edited, deleted."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.balancers import empty_balancer


@pytest_asyncio.fixture(loop_scope="session")
async def empty(tmp_path):
    async with empty_balancer(tmp_path / "data") as running:
        yield running


async def group_of(empty):
    return (await empty.call("elbv2", "describe_target_groups"))["TargetGroups"][0]


async def accept(page, name):
    """The dialog's button of this name is pressed and the dialog goes."""
    dialog = page.get_by_role("dialog")
    await dialog.locator(".row.end").get_by_role("button", name=name).click()
    await dialog.wait_for(state="detached")


async def test_a_target_group_lives_from_creation_to_deletion(open_page, empty):
    page = await open_page(f"{empty.url}/#/group")
    await page.get_by_text("No target groups").wait_for()
    await page.get_by_role("button", name="Create target group").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Target group name").fill("api")
    await dialog.get_by_role("radio", name="IP addresses").check()
    await dialog.get_by_label("Health check path").fill("var")
    await dialog.get_by_text("Advanced health check settings").click()
    await dialog.get_by_label("Timeout").fill("60")
    await dialog.locator(".row.end").get_by_role("button", name="Create").click()
    wrong = ['A path begins with "/".', "Shorter than the interval."]
    await expect(dialog.locator(".message:not(:empty)")).to_have_text(wrong)
    await dialog.get_by_label("Health check path").fill("/health")
    await dialog.get_by_label("Timeout").fill("4")
    await accept(page, "Create")
    group = await group_of(empty)
    assert (group["TargetGroupName"], group["TargetType"], group["HealthCheckPath"]) == ("api", "ip", "/health")
    assert (group["HealthCheckTimeoutSeconds"], group["HealthCheckIntervalSeconds"]) == (4, 30)

    await page.get_by_role("button", name="Register targets").click()
    await dialog.get_by_role("textbox", name="IP addresses").fill("10.0.0.5 [fd00::5]:81")
    await dialog.get_by_role("button", name="Register targets").click()
    await dialog.get_by_text("IP address 'fd00::5' must be of the IP address type 'ipv4'").wait_for()
    await dialog.get_by_role("textbox", name="IP addresses").fill("10.0.0.5 10.0.0.6:81")
    await accept(page, "Register targets")
    await page.get_by_role("button", name="Deregister 10.0.0.6:81").click()
    await page.get_by_role("row", name="10.0.0.6:81").wait_for(state="detached")
    await page.get_by_role("row", name="10.0.0.5:80 unused").wait_for()

    await page.get_by_role("tab", name="Health checks").click()
    await page.get_by_role("button", name="Edit health check settings").click()
    await dialog.get_by_label("Success codes").fill("200-299")
    await accept(page, "Save changes")
    await page.get_by_text("200-299").wait_for()
    assert (await group_of(empty))["Matcher"] == {"HttpCode": "200-299"}

    await page.get_by_role("tab", name="Attributes").click()
    await page.get_by_role("button", name="Edit attributes").click()
    await dialog.get_by_label("load_balancing.algorithm.type").select_option("least_outstanding_requests")
    await accept(page, "Save changes")
    await page.get_by_role("row", name="load_balancing.algorithm.type least_outstanding_requests").wait_for()

    await page.get_by_role("button", name="Delete").first.click()
    await dialog.get_by_role("button", name="Delete").click()
    await page.get_by_text("No target groups").wait_for()
    await page.close()


async def test_instances_are_launched_copied_guarded_stopped_and_terminated(open_page, empty):
    page = await open_page(f"{empty.url}/#/instances")
    await page.get_by_role("button", name="Launch instances").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("first")
    await dialog.get_by_label("User data").fill("안녕하세요")
    await accept(page, "Launch instances")
    row = page.get_by_role("row", name=re.compile("^first"))
    await row.get_by_text("running").wait_for()

    await row.get_by_role("button", name="Create image").click()
    await dialog.get_by_label("Name").fill("a")
    await dialog.get_by_role("button", name="Create").click()
    await dialog.get_by_text("Value (a) for parameter name is invalid").wait_for()
    await dialog.get_by_label("Name").fill("copy-of-first")
    await accept(page, "Create")
    await page.get_by_role("button", name="Launch instance from AMI").click()
    await dialog.get_by_label("Name").fill("second")
    await accept(page, "Launch instances")
    await page.get_by_role("row", name="second").get_by_text("running").wait_for()
    found = (await empty.call("ec2", "describe_instances"))["Reservations"]
    addresses = [instance["PublicIpAddress"] for each in found for instance in each["Instances"]]
    assert len(set(addresses)) == 2

    await page.get_by_role("button", name="Create security group").click()
    await dialog.get_by_label("Name").fill("web")
    await accept(page, "Create")
    await row.get_by_role("button", name="Change security groups").click()
    boxes = dialog.get_by_role("checkbox")
    await expect(boxes).to_have_count(2)
    for box in (boxes.nth(0), boxes.nth(1)):
        await box.set_checked(not await box.is_checked())
    await accept(page, "Save changes")
    await row.get_by_role("cell", name="web", exact=True).wait_for()

    await row.get_by_role("button", name="Stop").click()
    await row.get_by_text("stopped").wait_for()
    await row.get_by_role("button", name="Start").click()
    await row.get_by_text("running").wait_for()
    await row.get_by_role("button", name="Terminate").click()
    await dialog.get_by_role("button", name="Terminate").click()
    await row.wait_for(state="detached")
    image = page.get_by_role("row", name=re.compile("^copy-of-first"))
    await image.get_by_role("button", name="Deregister AMI").click()
    await dialog.get_by_role("button", name="Deregister AMI").click()
    await image.wait_for(state="detached")
    await page.close()


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("ko-KR", "dark")])
async def test_axe_finds_no_serious_violation(open_page, axe, empty, locale, scheme):
    page = await open_page(f"{empty.url}/#/instances", locale=locale, scheme=scheme)
    await page.locator("section.card button").first.click()
    await page.locator("tbody .state.good").nth(1).wait_for()
    assert await axe(page) == []
    for button in (page.locator("button.primary"), page.locator("section.card").nth(2).locator("tbody button").first):
        await button.click()
        await page.get_by_role("dialog").wait_for()
        assert await axe(page) == []
        await page.keyboard.press("Escape")
        await page.get_by_role("dialog").wait_for(state="detached")
    vpc = (await empty.call("ec2", "describe_vpcs"))["Vpcs"][0]["VpcId"]
    await empty.call("elbv2", "create_target_group", Name="web", Protocol="HTTP", Port=80, VpcId=vpc)
    await page.goto(f"{empty.url}/#/group?name=web")
    contents = {"targets": ".empty", "health": "dl", "attributes": "tbody tr", "tags": ".empty"}
    for tab, content in contents.items():
        await page.locator(f"#tab-{tab}").click()
        await page.locator(f"#panel {content}").first.wait_for()
        assert await axe(page) == [], tab
    await page.close()
