"""The wizard: from an empty balancer to two web servers that answer in turn."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.balancers import empty_balancer, pages_of, until_it_says
from tests.console.pages import wait_for
from tests.support.ports import free_port

AWS = Path(sys.executable).parent / "aws"


@pytest_asyncio.fixture(loop_scope="session")
async def empty(tmp_path):
    async with empty_balancer(tmp_path / "data") as running:
        yield running


async def fill(page, port, name="my-alb"):
    """Everything that the wizard needs, with two new web servers as targets."""
    await page.get_by_label("Load balancer name").fill(name)
    for zone in "ab":
        await page.get_by_label(f"us-east-1{zone}", exact=True).check()
    await page.get_by_label("Port", exact=True).first.fill(str(port))
    await page.get_by_label("Target group name").fill("web-servers")
    await page.get_by_role("button", name="Launch two web servers").click()
    await wait_for(page, "document.querySelectorAll('.edit-targets .state.good').length === 2")


def create_button(page):
    return page.locator(".view-create").get_by_role("button", name="Create load balancer")


async def healthy(empty, count):
    """Waits until so many targets of the first group are healthy."""
    group = (await empty.call("elbv2", "describe_target_groups"))["TargetGroups"][0]["TargetGroupArn"]

    async def states():
        found = await empty.call("elbv2", "describe_target_health", TargetGroupArn=group)
        return [each["TargetHealth"]["State"] for each in found["TargetHealthDescriptions"]]

    await until_it_says(states, ["healthy"] * count)


async def test_a_newcomer_gets_from_nothing_to_two_servers_that_answer_in_turn(open_page, empty):
    port = free_port()
    page = await open_page(f"{empty.url}/#/create")
    await fill(page, port)
    await create_button(page).click()
    await page.get_by_role("heading", name="my-alb was created.").wait_for()
    calls = ("Create target group", "Register targets", "Create load balancer", "Create listener")
    await expect(page.locator(".progress li")).to_have_text([f"{call}: done" for call in calls])
    address = re.compile(rf"^http://my-alb-\d+\.us-east-1\.elb\.localhost:{port}/$")
    await expect(page.locator(".made a").first).to_have_attribute("href", address)
    await page.get_by_role("link", name="Open the resource map").click()
    await wait_for(page, "document.querySelectorAll('.tile-box .state.good').length === 2")
    await healthy(empty, 2)
    bodies = await pages_of(port, 4)
    servers = [re.search(r"Web Server \d", body)[0] for body in bodies]
    assert sorted(servers[:2]) == ["Web Server 1", "Web Server 2"]
    assert servers[:2] == servers[2:]
    await page.close()


async def test_both_new_web_servers_are_chosen_also_when_one_is_listed_before_the_other_is_launched(open_page, empty):
    page = await open_page(f"{empty.url}/#/create")
    boxes = page.locator(".edit-targets").get_by_role("checkbox")
    launched = []

    async def hold(route):
        if "Action=RunInstances" in (route.request.post_data or ""):
            launched.append(route)
            if len(launched) == 2:
                await expect(boxes).to_have_count(1)
        await route.continue_()

    await page.route(f"{empty.url}/", hold)
    await page.get_by_role("button", name="Launch two web servers").click()
    await expect(boxes).to_have_count(2)
    for place in (0, 1):
        await expect(boxes.nth(place)).to_be_checked()
    await wait_for(page, "document.querySelector('pre').textContent.includes('$WEB_SERVER_2')")
    await page.close()


async def test_what_is_wrong_is_said_at_the_field_and_nothing_is_made(open_page, empty):
    page = await open_page(f"{empty.url}/#/create")
    name = page.get_by_label("Load balancer name")
    await name.fill("two words")
    await create_button(page).click()
    wrong = [
        "Only letters, digits and hyphens.",
        "Choose at least two Availability Zones.",
        "This is needed.",
        "Something above is missing or wrong.",
    ]
    await expect(page.locator(".message:not(:empty)")).to_have_text(wrong)
    await expect(name).to_be_focused()
    assert (await empty.call("elbv2", "describe_target_groups"))["TargetGroups"] == []
    await name.fill("two-words")
    await expect(page.locator(".message:not(:empty)")).to_have_text(wrong[1:])
    await page.close()


async def test_after_a_refusal_creation_goes_on_where_it_had_stopped(open_page, empty):
    vpc = (await empty.call("ec2", "describe_vpcs"))["Vpcs"][0]["VpcId"]
    port = free_port()
    page = await open_page(f"{empty.url}/#/create")
    await fill(page, port)
    await empty.call("elbv2", "create_target_group", Name="web-servers", Protocol="HTTP", Port=1, VpcId=vpc)
    await create_button(page).click()
    await expect(page.locator(".progress .bad")).to_contain_text("DuplicateTargetGroupName")
    await page.get_by_label("Target group name").fill("others")
    await create_button(page).click()
    await page.get_by_role("heading", name="my-alb was created.").wait_for()
    await page.close()


async def test_a_security_group_can_be_made_on_the_way(open_page, empty):
    port = free_port()
    page = await open_page(f"{empty.url}/#/create")
    await fill(page, port)
    await page.get_by_role("button", name="Create security group").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Port")).to_have_value(str(port))
    await dialog.get_by_label("Name").fill("http")
    await dialog.get_by_role("button", name="Create").click()
    await page.get_by_role("rowheader", name="http", exact=True).wait_for()
    await wait_for(page, "document.querySelector('pre').textContent.includes('--group-id \"$SECURITY_GROUP\"')")
    await create_button(page).click()
    await page.get_by_role("heading", name="my-alb was created.").wait_for()
    groups = (await empty.call("elbv2", "describe_load_balancers"))["LoadBalancers"][0]["SecurityGroups"]
    assert len(groups) == 2
    await page.close()


async def test_the_calls_it_shows_make_the_same_elsewhere(open_page, empty, tmp_path):
    """The script, run by the AWS CLI against another balancer."""
    aws = AWS if AWS.exists() else shutil.which("aws")
    if not aws:
        pytest.skip("needs the AWS CLI")
    port = free_port()
    page = await open_page(f"{empty.url}/#/create")
    await fill(page, port)
    await wait_for(page, "document.querySelector('pre').textContent.includes('$WEB_SERVER_2')")
    text = await page.locator("pre").inner_text()
    await page.close()
    async with empty_balancer(tmp_path / "other") as other:
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": other.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_PAGER": "",
            "PATH": f"{Path(aws).parent}:{os.environ['PATH']}",
        }
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-e", "-c", text], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        listener = (await other.call("elbv2", "describe_load_balancers"))["LoadBalancers"][0]
        assert listener["LoadBalancerName"] == "my-alb"
        group = (await other.call("elbv2", "describe_target_groups"))["TargetGroups"][0]["TargetGroupArn"]
        targets = await other.call("elbv2", "describe_target_health", TargetGroupArn=group)
        assert len(targets["TargetHealthDescriptions"]) == 2


async def test_targets_may_be_addresses(open_page, empty):
    port = free_port()
    page = await open_page(f"{empty.url}/#/create")
    await page.get_by_label("Load balancer name").fill("by-address")
    for zone in "ac":
        await page.get_by_label(f"us-east-1{zone}", exact=True).check()
    await page.get_by_label("Port", exact=True).first.fill(str(port))
    await page.get_by_label("Target group name").fill("addresses")
    await page.get_by_role("radio", name="IP addresses").check()
    addresses = page.get_by_role("textbox", name="IP addresses")
    await addresses.fill("127.0.0.1:9 nonsense")
    await create_button(page).click()
    await expect(page.get_by_text("nonsense is no IP address.")).to_have_count(1)
    await addresses.fill("127.0.0.1:9\n10.0.0.5")
    await create_button(page).click()
    await page.get_by_role("heading", name="by-address was created.").wait_for()
    group = (await empty.call("elbv2", "describe_target_groups"))["TargetGroups"][0]["TargetGroupArn"]
    found = (await empty.call("elbv2", "describe_target_health", TargetGroupArn=group))["TargetHealthDescriptions"]
    assert sorted((each["Target"]["Id"], each["Target"]["Port"]) for each in found) == [
        ("10.0.0.5", 80),
        ("127.0.0.1", 9),
    ]
    await page.close()


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_violation(open_page, axe, empty, locale, scheme):
    page = await open_page(f"{empty.url}/#/create", locale=locale, scheme=scheme)
    await page.locator("section.card").nth(5).wait_for()
    assert await axe(page) == []
    await page.locator("button.primary").click()
    await page.locator(".message:not(:empty)").first.wait_for()
    assert await axe(page) == []
    await page.close()
