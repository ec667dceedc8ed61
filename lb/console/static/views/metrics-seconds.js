// The last five minutes, second by second (/_lb/metrics/seconds).

import { language, number, t } from "../i18n.js";
import { get } from "../local.js";
import { KINDS, chart } from "../ui/chart.js";
import { errorCard, h, poll } from "../ui.js";

const EVERY_MS = 1000;
const KEPT_S = 300;
const FIELDS = ["requests", "2xx", "3xx", "4xx", "5xx", "own_errors", "p50_ms", "p90_ms", "p99_ms", "max_ms"];

const count = (value) => number(value, { maximumFractionDigits: 1 });
const ms = (value) => `${number(value, { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;
const CHARTS = [
  ["requests", count, { requests: "accent" }],
  ["codes", count, { "2xx": "good", "3xx": "wait", "4xx": "drain", "5xx": "bad" }],
  ["latency", ms, { p50_ms: "good", p90_ms: "wait", p99_ms: "drain", max_ms: "off" }],
  ["own_errors", count, { own_errors: "bad" }],
];

export function seconds(panel, scope, lens) {
  const time = (at) => new Date(at).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const charts = CHARTS.map(([name, format]) => chart({ title: t(`metrics.${name}`), format, time, lens }));
  const perTarget = chart({ title: t("metrics.per_target"), format: count, time, lens });
  const all = h("div", { class: "charts" }, charts, perTarget);
  panel.append(all);
  let kept = memory();
  const stop = poll(async () => {
    const { balancer, group } = scope.get();
    const mine = kept;
    const parameters = { load_balancer: balancer.LoadBalancerArn, target_group: group?.TargetGroupArn, since: mine.until || undefined };
    const answer = await get("metrics/seconds", parameters);
    if (mine !== kept) return;
    mine.take(answer);
    if (all.parentNode !== panel) panel.replaceChildren(all);
    const times = Array.from({ length: mine.length() }, (_, place) => (mine.until - mine.length() + 1 + place) * 1000);
    const whole = mine.find(({ kind }) => kind === (group ? "target_group" : "load_balancer"))[0]?.values;
    CHARTS.forEach(([, , lines], place) => charts[place].draw(times, Object.entries(lines).map(([field, kind]) => (
      { key: field, label: t(`metrics.line.${field}`), kind, values: whole?.[field] ?? [] }))));
    perTarget.draw(times, mine.find(({ kind }) => kind === "target").slice(0, KINDS.length).map(({ key, target, values }, place) => (
      { key, label: target, kind: KINDS[place], values: values.requests })));
  }, EVERY_MS, (error) => {
    if (error.code !== "NoAnswer") panel.replaceChildren(errorCard(error, () => stop.now()));
  });
  const unsubscribe = scope.subscribe(({ same }) => {
    if (same) return;
    kept = memory();
    stop.now();
  });
  return () => {
    stop();
    unsubscribe();
    [...charts, perTarget].forEach((each) => each.stop());
  };
}

// Answers joined to the last KEPT_S seconds: each asks only for what is new.
function memory() {
  const series = new Map();
  let length = 0;
  return {
    until: 0,
    length: () => length,
    find: (wanted) => [...series.values()].filter(wanted),
    take({ from_s: from, until_s: until, series: told }) {
      const added = Math.max(0, until - from + 1);
      const seen = new Set();
      for (const each of told) {
        const key = [each.kind, each.load_balancer, each.target_group, each.target].join(" ");
        seen.add(key);
        if (!series.has(key)) series.set(key, { key, kind: each.kind, target: each.target, values: Object.fromEntries(FIELDS.map((field) => [field, Array(length).fill(field.endsWith("_ms") ? null : 0)])) });
        const { values } = series.get(key);
        for (const field of FIELDS) values[field] = [...values[field], ...each[field]].slice(-KEPT_S);
      }
      for (const key of series.keys()) if (!seen.has(key)) series.delete(key);
      length = Math.min(KEPT_S, length + added);
      this.until = until;
    },
  };
}
