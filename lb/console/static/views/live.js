// Live traffic: requests as they end, travelling over the resource map, and what they add up to beside it.
//
// Everything rests while the view is paused or the page is hidden: no stream, no polling, no frames.

import { elbv2All } from "../aws.js";
import { t } from "../i18n.js";
import { events } from "../local.js";
import { linkTo } from "../router.js";
import { topologySource } from "../topology.js";
import { announce, attribute, empty, errorCard, h, poll, style, write } from "../ui.js";
import { figures, waysTable } from "./live-figures.js";
import { graphOf, resourceMap } from "./live-map.js";
import { marks } from "./live-marks.js";
import { SLOT_MS, sums } from "./live-sums.js";
import { opening } from "./opening.js";
import { NAMES, outcomeMark } from "./outcomes.js";

const MAP_EVERY_MS = 2000;
const RULES_EVERY_MS = 10_000;
// Requests per second that are told one by one: more than become marks are not needed.
const STREAM = "requests/stream?limit=50";

export const title = () => t("live.title");

export const render = (root) => opening(root, () => style("views/live.css"), () => start(root));

function start(root) {
  let graph = graphOf({ loadBalancers: [], targetGroups: [] }, new Map());
  let sum = null;
  let side = null;
  let every = 100;
  let paused = false;
  let unfollow = () => {};
  const path = (request) => graph.path(request);

  const map = resourceMap(() => moving.moved());
  const moving = marks(map);
  const ways = waysTable();
  const details = h("details", { ontoggle: drawTable }, h("summary", {}, t("live.as_table")), ways);
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => setPaused(!paused) }, t("live.pause"));
  const mode = h("span", { class: "soft" });
  const beside = h("div", { class: "beside" });
  const page = h("div", { class: "stack" },
    h("div", { class: "row controls" }, pause, mode,
      h("ul", { class: "row legend", "aria-label": t("live.legend") }, NAMES.map((name) => h("li", {}, outcomeMark(name), " ", name === "cut" ? t("live.cut") : name)),
        h("li", { class: "soft" }, t("live.sizes")))),
    h("div", { class: "live" }, h("section", { class: "card", "aria-label": t("live.map") }, map, details), beside));
  const none = empty(t("live.none"), t("live.none_text"), h("a", { class: "button", href: linkTo("create") }, t("shell.nav.create")));

  function take(event) {
    if (event.type === "hello") {
      every = event.every_ms;
      if (sum) return;
      sum = sums(event.bounds_ms);
      side = figures(event.bounds_ms);
      beside.replaceChildren(side);
      tick();
    } else if (event.type === "batch" && sum) {
      sum.add(event.edges, performance.now());
      moving.take(event.requests, path, every);
    }
  }

  function tick() {
    if (!sum || paused || document.hidden) return;
    sum.moveTo(performance.now());
    const recent = sum.recent();
    moving.flow(recent, path);
    side.draw(sum, recent.rate);
    const rates = new Map();
    for (const { edge, rate } of recent.ways) for (const key of path(edge)) rates.set(key, (rates.get(key) ?? 0) + rate);
    map.rates(rates);
    write(mode, t(!sum.total.count ? "live.waiting" : moving.isBands() ? "live.as_bands" : "live.as_marks"));
    drawTable();
  }

  function drawTable() {
    if (details.open && sum) ways.draw(sum.total.ways);
  }

  function setPaused(wanted) {
    paused = wanted;
    attribute(pause, "aria-pressed", String(paused));
    write(mode, paused ? t("live.paused") : "");
    moving.pause(paused);
    unfollow();
    unfollow = paused ? () => {} : events(STREAM, take);
    announce(t(paused ? "live.paused" : "live.goes_on"));
  }

  const next = topologySource();
  const rules = ruleSource();
  const stop = poll(async () => {
    if (paused) return;
    const topology = await next();
    graph = graphOf(topology, await rules(topology));
    const wanted = topology.loadBalancers.length ? page : none;
    if (wanted.parentNode !== root) root.replaceChildren(wanted);
    map.draw(graph);
  }, MAP_EVERY_MS, (error) => {
    // What is known stays; the header says that it is old.
    if (page.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  unfollow = events(STREAM, take);
  const timer = setInterval(tick, SLOT_MS);

  return () => {
    stop();
    unfollow();
    clearInterval(timer);
    moving.stop();
    map.stop();
  };
}

// The rules of every listener by its ARN, asked for again when listeners have come or gone, and now and then.
function ruleSource() {
  let known = new Map();
  let until = 0;
  return async ({ loadBalancers }) => {
    const arns = loadBalancers.flatMap((each) => each.Listeners).map((each) => each.ListenerArn);
    if (Date.now() < until && arns.every((arn) => known.has(arn))) return known;
    const found = await Promise.all(arns.map((arn) => elbv2All("DescribeRules", "Rules", { ListenerArn: arn })));
    const priority = (rule) => (rule.Priority === "default" ? Infinity : Number(rule.Priority));
    known = new Map(arns.map((arn, place) => [arn, found[place].sort((a, b) => priority(a) - priority(b))]));
    until = Date.now() + RULES_EVERY_MS;
    return known;
  };
}
