// Load balancers: the list of them, or one with its listeners and rules, network, resource map, security groups, attributes, tags.

import { elbv2, elbv2All, ec2All, listOf } from "../aws.js";
import { loadTexts, t } from "../i18n.js";
import { linkTo, rememberParams } from "../router.js";
import { ask, button, copyButton, drawn, empty, errorCard, field, h, poll, put, select, state, style, table, tabs, toast, write } from "../ui.js";
import { addressesOf } from "./balancer-data.js";
import { listenersPanel } from "./balancer-listeners.js";
import { mapPanel } from "./balancer-map.js";
import { zonePicker } from "./create-network.js";
import { attributesPanel } from "./edit-attributes.js";
import { actions, arriving, card, facts, formDialog, stateOf } from "./edit-form.js";
import { tagsPanel } from "./edit-tags.js";
import { inboundDialog, readSecurityGroups, securityGroupTable } from "./instances-security.js";

const EVERY_MS = 3000;

export const title = ({ name }) => name ?? t("balancer.title");

export const render = (root, { name, tab }) => arriving(root, async () => {
  await Promise.all([loadTexts("edit", "instances", "group", "create"), style("views/edit.css"), style("views/balancer.css")]);
  return name ? renderOne(root, name, tab) : renderList(root);
});

function renderList(root) {
  const rows = table({
    caption: t("balancer.title"), key: (each) => each.LoadBalancerArn,
    columns: [
      { label: t("edit.name"), head: true, value: (each) => each.LoadBalancerName, make: makeLink },
      { label: t("edit.state"), make: () => stateOf((each) => each.State.Code) },
      { label: t("balancer.scheme"), text: (each) => each.Scheme },
      { label: t("balancer.dns_name"), make: () => drawn(h("code"), (node, each) => write(node, each.DNSName)) },
      { label: t("edit.actions"), make: () => actions((each) => [[t("edit.delete"), () => remove(each), { danger: true, "aria-label": `${t("edit.delete")} ${each.LoadBalancerName}` }]]) },
    ],
  });
  const create = () => h("a", { class: "button", href: linkTo("create") }, t("balancer.create"));
  const none = empty(t("balancer.none"), t("balancer.none_text"));
  const full = card(t("balancer.title"), create(), rows, none);
  const stop = poll(async () => {
    const balancers = await elbv2All("DescribeLoadBalancers", "LoadBalancers");
    rows.draw(balancers);
    put(rows, "hidden", !balancers.length);
    put(none, "hidden", balancers.length > 0);
    if (full.parentNode !== root) root.replaceChildren(full);
  }, EVERY_MS, (error) => { if (full.parentNode !== root) root.replaceChildren(errorCard(error, stop.now)); });
  async function remove(each) {
    if (await removeBalancer(each)) stop.now();
  }
  return stop;
}

function makeLink() {
  const link = h("a");
  return drawn(h("span", {}, link), (_, each) => {
    write(link, each.LoadBalancerName);
    link.href = linkTo("balancer", { name: each.LoadBalancerName });
  });
}

// As in AWS's console, the word "confirm" must be typed.
async function removeBalancer({ LoadBalancerArn, LoadBalancerName }) {
  const sure = await ask({ title: `${t("balancer.delete")}: ${LoadBalancerName}`, body: t("balancer.delete_text"), ok: t("edit.delete"), danger: true, confirm: "confirm" });
  if (!sure) return false;
  await elbv2("DeleteLoadBalancer", { LoadBalancerArn });
  toast(t("edit.done"));
  return true;
}

const readOne = async (name) => (await elbv2All("DescribeLoadBalancers", "LoadBalancers", { Names: [name] }))[0];

async function renderOne(root, name, tab) {
  const balancer = await readOne(name);
  const arn = balancer.LoadBalancerArn;
  const details = h("div");
  const pages = tabs([
    { id: "listeners", label: t("balancer.tab.listeners"), render: (panel) => listenersPanel(panel, balancer) },
    { id: "network", label: t("create.network"), render: (panel) => networkPanel(panel, name) },
    { id: "map", label: t("balancer.tab.map"), render: (panel) => mapPanel(panel, balancer) },
    { id: "security", label: t("balancer.tab.security"), render: (panel) => securityPanel(panel, name) },
    { id: "attributes", label: t("edit.attributes"), render: (panel) => panel.append(attributesPanel("LoadBalancer", arn)) },
    { id: "tags", label: t("edit.tags"), render: (panel) => panel.append(tagsPanel(arn)) },
  ], tab, (id) => rememberParams({ tab: id }));
  const remove = button(t("edit.delete"), async () => { if (await removeBalancer(balancer)) location.hash = linkTo("balancer"); }, { danger: true });
  const mark = state();
  const reason = h("span", { class: "soft small" });
  const link = h("a", {}, balancer.DNSName);
  details.append(card(t("edit.details"), remove, h("div", { class: "edit-grid" },
    facts([
      [t("edit.state"), [mark, " ", reason]],
      [t("balancer.type"), t("balancer.application")],
      [t("balancer.scheme"), balancer.Scheme],
      [t("balancer.ip_type"), balancer.IpAddressType],
      ["VPC", balancer.VpcId],
      [t("balancer.created"), new Date(balancer.CreatedTime).toLocaleString(document.documentElement.lang)],
    ]),
    facts([
      [t("balancer.dns_name"), [h("code", {}, link), " ", copyButton(balancer.DNSName, t("balancer.dns_name"))]],
      ["ARN", h("code", { class: "small" }, arn)],
      [t("balancer.hosted_zone"), balancer.CanonicalHostedZoneId],
    ]))));
  root.replaceChildren(h("div", { class: "stack" }, details, pages));
  const stop = poll(async () => {
    const [now, addresses] = await Promise.all([readOne(name), addressesOf(balancer)]);
    mark.draw(now.State.Code);
    write(reason, now.State.Reason);
    const [first] = addresses.values();
    if (first) link.href = first;
  }, EVERY_MS);
  return () => {
    stop();
    pages.stop();
  };
}

function networkPanel(panel, name) {
  const load = async () => {
    const balancer = await readOne(name);
    panel.replaceChildren(card(t("create.network"), button(t("edit.edit"), () => edit(balancer), { "aria-label": t("balancer.edit_subnets") }), facts([
      ["VPC", balancer.VpcId],
      [t("balancer.ip_type"), balancer.IpAddressType],
      ...listOf(balancer.AvailabilityZones).map((each) => [each.ZoneName, each.SubnetId]),
    ])));
  };
  async function edit(balancer) {
    const zones = zonePicker(listOf(balancer.AvailabilityZones).map((each) => each.SubnetId));
    zones.draw(await ec2All("DescribeSubnets", "subnetSet", { Filter: [{ Name: "vpc-id", Value: [balancer.VpcId] }] }));
    const types = ["ipv4", "dualstack", "dualstack-without-public-ipv4"];
    const ip = field({ label: t("balancer.ip_type"), input: select(types.map((each) => [each, each]), balancer.IpAddressType) });
    const done = await formDialog({
      title: t("balancer.edit_subnets"), parts: [ip, zones], ok: t("edit.save"),
      act: () => elbv2("SetSubnets", { LoadBalancerArn: balancer.LoadBalancerArn, Subnets: zones.value(), IpAddressType: ip.value() }),
    });
    if (done) toast(t("edit.saved"));
    await load();
  }
  load().catch((error) => panel.replaceChildren(errorCard(error, load)));
}

function securityPanel(panel, name) {
  const load = async () => {
    const [balancer, groups] = await Promise.all([readOne(name), readSecurityGroups()]);
    const rows = table({
      caption: t("instances.security_groups"), key: (each) => each.groupId,
      columns: [
        { label: t("edit.name"), head: true, text: (each) => each.groupName },
        { label: "ID", text: (each) => each.groupId },
        { label: t("instances.description"), text: (each) => each.groupDescription },
        { label: t("edit.actions"), make: () => actions((each) => [[t("instances.inbound"), () => inboundDialog(each)]]) },
      ],
    });
    rows.draw(groups.filter((each) => listOf(balancer.SecurityGroups).includes(each.groupId)));
    panel.replaceChildren(card(t("instances.security_groups"), button(t("edit.edit"), () => edit(balancer, groups), { "aria-label": t("instances.change_groups") }), rows));
  };
  async function edit(balancer, groups) {
    const chosen = securityGroupTable(listOf(balancer.SecurityGroups));
    chosen.draw(groups.filter((each) => each.vpcId === balancer.VpcId));
    const done = await formDialog({
      title: t("instances.change_groups"), parts: [chosen], ok: t("edit.save"),
      act: () => elbv2("SetSecurityGroups", { LoadBalancerArn: balancer.LoadBalancerArn, SecurityGroups: chosen.value() }),
    });
    if (done) toast(t("edit.saved"));
    await load();
  }
  load().catch((error) => panel.replaceChildren(errorCard(error, load)));
}
