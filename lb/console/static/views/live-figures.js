// Beside the map: requests per second, outcomes, latency and the share of each target, over the last minute.

import { number, t } from "../i18n.js";
import { attribute, drawn, h, keyed, lines, svg, table, write } from "../ui.js";
import { origin, rateText } from "./live-map.js";
import { percentile } from "./live-sums.js";
import { NAMES, outcomeMark, shareBar } from "./outcomes.js";

const PARTS = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]];
const CHART = { width: 240, height: 56, seconds: 60 };
const MOST_TARGETS = 8;

export const ms = (value) => (value === null ? "–" : t("live.ms", { ms: number(value, { maximumSignificantDigits: value < 1000 ? 2 : 4 }) }));
const groupOf = (edge) => edge.target_group?.split("/").at(-2) ?? "–";
const percent = (part) => number(part, { style: "percent", maximumFractionDigits: 0 });

// `bounds` as in live-sums.js. Node with draw(sums, rate).
export function figures(bounds) {
  const rate = h("strong");
  const chart = secondsChart();
  const percentiles = PARTS.map(() => h("dd"));
  const outcomes = NAMES.map((name) => ({ name, bar: shareBar(), count: h("span", { class: "count" }) }));
  const own = h("span", { class: "count" });
  const buckets = [...bounds, null].map((bound) => ({ bound, bar: shareBar(), count: h("span", { class: "count" }) }));
  const shares = h("ul", { class: "rows" });
  const more = h("p", { class: "soft small" });
  const sorted = (ways) => {
    const found = new Map();
    for (const { edge, count } of ways.values()) {
      if (edge.target === null) continue;
      const key = `${edge.target_group} ${edge.target}`;
      const known = found.get(key) ?? { key, name: origin(edge.target_id, edge.target_port), group: groupOf(edge), count: 0 };
      known.count += count;
      found.set(key, known);
    }
    return [...found.values()].sort((a, b) => a.key.localeCompare(b.key, undefined, { numeric: true }));
  };

  const node = h("div", { class: "figures" },
    h("section", { class: "card" }, h("h2", {}, t("live.rate")), h("p", { class: "big" }, rate), chart),
    h("section", { class: "card" }, h("h2", {}, t("live.outcomes")),
      h("ul", { class: "rows" }, outcomes.map(({ name, bar, count }) =>
        h("li", {}, h("span", { class: "label" }, outcomeMark(name), " ", t(`live.outcome.${name}`)), bar, count))),
      h("p", { class: "row own" }, h("span", {}, t("live.own_errors")), own)),
    h("section", { class: "card" }, h("h2", {}, t("live.shares")), shares, more),
    h("section", { class: "card" }, h("h2", {}, t("live.latency")),
      h("dl", { class: "percentiles" }, PARTS.map(([name], place) => h("div", {}, h("dt", {}, name), percentiles[place]))),
      h("ul", { class: "rows histogram" }, buckets.map(({ bound, bar, count }) =>
        h("li", {}, h("span", { class: "label" }, bound === null ? t("live.above", { ms: ms(bounds.at(-1)) }) : t("live.up_to", { ms: ms(bound) })), bar, count)))));

  node.draw = (sums, now) => {
    const { total } = sums;
    const most = Math.max(1, ...total.buckets);
    write(rate, t("live.per_second", { rate: rateText(now) }));
    chart.draw(sums.seconds());
    PARTS.forEach(([, part], place) => write(percentiles[place], ms(percentile(bounds, total.buckets, part))));
    for (const { name, bar, count } of outcomes) {
      bar.draw((total.outcomes[name] ?? 0) / Math.max(1, total.count));
      write(count, number(total.outcomes[name] ?? 0));
    }
    write(own, number(total.own));
    buckets.forEach(({ bar, count }, place) => {
      bar.draw(total.buckets[place] / most);
      write(count, number(total.buckets[place]));
    });
    const targets = sorted(total.ways);
    const all = targets.reduce((sum, { count }) => sum + count, 0);
    keyed(shares, targets.slice(0, MOST_TARGETS).map((each) => ({ ...each, share: each.count / all })), ({ key }) => key, makeShare);
    write(more, targets.length > MOST_TARGETS ? t("live.more_targets", { count: targets.length - MOST_TARGETS }) : targets.length ? "" : t("live.no_requests"));
  };
  return node;
}

function makeShare() {
  const label = lines((target) => [target.name, target.group]);
  const bar = shareBar();
  const count = h("span", { class: "count" });
  return drawn(h("li", {}, label, bar, count), (_, target) => {
    label.draw(target);
    bar.draw(target.share);
    write(count, percent(target.share));
  });
}

// A column for each second of the last minute; errors stand at its foot. The numbers are beside it.
function secondsChart() {
  const step = CHART.width / CHART.seconds;
  const all = svg("path", { class: "requests" });
  const errors = svg("path", { class: "errors" });
  const top = h("span", { class: "soft small" });
  const node = h("div", { class: "chart" },
    svg("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, all, errors), top);
  node.draw = (seconds) => {
    const most = Math.max(1, ...seconds.map(({ count }) => count));
    const columns = (of) => seconds.map((second, place) => {
      const height = (of(second) / most) * CHART.height;
      return height ? `M${place * step} ${CHART.height}v${-height}h${step * 0.8}v${height}Z` : "";
    }).join("");
    attribute(all, "d", columns(({ count }) => count));
    attribute(errors, "d", columns((second) => second.errors));
    write(top, t("live.last_minute", { most }));
  };
  return node;
}

// The same as the map, for those who do not see it: every way that requests of the last minute took.
export function waysTable() {
  const errors = ({ outcomes }) => (outcomes["4xx"] ?? 0) + (outcomes["5xx"] ?? 0) + (outcomes.cut ?? 0);
  const node = table({
    caption: t("live.ways"),
    key: (way) => way.key,
    columns: [
      { label: t("live.column.listener"), head: true, text: ({ edge }) => `${edge.load_balancer.split("/")[1]} :${edge.port}` },
      { label: t("live.column.rule"), text: ({ edge }) => edge.rule ?? "–" },
      { label: t("live.column.group"), text: ({ edge }) => groupOf(edge) },
      { label: t("live.column.target"), text: ({ edge }) => (edge.target ? origin(edge.target_id, edge.target_port) : "–"), value: ({ edge }) => edge.target },
      { label: t("live.requests"), numeric: true, text: ({ count }) => number(count), value: ({ count }) => count },
      { label: t("live.errors"), numeric: true, text: (way) => number(errors(way)), value: errors },
      { label: t("live.mean"), numeric: true, text: (way) => ms(way.total_ms / way.count), value: (way) => way.total_ms / way.count },
    ],
  });
  const draw = node.draw;
  node.draw = (ways) => draw([...ways].map(([key, way]) => ({ key, ...way })).sort((a, b) => a.key.localeCompare(b.key, undefined, { numeric: true })));
  return node;
}
