// Target groups: the list of them, or one with its targets, health checks, attributes and tags.

import { elbv2, elbv2All, ec2All, listOf } from "../aws.js";
import { loadTexts, t } from "../i18n.js";
import { linkTo, rememberParams } from "../router.js";
import { ask, button, drawn, empty, errorCard, h, healthBar, lines, poll, put, store, style, table, tabs, toast, write } from "../ui.js";
import { attributesPanel } from "./edit-attributes.js";
import { actions, arriving, card, facts, formDialog, stateOf } from "./edit-form.js";
import { tagsPanel } from "./edit-tags.js";
import { groupForm, healthForm } from "./group-form.js";
import { targetPicker } from "./group-targets.js";

const EVERY_MS = 2000;

export const title = ({ name }) => name ?? t("group.title");

export const render = (root, { name, tab }) => arriving(root, async () => {
  await Promise.all([loadTexts("edit", "instances"), style("views/edit.css")]);
  return name ? renderOne(root, name, tab) : renderList(root);
});

export const nameOfBalancer = (arn) => arn.split("/")[2];

function renderList(root) {
  const rows = table({
    caption: t("group.title"), key: (each) => each.TargetGroupArn,
    columns: [
      { label: t("edit.name"), head: true, value: (each) => each.TargetGroupName, make: () => groupLink() },
      { label: t("group.protocol"), text: (each) => `${each.Protocol ?? ""}:${each.Port ?? ""}` },
      { label: t("group.type"), text: (each) => each.TargetType },
      { label: t("group.balancer"), text: (each) => listOf(each.LoadBalancerArns).map(nameOfBalancer).join(", ") || t("group.unused") },
      { label: t("edit.actions"), make: () => actions((each) => [[t("edit.delete"), () => remove(each), { danger: true }]]) },
    ],
  });
  const none = empty(t("group.none"), t("group.none_text"));
  const full = card(t("group.title"), button(t("group.create"), create, { primary: true }), rows, none);
  const stop = poll(async () => {
    const groups = await elbv2All("DescribeTargetGroups", "TargetGroups");
    rows.draw(groups);
    put(rows, "hidden", !groups.length);
    put(none, "hidden", groups.length > 0);
    if (full.parentNode !== root) root.replaceChildren(full);
  }, EVERY_MS, (error) => { if (full.parentNode !== root) root.replaceChildren(errorCard(error, stop.now)); });
  return stop;

  async function create() {
    const form = groupForm(await ec2All("DescribeVpcs", "vpcSet"));
    const done = await formDialog({ title: t("group.create"), parts: [form], ok: t("edit.create"), act: () => elbv2("CreateTargetGroup", form.value()) });
    if (done) location.hash = linkTo("group", { name: form.value().Name });
  }
  async function remove(each) {
    if (await removeGroup(each)) stop.now();
  }
}

function groupLink() {
  const link = h("a");
  return drawn(h("span", {}, link), (_, each) => {
    write(link, each.TargetGroupName);
    link.href = linkTo("group", { name: each.TargetGroupName });
  });
}

async function removeGroup(group) {
  const sure = await ask({ title: `${t("group.delete")}: ${group.TargetGroupName}`, body: t("edit.cannot_undo"), ok: t("edit.delete"), danger: true });
  if (!sure) return false;
  await elbv2("DeleteTargetGroup", { TargetGroupArn: group.TargetGroupArn });
  toast(t("edit.done"));
  return true;
}

async function renderOne(root, name, tab) {
  const [group] = await elbv2All("DescribeTargetGroups", "TargetGroups", { Names: [name] });
  const arn = group.TargetGroupArn;
  const bar = healthBar();
  const health = store(null);
  const balancers = listOf(group.LoadBalancerArns).map(nameOfBalancer);
  const remove = button(t("edit.delete"), async () => { if (await removeGroup(group)) location.hash = linkTo("group"); }, { danger: true });
  const details = card(t("edit.details"), remove,
    h("div", { class: "edit-grid" },
      facts([
        [t("group.type"), group.TargetType],
        [t("group.protocol"), `${group.Protocol ?? "-"}:${group.Port ?? "-"} ${group.ProtocolVersion ?? ""}`],
        ["VPC", group.VpcId ?? "-"],
        [t("group.balancer"), balancers.length ? balancers.map((each) => h("a", { href: linkTo("balancer", { name: each }) }, each)) : t("group.unused")],
      ]),
      facts([["ARN", h("code", {}, arn)], [t("group.targets"), bar]])));
  const pages = tabs([
    { id: "targets", label: t("group.targets"), render: (panel) => targetsPanel(panel, group, health, () => stop.now()) },
    { id: "health", label: t("group.health_checks"), render: (panel) => healthPanel(panel, name) },
    { id: "attributes", label: t("edit.attributes"), render: (panel) => panel.append(attributesPanel("TargetGroup", arn)) },
    { id: "tags", label: t("edit.tags"), render: (panel) => panel.append(tagsPanel(arn)) },
  ], tab, (id) => rememberParams({ tab: id }));
  root.replaceChildren(h("div", { class: "stack" }, details, pages));
  const stop = poll(async () => {
    health.set(await readHealth(arn));
    bar.draw(health.get().map(stateOfTarget));
  }, EVERY_MS);
  return () => {
    stop();
    pages.stop();
  };
}

export const readHealth = async (arn) => listOf((await elbv2("DescribeTargetHealth", { TargetGroupArn: arn })).TargetHealthDescriptions);
export const stateOfTarget = (each) => ({ state: each.TargetHealth.State });
export const placeOf = ({ Id, Port }) => (Port ? `${Id.includes(":") && !Id.startsWith("arn:") ? `[${Id}]` : Id}:${Port}` : Id);

function targetsPanel(panel, group, health, again) {
  const arn = group.TargetGroupArn;
  const rows = table({
    caption: t("group.targets"), key: (each) => placeOf(each.Target),
    columns: [
      { label: t("group.target"), head: true, value: (each) => placeOf(each.Target), text: (each) => placeOf(each.Target) },
      { label: t("edit.state"), value: (each) => each.TargetHealth.State, make: () => stateOf((each) => each.TargetHealth.State) },
      { label: t("group.reason"), make: () => lines((each) => [each.TargetHealth.Description, each.TargetHealth.Reason]) },
      { label: t("edit.actions"), make: () => actions((each) => [[t("group.deregister"), () => deregister(each.Target), { "aria-label": `${t("group.deregister")} ${placeOf(each.Target)}` }]]) },
    ],
  });
  const none = empty(t("shell.no_targets"), t("group.no_targets_text"));
  panel.append(card(t("group.targets"), button(t("group.register"), register, { primary: true }), rows, none));
  const draw = (targets) => {
    rows.draw(targets ?? []);
    put(rows, "hidden", !targets?.length);
    put(none, "hidden", !targets || targets.length > 0);
  };
  draw(health.get());
  return health.subscribe(draw);

  async function deregister({ Id, Port }) {
    await elbv2("DeregisterTargets", { TargetGroupArn: arn, Targets: [{ Id, Port }] });
    toast(t("edit.done"));
    again();
  }

  async function register() {
    const picker = targetPicker();
    picker.setType(group.TargetType);
    const done = await formDialog({
      title: t("group.register"), parts: [picker], ok: t("group.register"),
      act: () => elbv2("RegisterTargets", { TargetGroupArn: arn, Targets: picker.value() }),
    });
    picker.stop();
    if (done) toast(t("edit.done"));
    again();
  }
}

function healthPanel(panel, name) {
  const load = async () => {
    const [group] = await elbv2All("DescribeTargetGroups", "TargetGroups", { Names: [name] });
    panel.replaceChildren(card(t("group.health_checks"), button(t("edit.edit"), () => edit(group), { "aria-label": t("group.edit_health") }), facts([
      [t("group.check_protocol"), group.HealthCheckProtocol],
      [t("group.check_path"), group.HealthCheckPath],
      [t("group.check_port"), group.HealthCheckPort],
      [t("group.healthy_threshold"), group.HealthyThresholdCount],
      [t("group.unhealthy_threshold"), group.UnhealthyThresholdCount],
      [t("group.timeout"), group.HealthCheckTimeoutSeconds],
      [t("group.interval"), group.HealthCheckIntervalSeconds],
      [t("group.codes"), group.Matcher?.HttpCode ?? group.Matcher?.GrpcCode],
    ])));
  };
  async function edit(group) {
    const form = healthForm(group);
    const done = await formDialog({
      title: t("group.edit_health"), parts: [form], ok: t("edit.save"),
      act: () => elbv2("ModifyTargetGroup", { TargetGroupArn: group.TargetGroupArn, ...form.value() }),
    });
    if (done) {
      toast(t("edit.saved"));
      await load();
    }
  }
  load().catch((error) => panel.replaceChildren(errorCard(error, load)));
}
