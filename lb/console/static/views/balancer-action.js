// The routing action of a listener or a rule: a part whose value() is what Actions and DefaultActions take.

import { t } from "../i18n.js";
import { button, field, h, keyed, put, select } from "../ui.js";
import { allValid, checkBox, radios, required, textArea, textField, whole } from "./edit-form.js";
import { groupsOf, routingOf } from "./balancer-words.js";

const MOST_GROUPS = 5;
const KEEPS = { Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "#{query}" };

// `groups` are all target groups of the account; `actions` is what there is now.
export function actionForm(groups, actions = []) {
  const now = routingOf(actions) ?? { Type: "forward" };
  const forms = { forward: forwardForm(groups, now), redirect: redirectForm(now), "fixed-response": answerForm(now) };
  const kind = radios(t("balancer.action"), Object.keys(forms).map((type) => [type, t(`balancer.action.${type}`)]), now.Type, show);
  const node = h("div", {}, kind, Object.values(forms));
  function show() {
    for (const [type, form] of Object.entries(forms)) put(form, "hidden", type !== kind.value());
  }
  show();
  node.valid = () => forms[kind.value()].valid();
  node.value = () => {
    const routing = { Type: kind.value(), ...forms[kind.value()].value() };
    // What authenticates before it stays; the secret is not told by the API, and kept where it is not given.
    const before = actions.slice(0, -1).map((each) => (each.AuthenticateOidcConfig ? { ...each, AuthenticateOidcConfig: { ...each.AuthenticateOidcConfig, UseExistingClientSecret: true } } : each));
    return before.length ? [...before, { ...routing, Order: Number(before[before.length - 1].Order) + 1 }] : [routing];
  };
  return node;
}

function forwardForm(groups, now) {
  const rows = h("div");
  const sticky = now.ForwardConfig?.TargetGroupStickinessConfig ?? {};
  const isSticky = checkBox(t("balancer.group_stickiness"), sticky.Enabled === "true");
  const seconds = textField(t("balancer.stickiness_seconds"), sticky.DurationSeconds ?? "3600", { check: (value) => (isSticky.value() ? whole(1, 604800)(value) : "") });
  const options = [["", t("balancer.choose_group")], ...groups.map((each) => [each.TargetGroupArn, `${each.TargetGroupName} (${each.TargetType}, ${each.Protocol ?? "-"}:${each.Port ?? "-"})`])];
  let made = 0;
  const given = groupsOf(now);
  let items = (given.length ? given : [{ arn: "", weight: 1 }]).map((each) => ({ ...each, id: made++ }));
  const add = button(t("balancer.add_group"), () => { items = [...items, { arn: "", weight: 1, id: made++ }]; draw(); });

  function row(item) {
    const group = field({ label: t("balancer.group"), input: select(options, item.arn), check: unique });
    const weight = textField(t("balancer.weight"), item.weight, { check: whole(0, 999), inputmode: "numeric" });
    const remove = button(t("edit.remove"), () => { items = items.filter(({ id }) => id !== item.id); draw(); });
    return Object.assign(h("div", { class: "edit-row" }, group, weight, remove), { group, weight, remove, draw() {} });
  }
  const lines = () => [...rows.children];
  const unique = (arn) => required(arn) || (lines().filter(({ group }) => group.value() === arn).length > 1 ? t("balancer.group_twice") : "");
  function draw() {
    keyed(rows, items, ({ id }) => id, row);
    lines().forEach(({ weight, remove }) => [weight, remove].forEach((each) => put(each, "hidden", items.length < 2)));
    put(add, "hidden", items.length >= MOST_GROUPS);
    put(more, "hidden", items.length < 2);
  }
  const more = h("div", {}, isSticky, seconds);
  const node = h("div", {}, rows, h("p", {}, add), more);
  draw();
  node.valid = () => allValid([...lines().flatMap(({ group, weight }) => [group, weight]), seconds], node);
  node.value = () => {
    const chosen = lines().map(({ group, weight }) => ({ TargetGroupArn: group.value(), Weight: weight.value() }));
    if (chosen.length === 1) return { TargetGroupArn: chosen[0].TargetGroupArn };
    const stickiness = isSticky.value() ? { TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: seconds.value() } } : {};
    return { ForwardConfig: { TargetGroups: chosen, ...stickiness } };
  };
  return node;
}

function redirectForm({ RedirectConfig: now = KEEPS }) {
  const protocol = field({ label: t("balancer.protocol"), input: select(["#{protocol}", "HTTP", "HTTPS"].map((each) => [each, each]), now.Protocol) });
  const code = field({ label: t("balancer.status_code"), input: select([["HTTP_301", t("balancer.moved")], ["HTTP_302", t("balancer.found")]], now.StatusCode) });
  const [host, port, path] = ["Host", "Port", "Path"].map((key) => textField(t(`balancer.redirect.${key}`), now[key], { check: required }));
  const query = textField(t("balancer.redirect.Query"), now.Query ?? "");
  const parts = [protocol, host, port, path, query, code];
  const node = h("div", {}, h("p", { class: "hint" }, t("balancer.redirect_hint")), h("div", { class: "edit-grid" }, parts));
  node.valid = () => allValid(parts, node);
  node.value = () => ({ RedirectConfig: { Protocol: protocol.value(), Host: host.value(), Port: port.value(), Path: path.value(), Query: query.value(), StatusCode: code.value() } });
  return node;
}

function answerForm({ FixedResponseConfig: now = { StatusCode: "503", ContentType: "text/plain" } }) {
  const types = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
  const code = textField(t("balancer.response_code"), now.StatusCode, { check: (value) => (/^[245]\d\d$/.test(value) ? "" : t("balancer.response_code_wrong")) });
  const type = field({ label: t("balancer.content_type"), input: select(types.map((each) => [each, each]), now.ContentType) });
  const body = textArea(t("balancer.body"), now.MessageBody ?? "", { check: (value) => (value.length > 1024 ? t("balancer.body_long") : "") });
  const node = h("div", {}, h("div", { class: "edit-grid" }, code, type), body);
  node.valid = () => allValid([code, body], node);
  node.value = () => ({ FixedResponseConfig: { StatusCode: code.value(), ContentType: type.value(), MessageBody: body.value() } });
  return node;
}
