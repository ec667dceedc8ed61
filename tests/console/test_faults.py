"""Faults: one click breaks a web server, its effect is seen beside it, one click takes it back."""

import asyncio
import json

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console import scenes
from tests.console.balancers import empty_balancer, pages_of, traffic, until_it_says
from tests.console.pages import copied_by, remember_texts, wait_for
from tests.console.stage import console_stage
from tests.support.balancer import until
from tests.support.ports import free_port

CARDS = "[...document.querySelectorAll('.view-faults article')]"
IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
SERVER = {
    "id": "server-1",
    "kind": "demo",
    "name": "Web Server 1",
    "number": 1,
    "address": "127.0.0.1",
    "port": 8081,
    "state": "running",
    "fault": "none",
    "ms": None,
}


@pytest_asyncio.fixture(loop_scope="session")
async def faults(console_page):
    """The view at the two web servers of the demo."""
    console_page.app.faults.add_demo(console_page.servers)
    await console_page.page.goto(f"{console_page.url}#/faults")
    await wait_for(console_page.page, f"{CARDS}.length === 2")
    return console_page


def pressed(card, name):
    return card.get_by_role("button", name=name, pressed=True)


async def expect_states(faults, *states):
    """Waits until the web servers are in these states."""
    await until(lambda: tuple(each.state.value for each in faults.servers.list()) == states, f"states: {states}")


async def test_a_fault_shows_its_effect_beside_it_and_one_more_click_takes_it_back(faults):
    page, card = faults.page, faults.page.locator("article").first
    # From before the fault on: it is soon found unhealthy, and gets no requests any more.
    async with traffic(faults.port, senders=1, rate=20):
        await card.get_by_role("button", name="Answer 500").click()
        await pressed(card, "Answer 500").wait_for()
        await wait_for(page, f"/[1-9] answered with 5xx/.test({CARDS}[0].innerText)")
        assert not any("Web Server 1" in each for each in await pages_of(faults.port, 8))
        await wait_for(page, f"{CARDS}[0].querySelector('.use').innerText.includes('unhealthy')")
    await card.get_by_role("button", name="Answer 500").click()
    await wait_for(page, f"!{CARDS}[0].classList.contains('broken')")
    await wait_for(page, f"{CARDS}[0].querySelector('.use .state').innerText === 'healthy'")


async def test_the_share_of_each_server_is_that_of_the_last_seconds(faults):
    # All at once: they must be told before the first of them is too old.
    await asyncio.gather(*(pages_of(faults.port, 1) for _ in range(10)))
    told = "card.innerText.includes('5 of 10 requests') && card.querySelector('.use strong').innerText === '50%'"
    await wait_for(faults.page, f"{CARDS}.every(card => {told})")


async def test_stop_and_start_are_one_button(faults):
    card = faults.page.locator("article").nth(1)
    await card.get_by_role("button", name="Stop the web server").click()
    await card.get_by_role("button", name="Start the web server").wait_for()
    await expect(card.get_by_role("button", name="Answer 500")).to_be_disabled()
    await expect_states(faults, "running", "stopped")
    await card.get_by_role("button", name="Start the web server").click()
    await card.get_by_role("button", name="Stop the web server").wait_for()
    await expect_states(faults, "running", "running")


async def test_a_time_is_given_with_its_fault_and_everything_is_taken_back_at_once(faults):
    first, second = (faults.page.locator("article").nth(each) for each in (0, 1))
    await first.get_by_label("Slow: milliseconds").fill("300")
    await first.get_by_role("button", name="Slow").click()
    await pressed(first, "Slow").wait_for()
    await second.get_by_role("button", name="Stop the web server").click()
    await second.get_by_role("button", name="Start the web server").wait_for()
    slow = faults.servers.list()[0]
    assert (slow.fault.value, slow.fault_ms) == ("slow", 300)
    everything = faults.page.get_by_role("button", name="Take everything back")
    await everything.click()
    await wait_for(faults.page, f"!{CARDS}.some(card => card.classList.contains('broken'))")
    # One that begins to run is not broken any more.
    await expect_states(faults, "running", "running")
    assert [each.fault.value for each in faults.servers.list()] == ["none", "none"]
    await expect(everything).to_be_hidden()


@pytest.mark.parametrize("fault", ["Reset mid-response", "Drop idle connections"])
async def test_other_faults_begin_and_end_too(faults, fault):
    card = faults.page.locator("article").first
    await card.get_by_role("button", name=fault).click()
    await pressed(card, fault).wait_for()
    assert faults.servers.list()[0].fault.value in ("reset", "drop_idle")
    await card.get_by_role("button", name=fault).click()
    await card.get_by_role("button", name=fault, pressed=False).wait_for()
    assert faults.servers.list()[0].fault.value == "none"


async def test_what_the_api_refuses_is_said(faults):
    card = faults.page.locator("article").first
    await card.get_by_label("Slow: milliseconds").fill("0")
    await card.get_by_role("button", name="Slow").click()
    await faults.page.locator(".toast.bad").wait_for()
    assert faults.servers.list()[0].fault.value == "none"


@pytest_asyncio.fixture(loop_scope="session")
async def instance(tmp_path):
    """A load balancer before one instance: the balancer, the instance's id and its security group."""
    async with empty_balancer(tmp_path / "data") as running:
        group = (await running.call("ec2", "create_security_group", GroupName="web", Description="web"))["GroupId"]
        rules = [
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}],
            },
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ]
        await running.call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=rules)
        wish = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SecurityGroupIds": [group]}
        launched = (await running.call("ec2", "run_instances", **wish))["Instances"][0]
        wish = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": launched["VpcId"]}
        wish |= {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2}
        target_group = (await running.call("elbv2", "create_target_group", **wish))["TargetGroups"][0]["TargetGroupArn"]
        target = {"TargetGroupArn": target_group, "Targets": [{"Id": launched["InstanceId"]}]}
        subnets = [each["SubnetId"] for each in (await running.call("ec2", "describe_subnets"))["Subnets"]]
        balancer = (await running.call("elbv2", "create_load_balancer", Name="web", Subnets=subnets[:2]))[
            "LoadBalancers"
        ]
        action = {"Type": "forward", "TargetGroupArn": target_group}
        where = {"LoadBalancerArn": balancer[0]["LoadBalancerArn"], "Port": free_port(), "Protocol": "HTTP"}
        await running.call("elbv2", "create_listener", DefaultActions=[action], **where)

        async def state():
            found = await running.call("ec2", "describe_instances", InstanceIds=[launched["InstanceId"]])
            return found["Reservations"][0]["Instances"][0]["State"]["Name"]

        await until_it_says(state, "running")
        await running.call("elbv2", "register_targets", **target)
        yield running, launched["InstanceId"], group


async def inbound(running, group):
    """The inbound rules of a security group, without their ids."""
    found = await running.call("ec2", "describe_security_groups", GroupIds=[group])
    return sorted(json.dumps(each, sort_keys=True) for each in found["SecurityGroups"][0]["IpPermissions"])


async def test_an_instance_is_blocked_by_its_security_group_and_let_in_again(open_page, instance):
    running, server, group = instance
    before = await inbound(running, group)
    page = await open_page(f"{running.url}/#/faults")
    await wait_for(page, f"{CARDS}.length === 1")
    card = page.locator("article")
    await expect(card).to_contain_text(server)
    await wait_for(page, f"{CARDS}[0].querySelector('.use .state')?.innerText === 'healthy'")
    await remember_texts(page, ".view-faults article")
    await card.get_by_role("button", name="Block by security group").click()
    taken = page.get_by_text(f"{group}: inbound tcp 80 from 0.0.0.0/0")
    await taken.wait_for()
    assert [each for each in await inbound(running, group) if '"FromPort": 22' not in each] == []
    await wait_for(page, "texts.some(text => text.includes('1 of 2 failures'))")
    # Who comes back later may put back, too.
    await page.reload()
    await taken.wait_for()
    command = await copied_by(page, page.get_by_role("button", name="Copy the command"))
    assert command.startswith(f"aws ec2 authorize-security-group-ingress --group-id {group} --ip-permissions '[")
    assert json.loads(command.split("'")[1])[0]["ToPort"] == 80
    await page.get_by_role("button", name="Put back").click()
    await wait_for(page, "document.querySelectorAll('.view-faults section li').length === 0")
    assert await inbound(running, group) == before
    await wait_for(page, f"!{CARDS}[0].classList.contains('broken')")


async def test_a_rule_that_is_there_again_is_only_forgotten(open_page, instance):
    running, _, group = instance
    page = await open_page(f"{running.url}/#/faults")
    block = page.get_by_role("button", name="Block by security group")
    await block.click()
    await page.get_by_role("button", name="Put back").wait_for()
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    await running.call("ec2", "authorize_security_group_ingress", GroupId=group, IpPermissions=[rule])
    await page.get_by_role("button", name="Take everything back").click()
    await wait_for(page, "!document.querySelector('.view-faults .broken')")
    assert len(await inbound(running, group)) == 2
    await running.call("ec2", "revoke_security_group_ingress", GroupId=group, IpPermissions=[rule])
    await block.click()
    await page.locator(".toast.bad").get_by_text("let nobody in already").wait_for()


async def shown(open_page, url, servers, **options):
    """The view of made-up servers that are in no target group."""
    page = await open_page("about:blank", **options)
    await page.route("**/_lb/faults", lambda route: route.fulfill(json={"servers": servers, "faults": []}))
    await page.route("**/_lb/targets/health?lang=*", lambda route: route.fulfill(json={"targets": []}))
    seconds = {"from_s": 0, "until_s": 10, "series": []}
    await page.route("**/_lb/metrics/seconds*", lambda route: route.fulfill(json=seconds))
    await page.goto(f"{url}/#/faults")
    return page


@pytest.mark.parametrize("width", [320, 1600])
async def test_many_servers_fit_into_every_width(open_page, width):
    async with console_stage(scenes.all_healthy()) as stage:
        servers = [{**SERVER, "id": f"server-{each}", "name": f"Web Server {each}"} for each in range(50)]
        page = await shown(open_page, stage.url, servers, width=width)
        await wait_for(page, f"{CARDS}.length === 50")
        await wait_for(page, f"document.documentElement.scrollWidth <= {width}")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_violation(open_page, axe, scheme, locale):
    async with console_stage(scenes.all_healthy()) as stage:
        servers = [SERVER, {**SERVER, "id": "b", "fault": "slow", "ms": 500}, {**SERVER, "id": "c", "state": "stopped"}]
        page = await shown(open_page, stage.url, servers, scheme=scheme, locale=locale)
        await wait_for(page, f"{CARDS}.length === 3")
        assert await axe(page) == []


async def test_without_servers_of_our_own_the_page_says_so(open_page):
    async with console_stage(scenes.all_healthy()) as stage:
        page = await shown(open_page, stage.url, [])
        await page.get_by_text("No web servers of our own").wait_for()
