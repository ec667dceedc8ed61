// The form of a rule: priority, conditions, transforms, action.

import { elbv2, elbv2All, listOf } from "../aws.js";
import { t } from "../i18n.js";
import { button, field, h, keyed, put, select, toast, write } from "../ui.js";
import { CONDITIONS, valuesOf } from "./balancer-words.js";
import { actionForm } from "./balancer-action.js";
import { allValid, formDialog, required, textArea, textField, whole } from "./edit-form.js";

const MOST_VALUES = 5;
const WITH_REGEX = ["path-pattern", "host-header", "http-header"];
const TRANSFORMS = { "host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig" };
const PRIORITY_STEP = 10;

// Asks for a new rule of a listener, or for changes of `rule`; whether it was made.
export async function ruleDialog(listener, rules, rule = null) {
  const groups = await elbv2All("DescribeTargetGroups", "TargetGroups");
  const others = rules.filter((each) => each !== rule && each.Priority !== "default").map((each) => Number(each.Priority));
  const next = Math.min(50000, Math.max(0, ...others) + PRIORITY_STEP);
  const free = (value) => whole(1, 50000)(value) || (others.includes(Number(value)) ? t("balancer.priority_taken") : "");
  const priority = textField(t("balancer.priority"), rule?.Priority ?? next, { hint: t("balancer.priority_hint"), check: free, inputmode: "numeric" });
  const conditions = conditionsForm(listOf(rule?.Conditions));
  const transforms = transformsForm(listOf(rule?.Transforms));
  const action = actionForm(groups, listOf(rule?.Actions));
  const heading = (key) => h("h3", {}, t(key));
  const done = await formDialog({
    title: t(rule ? "balancer.edit_rule" : "balancer.add_rule"), ok: t("edit.save"), parts: [priority, conditions, transforms, action],
    content: [priority, heading("balancer.conditions"), conditions, transforms, heading("balancer.actions"), action],
    act: async () => {
      const given = { Conditions: conditions.value(), Actions: action.value() };
      const Transforms = transforms.value().length ? transforms.value() : undefined;
      if (!rule) {
        await elbv2("CreateRule", { ListenerArn: listener.ListenerArn, Priority: priority.value(), ...given, Transforms });
        return;
      }
      await elbv2("ModifyRule", { RuleArn: rule.RuleArn, ...given, Transforms, ResetTransforms: Transforms ? undefined : true });
      if (priority.value() !== rule.Priority) await elbv2("SetRulePriorities", { RulePriorities: [{ RuleArn: rule.RuleArn, Priority: priority.value() }] });
    },
  });
  if (done) toast(t("edit.saved"));
  return done;
}

function conditionsForm(conditions) {
  const rows = h("div", { class: "edit-parts" });
  let made = 0;
  let items = (conditions.length ? conditions : [{ Field: "path-pattern" }]).map((condition) => ({ condition, id: made++ }));
  const message = h("p", { class: "message", "aria-live": "polite" });
  const add = button(t("balancer.add_condition"), () => { items = [...items, { condition: { Field: "host-header" }, id: made++ }]; draw(); });

  function row({ condition, id }) {
    const now = valuesOf(condition);
    const kind = field({ label: t("balancer.condition"), input: select(Object.keys(CONDITIONS).map((name) => [name, t(`balancer.field.${name}`)]), condition.Field, { onchange: show }) });
    const header = textField(t("balancer.header_name"), now.header ?? "", { check: (value) => (kind.value() === "http-header" ? required(value) : "") });
    const match = field({ label: t("balancer.match"), input: select([["Values", t("balancer.wildcards")], ["RegexValues", t("balancer.regex")]], now.regexes.length ? "RegexValues" : "Values") });
    const values = textArea(t("balancer.values"), (now.regexes.length ? now.regexes : now.values).join("\n"), { hint: t("balancer.values_hint"), check: required, rows: 2 });
    const remove = button(t("edit.remove"), () => { items = items.filter((each) => each.id !== id); draw(); });
    const node = h("div", { class: "edit-box-card" }, h("div", { class: "edit-row" }, kind, header, match, remove), values);
    function show() {
      put(header, "hidden", kind.value() !== "http-header");
      put(match, "hidden", !WITH_REGEX.includes(kind.value()));
      values.querySelector(".hint").textContent = t(kind.value() === "query-string" ? "balancer.query_hint" : "balancer.values_hint");
    }
    show();
    const lines = () => values.value().split("\n").map((line) => line.trim()).filter(Boolean);
    const count = () => lines().length;
    const value = () => {
      const name = WITH_REGEX.includes(kind.value()) ? match.value() : "Values";
      const list = kind.value() === "query-string" ? lines().map(pair) : lines();
      const more = kind.value() === "http-header" ? { HttpHeaderName: header.value() } : {};
      return { Field: kind.value(), [CONDITIONS[kind.value()]]: { ...more, [name]: list } };
    };
    return Object.assign(node, { parts: [header, values], remove, value, count, draw() {} });
  }
  function draw() {
    keyed(rows, items, ({ id }) => id, row);
    [...rows.children].forEach(({ remove }) => put(remove, "hidden", items.length < 2));
  }
  draw();
  const node = h("div", {}, rows, message, h("p", {}, add));
  node.valid = () => {
    const all = [...rows.children];
    const many = all.reduce((sum, each) => sum + each.count(), 0) > MOST_VALUES;
    write(message, many ? t("balancer.many_values", { count: MOST_VALUES }) : "");
    return allValid(all.flatMap(({ parts }) => parts), node) && !many;
  };
  node.value = () => [...rows.children].map((each) => each.value());
  return node;
}

// "key=value" -> both; "value" -> in any key; "=a=b" -> the value "a=b" in any key.
function pair(line) {
  const [, key, value] = /^(?:([^=]*)=)?(.*)$/.exec(line);
  return key ? { Key: key, Value: value } : { Value: value };
}

function transformsForm(transforms) {
  const rows = Object.entries(TRANSFORMS).map(([type, config]) => {
    const now = listOf(transforms.find((each) => each.Type === type)?.[config]?.Rewrites)[0] ?? {};
    const regex = textField(t(`balancer.transform.${type}`), now.Regex ?? "", { hint: t("balancer.transform_hint") });
    const replace = textField(t("balancer.replace"), now.Replace ?? "", { hint: t("balancer.replace_hint") });
    const value = () => (regex.value() ? [{ Type: type, [config]: { Rewrites: [{ Regex: regex.value(), Replace: replace.value() }] } }] : []);
    return { node: h("div", { class: "edit-grid" }, regex, replace), value };
  });
  const node = h("details", { open: transforms.length > 0 }, h("summary", {}, t("balancer.transforms")), rows.map((each) => each.node));
  node.valid = () => true;
  node.value = () => rows.flatMap((each) => each.value());
  return node;
}
