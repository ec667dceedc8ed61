// Why one request went where it went, as a card: cause, timings, rules with their conditions, group, target, headers.

import { number, t } from "../i18n.js";
import { copyButton, h, state } from "../ui.js";
import { outcomeMark } from "./outcomes.js";

// `told` is one of GET /_lb/why; `groups` are AWS's target groups, for their names.
export function walkCard(told, groups, close) {
  const { request, result, walk } = told;
  const outcome = result.cut ? "cut" : `${Math.floor(result.status / 100)}xx`;
  const nameOf = (arn) => groups.find((each) => each.TargetGroupArn === arn)?.TargetGroupName ?? arn.split("/").at(-2) ?? arn;
  return h("article", { class: "card walk", "aria-labelledby": "walk" },
    h("div", { class: "card-head" },
      h("h2", { id: "walk" }, outcomeMark(outcome, 14), ` ${result.status} `, request ? `${request.method} ${request.uri}` : t("requests.unreadable")),
      h("button", { type: "button", onclick: close }, t("shell.close"))),
    h("p", { class: result.status >= 400 || result.cut ? "cause bad" : "cause" }, told.cause),
    h("dl", { class: "facts" },
      request && fact("requests.host", request.host), fact("requests.client", told.client),
      told.trace_id && fact("requests.trace", h("code", {}, told.trace_id), " ", copyButton(told.trace_id, t("requests.trace"))),
      result.error_reason && fact("requests.error_reason", h("code", {}, result.error_reason))),
    h("h3", {}, t("requests.timings")), timings(told.timings),
    walk && steps(walk, nameOf),
    told.notes.length ? h("ul", { class: "notes" }, told.notes.map((note) => h("li", {}, note))) : null);
}

const fact = (key, ...value) => [h("dt", {}, t(key)), h("dd", {}, value)];
const msOf = (seconds) => t("live.ms", { ms: number(seconds * 1000, { maximumSignificantDigits: 3 }) });

// A bar of the parts of the time, and the same in words.
function timings({ sent_after_s: sent, first_byte_after_s: first, target_gone_after_s: gone, ended_after_s: end, connection_idle_s: idle }) {
  const answered = first ?? gone;
  const marks = sent === null ? [["requests.by_itself", end]]
    : [["requests.before", sent], ["requests.at_target", answered ?? end], ["requests.after", answered === null ? null : end]];
  let from = 0;
  const parts = [];
  for (const [key, until] of marks) {
    if (until === null) continue;
    parts.push({ key, took: Math.max(0, until - from) });
    from = Math.max(from, until);
  }
  return h("div", { class: "timings" },
    h("div", { class: "timebar", "aria-hidden": "true" }, parts.map(({ took }, place) => h("span", { class: `part-${place}`, style: { "flex-grow": String(took / (from || 1)) } }))),
    h("dl", {}, parts.map(({ key, took }, place) => h("div", {}, h("dt", { class: `part-${place}` }, t(key)), h("dd", {}, msOf(took)))),
      h("div", {}, h("dt", {}, t("requests.total")), h("dd", {}, end === null ? "–" : msOf(end)))),
    gone !== null ? h("p", { class: "small" }, t("requests.gone_after", { ms: number(gone * 1000, { maximumSignificantDigits: 3 }) })) : null,
    idle ? h("p", { class: "small soft" }, t("requests.idle", { seconds: idle })) : null);
}

function steps(walk, nameOf) {
  const { listener, action } = walk;
  return h("ol", { class: "steps" },
    step(t("requests.listener"), h("p", {}, `${listener.protocol}:${listener.port}`, h("span", { class: "soft" }, ` ${listener.load_balancer}`)),
      walk.refused && h("p", { class: "cause bad" }, t("requests.refused", { status: String(walk.refused.status) }), " ", walk.refused.why)),
    walk.rules && step(t("requests.rules"), h("ul", { class: "rules" }, walk.rules.map((rule) => ruleItem(rule, walk.chosen)))),
    action && step(t("requests.action"), actionText(action), action.transform && transformText(action.transform),
      action.why && h("p", { class: "cause bad" }, action.status, " ", action.why)),
    action?.group && step(t("requests.target_group"), h("p", {}, h("strong", {}, nameOf(action.group.target_group ?? "")), ` – ${action.group.why}`), weights(action.group.weights, nameOf)),
    action?.targets && step(t("requests.target"), targets(action.targets)),
    action?.sent && step(t("requests.sent"), h("pre", { tabindex: "0" }, action.sent.trim())));
}

const step = (name, ...content) => h("li", {}, h("h3", {}, name), content);

// Shape and word besides colour: a verdict is "state good", "off" (not asked) or "bad".
const verdict = (kind, word) => h("span", { class: `state ${kind}` }, word);

function ruleItem(rule, chosen) {
  const isChosen = rule.priority === chosen;
  const name = rule.priority === "default" ? t("live.default_rule") : t("live.rule", { priority: rule.priority });
  const said = !rule.reached && !isChosen ? ["off", "requests.not_reached"] : rule.matched ? ["good", "requests.matched"] : ["bad", "requests.not_matched"];
  return h("li", { class: isChosen ? "chosen" : null }, h("p", {}, h("strong", {}, name), " ", verdict(said[0], t(said[1]))),
    rule.conditions.length ? h("ul", {}, rule.conditions.map((each) =>
      h("li", {}, verdict(rule.reached ? (each.matched ? "good" : "bad") : "off", each.field), " ", h("span", {}, each.why)))) : null);
}

function actionText(action) {
  const told = { redirect: action.location && `${action.status} → ${action.location}`, "fixed-response": action.status }[action.type];
  return h("p", {}, h("code", {}, action.type), told ? ` ${told}` : null);
}

const transformText = ({ status, uri, host }) => h("p", { class: "small" }, t("requests.transform", { status, to: [host, uri].filter(Boolean).join(" ") }));

function weights(given, nameOf) {
  const all = Object.entries(given);
  return all.length > 1 ? h("p", { class: "small soft" }, t("requests.weights"), " ", all.map(([arn, weight]) => `${nameOf(arn)} ${weight}`).join(", ")) : null;
}

function targets({ algorithm, situation, sticky, chosen, candidates }) {
  return [
    h("p", {}, h("code", {}, algorithm), ` – ${situation}`), sticky && h("p", {}, sticky),
    h("ul", { class: "candidates" }, candidates.map((each) =>
      h("li", { class: each.target === chosen ? "chosen" : null }, h("strong", {}, each.target), " ", state(each.state), " ",
        h("span", { class: "soft" }, each.target === chosen ? t("requests.chosen") : each.why)))),
  ];
}
