// Listeners and rules of a load balancer: shown, added, edited, put in another order, deleted.

import { elbv2, listOf } from "../aws.js";
import { t } from "../i18n.js";
import { ask, button, drawn, empty, errorCard, h, keyed, lines, poll, put, table, toast, write } from "../ui.js";
import { readListeners } from "./balancer-data.js";
import { listenerDialog } from "./balancer-listener.js";
import { ruleDialog } from "./balancer-rule.js";
import { actionsText, conditionText } from "./balancer-words.js";
import { editAttributes } from "./edit-attributes.js";
import { actions, card } from "./edit-form.js";
import { editTags } from "./edit-tags.js";

const EVERY_MS = 5000;

export function listenersPanel(panel, balancer) {
  let present = [];
  const all = h("div", { class: "stack" });
  const none = empty(t("balancer.no_listeners"), t("balancer.no_listeners_text"));
  const add = button(t("balancer.add_listener"), async () => { await listenerDialog(balancer, present); stop.now(); }, { primary: true });
  panel.append(h("div", { class: "stack" }, h("p", { class: "row end" }, add), all, none));
  const stop = poll(async () => {
    present = await readListeners(balancer.LoadBalancerArn);
    keyed(all, present, (each) => each.ListenerArn, makeListener);
    put(none, "hidden", present.length > 0);
  }, EVERY_MS, (error) => { if (error.code !== "NoAnswer") panel.replaceChildren(errorCard(error, stop.now)); });
  return stop;

  async function remove(title, action, parameters) {
    if (!(await ask({ title, body: t("edit.cannot_undo"), ok: t("edit.delete"), danger: true }))) return;
    await elbv2(action, parameters);
    toast(t("edit.done"));
    stop.now();
  }

  function makeListener() {
    let listener = null;
    const name = h("h2");
    const press = (key, act, props) => button(t(key), async () => { await act(); stop.now(); }, props);
    const rows = table({
      caption: t("balancer.rules"), key: (rule) => rule.RuleArn,
      columns: [
        { label: t("balancer.priority"), head: true, width: "7rem", text: (rule) => (rule.Priority === "default" ? t("balancer.default") : rule.Priority) },
        { label: t("balancer.conditions"), make: makeConditions },
        { label: t("balancer.actions"), make: () => lines((rule) => [actionsText(listOf(rule.Actions)), listOf(rule.Transforms).map((each) => t(`balancer.transform.${each.Type}`)).join(", ")]) },
        { label: t("edit.actions"), make: () => actions(ruleActions) },
      ],
    });
    const buttons = [
      press("balancer.add_rule", () => ruleDialog(listener, listener.Rules)),
      press("edit.edit", () => listenerDialog(balancer, present, listener)),
      press("edit.attributes", () => editAttributes("Listener", listener.ListenerArn)),
      press("edit.tags", () => editTags(listener.ListenerArn)),
      press("edit.delete", () => remove(`${t("balancer.delete_listener")}: ${name.textContent}`, "DeleteListener", { ListenerArn: listener.ListenerArn }), { danger: true }),
    ];
    return drawn(h("section", { class: "card" }, h("div", { class: "card-head edit-head" }, name, h("span", { class: "row edit-actions" }, buttons)), rows), (_, next) => {
      listener = next;
      write(name, `${listener.Protocol}:${listener.Port}`);
      rows.draw(listener.Rules);
    });

    function ruleActions(rule) {
      const label = (key) => ({ "aria-label": `${t(key)}: ${t("balancer.rule")} ${rule.Priority}` });
      if (rule.Priority === "default") return [[t("balancer.edit_default"), async () => { await listenerDialog(balancer, present, listener); stop.now(); }]];
      const movable = listener.Rules.filter((each) => each.Priority !== "default");
      const place = movable.findIndex((each) => each.RuleArn === rule.RuleArn);
      const swap = async (other) => {
        const [a, b] = [movable[place], movable[other]];
        await elbv2("SetRulePriorities", { RulePriorities: [{ RuleArn: a.RuleArn, Priority: b.Priority }, { RuleArn: b.RuleArn, Priority: a.Priority }] });
        stop.now();
      };
      return [
        place > 0 && ["↑", () => swap(place - 1), label("balancer.up")],
        place < movable.length - 1 && ["↓", () => swap(place + 1), label("balancer.down")],
        [t("edit.edit"), async () => { await ruleDialog(listener, listener.Rules, listener.Rules.find((each) => each.RuleArn === rule.RuleArn)); stop.now(); }, label("edit.edit")],
        [t("edit.tags"), () => editTags(rule.RuleArn), label("edit.tags")],
        [t("edit.delete"), () => remove(`${t("balancer.delete_rule")} ${rule.Priority}`, "DeleteRule", { RuleArn: rule.RuleArn }), { danger: true, ...label("edit.delete") }],
      ].filter(Boolean);
    }
  }
}

function makeConditions() {
  return drawn(h("ul"), (list, rule) => {
    const texts = rule.Priority === "default" ? [t("balancer.no_other")] : listOf(rule.Conditions).map(conditionText);
    keyed(list, texts, (text) => text, () => drawn(h("li"), write));
  });
}
