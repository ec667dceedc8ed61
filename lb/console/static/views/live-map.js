// The resource map: listeners, rules, target groups, targets, as boxes with lines between them.
//
// `graphOf` decides what is on it and by which boxes a request travels; `resourceMap` draws it and knows where everything is.

import { listOf } from "../aws.js";
import { number, t } from "../i18n.js";
import { attribute, drawn, h, healthSummary, keyed, put, state, svg, write } from "../ui.js";

// Of more rules or targets the rest is one box: nobody follows marks into a list of two hundred.
const MOST = 10;
const COLUMNS = ["listener", "rule", "group", "target"];

export const origin = (host, port) => `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
const hostOf = (target) => target.slice(0, target.lastIndexOf(":")).replace(/^\[|\]$/g, "");

// `rules`: DescribeRules by listener ARN. -> { columns: [[box]], lines: [[from, to, isBad]], path(request) -> [key] }
export function graphOf({ loadBalancers, targetGroups }, rules) {
  const columns = [[], [], [], []];
  const lines = [];
  const alias = new Map();
  const groups = new Map(targetGroups.map((each) => [each.TargetGroupArn, each]));
  const used = new Set();

  for (const balancer of loadBalancers) {
    const label = balancer.LoadBalancerArn.split(":loadbalancer/")[1];
    for (const listener of balancer.Listeners) {
      const key = `L|${label}|${listener.Port}`;
      columns[0].push({ key, name: `${listener.Protocol}:${listener.Port}`, more: balancer.LoadBalancerName });
      lines.push(["", key, false]);
      const all = rules.get(listener.ListenerArn) ?? [];
      const shown = all.length > MOST ? [...all.slice(0, MOST - 1), all.at(-1)] : all;
      const rest = `R|${label}|${listener.Port}|more`;
      if (all.length > shown.length) {
        columns[1].push({ key: rest, name: t("live.more_rules", { count: all.length - shown.length }), more: "" });
        lines.push([key, rest, false]);
      }
      for (const rule of all) {
        const own = `R|${label}|${listener.Port}|${rule.Priority}`;
        const box = shown.includes(rule) ? own : rest;
        alias.set(own, box);
        if (box === own) {
          columns[1].push({ key: own, name: rule.Priority === "default" ? t("live.default_rule") : t("live.rule", { priority: rule.Priority }), more: ruleText(rule) });
          lines.push([key, own, false]);
        }
        for (const arn of forwards(rule)) {
          if (!groups.has(arn)) continue;
          used.add(arn);
          if (!lines.some(([from, to]) => from === box && to === `G|${arn}`)) lines.push([box, `G|${arn}`, false]);
        }
      }
    }
  }
  for (const arn of used) {
    const group = groups.get(arn);
    const targets = group.running?.targets ?? [];
    columns[2].push({ key: `G|${arn}`, name: group.TargetGroupName, more: healthSummary(targets) });
    const rest = targets.length > MOST ? targets.slice(MOST - 1) : [];
    for (const target of targets) {
      const isRest = rest.includes(target);
      const key = isRest ? `T|${arn}|more` : `T|${arn}|${target.id}|${target.port}|${target.address}`;
      alias.set(`T|${arn}|${target.id}|${target.port}|${target.address}`, key);
      if (isRest) continue;
      columns[3].push({ key, name: origin(target.id, target.port), state: target.state });
      lines.push([`G|${arn}`, key, target.state === "unhealthy"]);
    }
    if (rest.length) {
      columns[3].push({ key: `T|${arn}|more`, name: t("live.more_targets", { count: rest.length }), more: healthSummary(rest) });
      lines.push([`G|${arn}`, `T|${arn}|more`, rest.every((each) => each.state === "unhealthy")]);
    }
  }

  const there = new Set(columns.flat().map(({ key }) => key));
  return {
    columns,
    lines,
    path(request) {
      const { load_balancer: balancer, port, rule, target_group: arn, target, target_id: id, target_port: targetPort } = request;
      const own = `R|${balancer}|${port}|${rule}`;
      const keys = [`L|${balancer}|${port}`, rule === null ? null : alias.get(own) ?? own, arn && `G|${arn}`,
        target && (alias.get(`T|${arn}|${id}|${targetPort}|${hostOf(target)}`) ?? null)];
      const end = keys.findIndex((key) => !key || !there.has(key));
      return end < 0 ? keys : keys.slice(0, end);
    },
  };
}

const forwards = (rule) => listOf(rule.Actions).flatMap((action) =>
  action.Type !== "forward" ? [] : listOf(action.ForwardConfig?.TargetGroups).map((each) => each.TargetGroupArn).concat(action.TargetGroupArn ?? []))
  .filter((arn, place, all) => all.indexOf(arn) === place);

function ruleText(rule) {
  const action = listOf(rule.Actions).at(-1) ?? {};
  const to = action.RedirectConfig?.StatusCode?.replace("HTTP_", "") ?? action.FixedResponseConfig?.StatusCode;
  const told = to && `${action.Type} ${to}`;
  const conditions = listOf(rule.Conditions).map((each) => `${each.Field} ${valuesOf(each).join(", ")}`.trim());
  return [conditions.join(" + "), told].filter(Boolean).join(" → ");
}

const valuesOf = (condition) => {
  const config = Object.values(condition).find((value) => value && typeof value === "object" && !Array.isArray(value)) ?? {};
  const own = listOf(config.Values).map((each) => (typeof each === "string" ? each : `${each.Key ?? ""}=${each.Value}`));
  return [config.HttpHeaderName && `${config.HttpHeaderName}:`, ...(own.length ? own : listOf(condition.Values)), ...listOf(config.RegexValues)].filter(Boolean);
};

// A node with draw(graph), rates(rateOf by key) and `segments`: key "from>to" -> the ends of that line in the map's own
// pixels. `moved()` is called when places have changed.
export function resourceMap(moved) {
  const linesNode = svg("svg", { class: "ties", "aria-hidden": "true" });
  const lists = COLUMNS.map((name) => h("ul", { class: "column", "aria-label": t(`live.column.${name}`) }));
  const sheet = h("div", { class: "sheet" }, linesNode,
    COLUMNS.map((name, place) => h("div", { class: "lane" }, h("h3", {}, t(`live.column.${name}`)), lists[place])));
  const scroller = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": t("live.map") }, sheet);
  const node = h("div", { class: "map" }, scroller);
  const boxes = new Map();
  let graph = { columns: [[], [], [], []], lines: [] };
  let shape = "";

  node.segments = new Map();
  node.scroller = scroller;
  node.draw = (next) => {
    graph = next;
    graph.columns.forEach((items, place) => keyed(lists[place], items, (item) => item.key, makeBox));
    keyed(linesNode, graph.lines, ([from, to]) => `${from}>${to}`, () => drawn(svg("path"), (line, [, , bad]) => attribute(line, "class", bad ? "bad" : "line")));
    const seen = JSON.stringify(graph.lines);
    if (seen !== shape) measure();
    shape = seen;
  };
  node.rates = (rates) => {
    for (const [key, box] of boxes) box.rate(rates.get(key));
  };

  function makeBox(item) {
    const mark = item.state ? state() : null;
    const name = h("span", { class: "name" });
    const more = h("span", { class: "soft more" });
    const rate = h("span", { class: "rate" });
    const box = h("li", { class: "box" }, name, h("span", { class: "line-2" }, mark ?? more, rate));
    boxes.set(item.key, box);
    box.rate = (value) => write(rate, value ? t("live.per_second", { rate: rateText(value) }) : "");
    return drawn(box, (_, each) => {
      write(name, each.name);
      attribute(name, "title", each.name);
      if (mark) mark.draw(each.state);
      else {
        write(more, each.more);
        attribute(more, "title", each.more);
      }
    });
  }

  function measure() {
    node.segments.clear();
    const known = new Set(graph.columns.flat().map(({ key }) => key));
    for (const key of boxes.keys()) if (!known.has(key)) boxes.delete(key);
    const base = sheet.getBoundingClientRect();
    const places = new Map([...boxes].map(([key, box]) => [key, box.getBoundingClientRect()]));
    put(linesNode.style, "height", "0");
    graph.lines.forEach(([from, to], place) => {
      const end = places.get(to);
      const start = places.get(from);
      if (!end) return;
      const y2 = end.top + end.height / 2 - base.top;
      const segment = { x1: start ? start.right - base.left : 0, y1: start ? start.top + start.height / 2 - base.top : y2, x2: end.left - base.left, y2 };
      node.segments.set(`${from}>${to}`, segment);
      const middle = (segment.x1 + segment.x2) / 2;
      linesNode.children[place].setAttribute("d", `M${segment.x1} ${segment.y1}C${middle} ${segment.y1} ${middle} ${y2} ${segment.x2} ${y2}`);
    });
    put(linesNode.style, "height", `${sheet.scrollHeight}px`);
    moved();
  }

  const watcher = new ResizeObserver(measure);
  watcher.observe(sheet);
  node.stop = () => watcher.disconnect();
  return node;
}

export const rateText = (rate) => number(rate, { maximumFractionDigits: rate < 10 ? 1 : 0 });
