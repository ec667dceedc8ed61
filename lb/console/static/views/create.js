// "Create Application Load Balancer", as AWS's console asks for it: one page, a card for each step, a review with the same as
// calls of the AWS CLI, and the creation, call by call. After an error it goes on with the call that failed.

import { ec2All, elbv2All, listOf } from "../aws.js";
import { loadTexts, t } from "../i18n.js";
import { linkTo } from "../router.js";
import { announce, button, copyButton, drawn, field, h, keyed, put, select, style, write } from "../ui.js";
import { addressesOf } from "./balancer-data.js";
import { protocolForm } from "./balancer-listener.js";
import { carryOut, ref, script } from "./create-calls.js";
import { zonePicker } from "./create-network.js";
import { allValid, arriving, facts, nameCheck, radios, required, textField } from "./edit-form.js";
import { tagsField, tagsOf } from "./edit-tags.js";
import { groupForm } from "./group-form.js";
import { targetPicker } from "./group-targets.js";
import { createSecurityGroup, readSecurityGroups, securityGroupTable } from "./instances-security.js";

const DRAW_AFTER_MS = 80;

export const title = () => t("create.title");

export const render = (root) => arriving(root, async () => {
  await Promise.all([loadTexts("edit", "instances", "group", "balancer"), style("views/edit.css"), style("views/create.css")]);
  return show(root);
});

async function show(root) {
  const [vpcs, subnets, groups, present, balancers] = await Promise.all([
    ec2All("DescribeVpcs", "vpcSet"), ec2All("DescribeSubnets", "subnetSet"), readSecurityGroups(),
    elbv2All("DescribeTargetGroups", "TargetGroups"), elbv2All("DescribeLoadBalancers", "LoadBalancers"),
  ]);
  let security = groups;
  let known = new Map();
  // What was done on the way: instances launched, security groups created.
  const done = [];
  let timer = 0;
  // Many keys, one drawing.
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(review, DRAW_AFTER_MS);
  };

  const free = (value) => nameCheck(value) || (/^internal-/.test(value) ? t("create.name_internal") : balancers.some((each) => each.LoadBalancerName === value) ? t("create.name_taken") : "");
  const name = textField(t("create.name"), "", { hint: t("edit.name_hint"), check: free });
  const scheme = radios(t("create.scheme"), [
    ["internet-facing", t("create.internet_facing"), t("create.internet_facing_hint")],
    ["internal", t("create.internal"), t("create.internal_hint")],
  ], "internet-facing");
  const ipType = radios(t("create.ip_type"), [["ipv4", "IPv4"], ["dualstack", "Dualstack"]], "ipv4");

  const vpc = field({ label: "VPC", check: required, input: select(vpcs.map((each) => [each.vpcId, `${each.vpcId} (${each.cidrBlock})${each.isDefault === "true" ? ` ${t("create.default")}` : ""}`]), vpcs.find((each) => each.isDefault === "true")?.vpcId) });
  const inVpc = (list) => list.filter((each) => each.vpcId === vpc.value());
  const zones = zonePicker([], changed);

  const chosenGroups = securityGroupTable(groups.filter((each) => each.groupName === "default").map((each) => each.groupId), changed);
  const newGroup = button(t("instances.create_group"), async () => {
    const calls = await createSecurityGroup(vpc.value(), protocol.value().Port);
    if (!calls) return;
    done.push(...calls);
    security = await readSecurityGroups();
    chosenGroups.choose([calls[0].value]);
    chosenGroups.draw(inVpc(security));
    changed();
  });

  const protocol = protocolForm({ changed });
  const existing = field({ label: t("balancer.group"), check: required, input: select([["", t("balancer.choose_group")]], "") });
  const form = groupForm(vpcs, () => { picker.setType(form.type(), form.port()); changed(); });
  const picker = targetPicker({ changed, made: (calls) => done.push(...calls), subnets: zones.value });
  const which = radios(t("balancer.default_action"), [["new", t("create.new_group"), t("create.new_group_hint")], ["existing", t("create.existing_group")]], "new", showGroup);
  const newCard = h("div", { class: "edit-box-card" }, h("h3", {}, t("group.create")), form, h("h3", {}, t("group.register")), picker);
  const isNew = () => which.value() === "new";
  const tags = tagsField();

  const problem = h("p", { class: "message", role: "alert" });
  const summary = h("div");
  const cli = h("pre", { tabindex: "0", "aria-label": t("create.cli") });
  const steps = h("ol", { class: "progress" });
  const go = button(t("create.create"), create, { primary: true });
  const result = h("div", { "aria-live": "polite" });
  const sections = [
    ["basic", [name, scheme, ipType]],
    ["network", [vpc, zones]],
    ["security", [h("p", { class: "hint" }, t("create.security_hint")), chosenGroups, h("p", {}, newGroup)]],
    ["routing", [protocol, which, existing, newCard]],
    ["tags", [tags]],
    ["review", [summary, h("details", { class: "cli", open: true }, h("summary", {}, t("create.cli")), h("p", { class: "row" }, h("span", { class: "hint" }, t("create.cli_hint")), copyButton(() => cli.textContent, t("create.cli"))), cli), problem, h("p", { class: "row" }, go), steps, result]],
  ];
  const inputs = sections.map(([key, content], place) =>
    h("section", { class: "card", "aria-labelledby": `step-${key}` }, h("h2", { id: `step-${key}` }, `${place + 1}. ${t(`create.${key}`)}`), key === "review" ? null : h("p", { class: "soft small" }, t(`create.${key}_text`)), h("div", { class: "edit-parts" }, content)));
  const all = h("div", { class: "stack", oninput: changed, onchange: changed }, inputs);
  vpc.input.addEventListener("change", showVpc);
  showVpc();
  showGroup();
  review();
  root.replaceChildren(all);
  return () => {
    clearTimeout(timer);
    picker.stop();
  };

  function showVpc() {
    zones.draw(inVpc(subnets));
    chosenGroups.draw(inVpc(security));
    const options = present.filter((each) => each.VpcId === vpc.value() && !listOf(each.LoadBalancerArns).length);
    existing.input.replaceChildren(...select([["", t("balancer.choose_group")], ...options.map((each) => [each.TargetGroupArn, `${each.TargetGroupName} (${each.TargetType}, ${each.Protocol}:${each.Port})`])], "").children);
  }

  function showGroup() {
    put(existing, "hidden", isNew());
    put(newCard, "hidden", !isNew());
    changed();
  }

  // The calls still to be made, in their order.
  function plan() {
    const calls = [];
    const group = isNew() ? ref("TARGET_GROUP") : existing.value();
    if (isNew()) {
      calls.push({ service: "elbv2", action: "CreateTargetGroup", params: form.value(), keep: "TARGET_GROUP", query: "TargetGroups[0].TargetGroupArn", take: (answer) => answer.TargetGroups[0].TargetGroupArn });
      const targets = picker.value();
      if (targets.length) calls.push({ service: "elbv2", action: "RegisterTargets", params: { TargetGroupArn: group, Targets: targets } });
    }
    const given = tagsOf(tags.value());
    calls.push({
      service: "elbv2", action: "CreateLoadBalancer", keep: "LOAD_BALANCER", query: "LoadBalancers[0].LoadBalancerArn", take: (answer) => answer.LoadBalancers[0].LoadBalancerArn,
      params: {
        Name: name.value(), Scheme: scheme.value(), IpAddressType: ipType.value(), Subnets: zones.value(), SecurityGroups: chosenGroups.value(),
        Tags: given.length ? given : undefined,
      },
    });
    calls.push({ service: "elbv2", action: "CreateListener", params: { LoadBalancerArn: ref("LOAD_BALANCER"), ...protocol.value(), DefaultActions: [{ Type: "forward", TargetGroupArn: group }] } });
    return calls;
  }

  function review() {
    const { Protocol, Port } = protocol.value();
    const targets = picker.value();
    const group = isNew() ? form.value().Name : existing.input.selectedOptions[0]?.textContent;
    summary.replaceChildren(facts([
      [t("create.basic"), [name.value() || t("create.missing"), scheme.value(), ipType.value()].join(", ")],
      [t("create.network"), [vpc.value(), ...zones.value()].join(", ")],
      [t("create.security"), security.filter((each) => chosenGroups.value().includes(each.groupId)).map((each) => each.groupName).join(", ") || t("create.missing")],
      [t("create.routing"), `${Protocol}:${Port} → ${group || t("create.missing")}`],
      [t("group.targets"), isNew() ? targets.map(({ Id }) => Id).join(", ") || t("create.no_targets") : "-"],
    ]));
    write(cli, script([...done, ...plan()]));
  }

  async function create() {
    const parts = [name, vpc, zones, chosenGroups, protocol, ...(isNew() ? [form, picker] : [existing]), tags];
    write(problem, "");
    if (!allValid(parts, all)) {
      write(problem, t("create.fix"));
      return;
    }
    review();
    const calls = plan();
    const states = calls.map((call) => ({ call, state: "wait", message: "" }));
    // A call that has succeeded is idempotent as long as its parameters are the same; so creating again goes on.
    known = new Map();
    for (const each of states) {
      each.state = "work";
      drawSteps(states);
      try {
        await carryOut(each.call, known);
      } catch (error) {
        each.state = "bad";
        each.message = error.code === "NoAnswer" ? t("shell.no_answer") : `${error.message} (${error.code})`;
        drawSteps(states);
        write(problem, t("create.failed"));
        return;
      }
      each.state = "good";
      drawSteps(states);
    }
    await success();
  }

  function drawSteps(states) {
    keyed(steps, states, ({ call }) => call.action, () => drawn(h("li"), (node, { call, state, message }) => {
      node.className = `state ${{ work: "wait", wait: "off" }[state] ?? state}`;
      write(node, `${t(`create.call.${call.action}`)}: ${t(`create.step.${state}`)}${message ? `. ${message}` : ""}`);
    }));
  }

  // Nothing is to be edited any more: the form gives way to what has been made.
  async function success() {
    const [balancer] = await elbv2All("DescribeLoadBalancers", "LoadBalancers", { LoadBalancerArns: [known.get("LOAD_BALANCER")] });
    const [address] = (await addressesOf(balancer)).values();
    inputs.slice(0, -1).forEach((each) => each.remove());
    go.remove();
    const failed = balancer.State.Code === "failed" ? h("p", { class: "message" }, balancer.State.Reason) : null;
    result.append(h("div", { class: "made" }, h("h3", {}, t("create.made", { name: balancer.LoadBalancerName })), failed,
      h("p", {}, address ? h("a", { href: address, target: "_blank", rel: "noopener" }, address) : h("code", {}, balancer.DNSName), " ", copyButton(address ?? balancer.DNSName, t("balancer.dns_name"))),
      h("p", { class: "soft" }, t("create.made_text")),
      h("p", { class: "row" }, h("a", { class: "button", href: linkTo("balancer", { name: balancer.LoadBalancerName, tab: "map" }) }, t("create.open")))));
    announce(t("create.made", { name: balancer.LoadBalancerName }));
    result.querySelector("a").focus();
  }
}
