"""A load balancer's page: listeners, rules, resource map, and everything that can be edited there."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.console.balancers import empty_balancer
from tests.console.pages import wait_for
from tests.support.ports import free_port


@pytest_asyncio.fixture(loop_scope="session")
async def made(tmp_path):
    """A load balancer `web` with one listener that forwards to `blue`; `green` is not used."""
    async with empty_balancer(tmp_path / "data") as empty:
        subnets = (await empty.call("ec2", "describe_subnets"))["Subnets"]
        ids = [each["SubnetId"] for each in subnets]
        groups = {}
        for name in ("blue", "green"):
            answer = await empty.call(
                "elbv2",
                "create_target_group",
                Name=name,
                Protocol="HTTP",
                Port=80,
                VpcId=subnets[0]["VpcId"],
                TargetType="ip",
                HealthCheckIntervalSeconds=5,
                HealthCheckTimeoutSeconds=2,
                UnhealthyThresholdCount=2,
            )
            groups[name] = answer["TargetGroups"][0]["TargetGroupArn"]
        balancer = (await empty.call("elbv2", "create_load_balancer", Name="web", Subnets=ids[:2]))["LoadBalancers"][0]
        forward = [{"Type": "forward", "TargetGroupArn": groups["blue"]}]
        listener = await empty.call(
            "elbv2",
            "create_listener",
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=free_port(),
            DefaultActions=forward,
        )
        yield empty, balancer["LoadBalancerArn"], listener["Listeners"][0]["ListenerArn"], groups


async def rules_of(made):
    """The rules of the listener in their order, the default rule last."""
    empty, _, listener, _ = made
    found = (await empty.call("elbv2", "describe_rules", ListenerArn=listener))["Rules"]
    return sorted(found, key=lambda rule: int(rule["Priority"]) if rule["Priority"] != "default" else 50_001)


async def add_rule(made, priority, path):
    empty, _, listener, groups = made
    await empty.call(
        "elbv2",
        "create_rule",
        ListenerArn=listener,
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "Values": [path]}],
        Actions=[{"Type": "forward", "TargetGroupArn": groups["green"]}],
    )


async def saved(page):
    """The dialog has been accepted."""
    await page.get_by_role("dialog").get_by_role("button", name="Save changes").click()
    await page.get_by_role("dialog").wait_for(state="detached")


CONDITIONS = {
    "path-pattern": ("/api/*", {"Values": ["/api/*"]}),
    "host-header": ("*.example.com\nexample.com", {"Values": ["*.example.com", "example.com"]}),
    "http-header": ("*Mobile*", {"HttpHeaderName": "User-Agent", "Values": ["*Mobile*"]}),
    "http-request-method": ("DELETE", {"Values": ["DELETE"]}),
    "query-string": ("v=2\nx\n=a=b", {"Values": [{"Key": "v", "Value": "2"}, {"Value": "x"}, {"Value": "a=b"}]}),
    "source-ip": ("10.0.0.0/8", {"Values": ["10.0.0.0/8"]}),
}


@pytest.mark.parametrize("field", CONDITIONS)
async def test_a_rule_of_each_condition_can_be_added_and_is_shown_for_editing_as_it_was_given(open_page, made, field):
    text, config = CONDITIONS[field]
    page = await open_page(f"{made[0].url}/#/balancer?name=web&tab=listeners")
    await page.get_by_role("button", name="Add rule").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Condition type").select_option(field)
    if field == "http-header":
        await dialog.get_by_label("Header name").fill("User-Agent")
    await dialog.get_by_label("Values").fill(text)
    await dialog.get_by_label("Target group", exact=True).select_option(made[3]["green"])
    await saved(page)
    rule, default = await rules_of(made)
    assert default["IsDefault"]
    [condition] = rule["Conditions"]
    assert next(value for key, value in condition.items() if key.endswith("Config")) == config
    await page.get_by_role("button", name=f"Edit: Rule {rule['Priority']}").click()
    await expect(dialog.get_by_label("Values")).to_have_value(text)
    await saved(page)
    assert (await rules_of(made))[0]["Conditions"] == rule["Conditions"]
    await page.close()


async def test_weights_redirects_and_fixed_responses_can_be_chosen_and_a_mistake_is_said_at_its_field(open_page, made):
    page = await open_page(f"{made[0].url}/#/balancer?name=web&tab=listeners")
    await page.get_by_role("button", name="Edit default action").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Add target group").click()
    await dialog.get_by_label("Target group", exact=True).nth(1).select_option(made[3]["blue"])
    await dialog.get_by_label("Weight").first.fill("1000")
    await dialog.get_by_role("button", name="Save changes").click()
    await expect(dialog.get_by_text("A whole number from 0 to 999.")).to_have_count(1)
    await expect(dialog.get_by_text("This target group is there already.")).to_have_count(2)
    await dialog.get_by_label("Target group", exact=True).nth(1).select_option(made[3]["green"])
    await dialog.get_by_label("Weight").first.fill("80")
    await dialog.get_by_label("Weight").nth(1).fill("20")
    await dialog.get_by_label("Target group stickiness").check()
    await saved(page)
    await page.get_by_text("Forward to blue 80%, green 20%, sticky").wait_for()
    for kind, shown in (("Redirect to URL", "(301)"), ("Return fixed response", "Return fixed response 404")):
        await page.get_by_role("button", name="Edit default action").click()
        await dialog.get_by_role("radio", name=kind).check()
        if kind.startswith("Redirect"):
            await dialog.get_by_role("button", name="Save changes").click()
            await dialog.get_by_text("creates a loop").wait_for()
            await dialog.get_by_label("Host").fill("www.example.com")
        else:
            await dialog.get_by_label("Response code").fill("404")
        await saved(page)
        await page.locator("tbody").get_by_text(shown).wait_for()
    await page.close()


async def test_rules_change_places_and_are_deleted(open_page, made):
    for priority, path in ((10, "/a"), (20, "/b"), (35, "/c")):
        await add_rule(made, priority, path)
    page = await open_page(f"{made[0].url}/#/balancer?name=web&tab=listeners")
    await page.get_by_role("button", name="Move up: Rule 35").click()
    await page.get_by_role("row", name="20 Path: /c").wait_for()
    await page.get_by_role("button", name="Delete: Rule 10").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await page.get_by_role("row", name="10 Path: /a").wait_for(state="detached")
    found = [(rule["Priority"], [each["Values"] for each in rule["Conditions"]]) for rule in await rules_of(made)]
    assert found == [("20", [["/c"]]), ("35", [["/b"]]), ("default", [])]
    await page.close()


async def test_a_listener_is_added_and_deleted_and_a_taken_port_is_refused_at_the_field(open_page, made):
    empty, balancer, _, groups = made
    present = (await empty.call("elbv2", "describe_listeners", LoadBalancerArn=balancer))["Listeners"][0]["Port"]
    page = await open_page(f"{empty.url}/#/balancer?name=web&tab=listeners")
    port = free_port()
    await page.get_by_role("heading", name=f"HTTP:{present}").wait_for()
    await page.get_by_role("button", name="Add listener").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Port", exact=True).first.fill(str(present))
    await dialog.get_by_label("Target group", exact=True).select_option(groups["green"])
    await dialog.get_by_role("button", name="Save changes").click()
    await expect(dialog.get_by_text("Another listener has this port.")).to_have_count(1)
    await dialog.get_by_label("Port", exact=True).first.fill(str(port))
    await saved(page)
    card = page.locator("section.card", has=page.get_by_role("heading", name=f"HTTP:{port}"))
    await card.get_by_role("button", name="Delete").click()
    await dialog.get_by_role("button", name="Delete").click()
    await card.wait_for(state="detached")
    await page.close()


async def test_the_map_shows_every_path_lights_up_what_is_connected_and_folds_many_targets(open_page, made):
    empty, _, _, groups = made
    await add_rule(made, 10, "/api/*")
    targets = [{"Id": f"127.0.0.{number}", "Port": 9} for number in range(2, 42)]
    await empty.call("elbv2", "register_targets", TargetGroupArn=groups["green"], Targets=targets)
    page = await open_page(f"{empty.url}/#/balancer?name=web&tab=map")
    await page.get_by_role("button", name="32 more").wait_for()
    counts = ["Listeners (1)", "Rules (2)", "Target groups (2)", "Targets (40)"]
    await expect(page.locator(".map h3")).to_have_text(counts)
    # 1 listener to 2 rules to 2 groups, of which one to 8 targets and the fold
    await wait_for(page, "document.querySelectorAll('.map path').length === 13")
    await page.get_by_role("link", name="blue").focus()
    lit = page.locator(".tile-box.on .tile-head")
    await expect(lit).to_have_text([re.compile(r"^HTTP:\d+$"), "Default rule", "blue"])
    await page.get_by_role("button", name="32 more").click()
    await wait_for(page, "document.querySelectorAll('.map path').length === 45")
    await page.locator(".tile-box .state.bad").first.wait_for()
    await page.get_by_label("Unhealthy paths only").check()
    await expect(page.get_by_role("link", name="blue")).to_have_count(0)
    await wait_for(page, "document.querySelectorAll('.tile-box.bad').length >= 4")
    await page.close()


async def test_attributes_tags_network_and_security_groups_are_edited(open_page, made):
    empty, balancer, _, _ = made
    page = await open_page(f"{empty.url}/#/balancer?name=web&tab=attributes")
    dialog = page.get_by_role("dialog")
    await page.get_by_role("button", name="Edit attributes").click()
    await dialog.get_by_label("idle_timeout.timeout_seconds").fill("0")
    await dialog.get_by_role("button", name="Save changes").click()
    await dialog.get_by_text("must be between '1-4000' inclusive").wait_for()
    await dialog.get_by_label("idle_timeout.timeout_seconds").fill("7")
    await saved(page)
    await page.get_by_role("row", name="idle_timeout.timeout_seconds 7").wait_for()
    await page.get_by_role("tab", name="Tags").click()
    await page.get_by_role("button", name="Manage tags").click()
    await dialog.get_by_label("Tags").fill("team=shop\nempty=")
    await saved(page)
    await page.get_by_role("row", name="team shop").wait_for()
    await page.get_by_role("tab", name="Network mapping").click()
    await page.get_by_role("button", name="Edit subnets").click()
    await dialog.get_by_label("us-east-1a", exact=True).uncheck()
    await dialog.get_by_role("button", name="Save changes").click()
    await expect(dialog.get_by_text("Choose at least two Availability Zones.")).to_have_count(1)
    await dialog.get_by_label("us-east-1c", exact=True).check()
    await saved(page)
    await page.locator("#panel dl").get_by_text("us-east-1c").wait_for()
    await page.get_by_role("tab", name="Security").click()
    await page.get_by_role("button", name="Inbound rules").click()
    await dialog.get_by_label("Port").fill("8080")
    await dialog.get_by_role("button", name="Add rule").click()
    await dialog.get_by_role("button", name="Remove: TCP 8080 127.0.0.0/8").click()
    await dialog.get_by_role("row", name="TCP 8080").wait_for(state="detached")
    found = (await empty.call("elbv2", "describe_load_balancers"))["LoadBalancers"][0]
    assert {zone["ZoneName"] for zone in found["AvailabilityZones"]} == {"us-east-1b", "us-east-1c"}
    tags = (await empty.call("elbv2", "describe_tags", ResourceArns=[balancer]))["TagDescriptions"][0]["Tags"]
    assert sorted(tags, key=lambda tag: tag["Key"]) == [{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "shop"}]
    await page.close()


async def test_deleting_asks_for_the_word_confirm(open_page, made):
    empty, _, _, _ = made
    page = await open_page(f"{empty.url}/#/balancer?name=web")
    await page.get_by_role("button", name="Delete", exact=True).first.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    await dialog.get_by_role("textbox").fill("confirm")
    await dialog.get_by_role("button", name="Delete").click()
    await page.get_by_text("No load balancers").wait_for()
    assert (await empty.call("elbv2", "describe_load_balancers"))["LoadBalancers"] == []
    await page.close()


# Of each tab, what is there once it is drawn.
TABS = {
    "listeners": "tbody tr",
    "network": "dl",
    "map": ".tile-box .state",
    "security": "tbody tr",
    "attributes": "tbody tr",
    "tags": ".empty",
}


@pytest.mark.parametrize(("locale", "scheme"), [("en-US", "light"), ("ko-KR", "dark")])
async def test_axe_finds_no_serious_violation_in_any_tab_or_dialog(open_page, axe, made, locale, scheme):
    await add_rule(made, 10, "/a")
    await made[0].call("elbv2", "register_targets", TargetGroupArn=made[3]["green"], Targets=[{"Id": "127.0.0.2"}])
    page = await open_page(f"{made[0].url}/#/balancer", locale=locale, scheme=scheme)
    await page.locator("tbody a").wait_for()
    assert await axe(page) == []
    await page.locator("tbody a").click()
    for tab, content in TABS.items():
        await page.locator(f"#tab-{tab}").click()
        await page.locator(f"#panel {content}").first.wait_for()
        assert await axe(page) == [], tab
    await page.locator("#tab-listeners").click()
    await page.locator("#panel section.card button").first.click()
    await page.get_by_role("dialog").wait_for()
    assert await axe(page) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    await page.close()
