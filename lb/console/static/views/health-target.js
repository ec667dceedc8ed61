// A target as a card: state, counter, machine, advice, and the last probes behind a fold.

import { clock, number, t } from "../i18n.js";
import { drawn, h, keyed, lines, put, state, table, write } from "../ui.js";
import { machine } from "./health-machine.js";

export const nameOf = ({ id, port }) => `${id.includes(":") ? `[${id}]` : id}:${port}`;
export const keyOf = (target) => `${target.target_group} ${target.id} ${target.target}`;
export const counterText = (counter) => (counter ? t(`health.counter.${counter.kind}`, { count: counter.count, of: counter.of }) : "");

let made = 0;

// `open` tells whether the probes are seen at once.
export function makeTarget(open) {
  const id = `target-${++made}`;
  const name = h("h2", { id });
  const where = h("span", { class: "soft" });
  const now = state();
  const counter = h("strong");
  const since = h("span", { class: "soft small" });
  const picture = machine();
  const why = h("p", { class: "why" });
  const toDo = h("span");
  const aws = h("p", { class: "soft small" });
  const facts = h("p", { class: "soft small" });
  const strip = h("span", { class: "strip", "aria-hidden": "true" });
  const passed = h("span");
  const probes = probeTable();
  const fold = h("details", { open, ontoggle: () => fold.target && drawProbes(fold.target) }, h("summary", {}, passed, strip), probes);

  function drawProbes(target) {
    if (fold.open) probes.draw(target.probes);
  }

  const node = h("article", { class: "card", "aria-labelledby": id },
    h("div", { class: "card-head" }, name, where),
    h("div", { class: "halves" },
      h("div", { class: "stack tight" }, h("p", { class: "row" }, now, counter, since), picture, facts),
      h("div", { class: "stack tight" }, h("h3", {}, t("health.why")), why, h("p", {}, h("strong", {}, t("health.to_do")), " ", toDo), aws)),
    fold);
  return drawn(node, (_, target) => {
    write(name, nameOf(target));
    const address = target.target === nameOf(target) ? null : target.target;
    write(where, [target.target_group_name, address, target.zone].filter(Boolean).join(" · "));
    now.draw(target.state);
    write(counter, counterText(target.counter));
    write(since, target.since_s === null ? "" : t("health.since", { time: clock(new Date(target.since_s * 1000)) }));
    picture.draw(target);
    write(why, target.advice.why);
    write(toDo, target.advice.to_do);
    write(aws, [target.reason, target.description].filter(Boolean).join(" · "));
    write(facts, factsOf(target));
    write(passed, target.probes.length
      ? t("health.probes", { count: target.probes.length, passed: target.probes.filter((each) => each.passed).length })
      : t("health.no_probes"));
    keyed(strip, target.probes, (probe) => probe.at_s, () => drawn(h("i"), (mark, probe) => put(mark, "className", probe.passed ? "good" : "bad")));
    fold.target = target;
    drawProbes(target);
  });
}

const factsOf = ({ check, served, in_flight: inFlight }) => t("health.facts", {
  request: `${check.method} ${check.path}`, port: String(check.port), interval: check.interval_s, timeout: check.timeout_s,
  matcher: check.matcher, served, in_flight: inFlight,
});

function probeTable() {
  const node = table({
    caption: t("health.last_probes"),
    key: (probe) => probe.at_s,
    columns: [
      { label: t("health.at"), head: true, width: "13%", text: (probe) => clock(new Date(probe.at_s * 1000)) },
      { label: t("health.result"), width: "13%", make: makeResult },
      { label: t("health.request"), width: "28%", make: () => lines((probe) => [probe.request, probe.host]) },
      { label: t("health.answer"), make: () => lines((probe) => [probe.answer ?? t("health.no_answer"), probe.passed ? "" : probe.detail]) },
      { label: t("health.took"), width: "9%", numeric: true, text: (probe) => `${number(probe.latency_ms, { maximumFractionDigits: 1 })} ms` },
    ],
  });
  node.classList.add("fixed");
  return node;
}

const makeResult = () => drawn(h("span"), (node, probe) => {
  write(node, t(`health.outcome.${probe.outcome}`));
  put(node, "className", `state ${probe.passed ? "good" : "bad"}`);
});
