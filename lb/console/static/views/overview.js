// What there is and how it is: load balancers with their listeners, target groups with every target.

import { listOf } from "../aws.js";
import { number, t } from "../i18n.js";
import { linkTo } from "../router.js";
import { topologySource } from "../topology.js";
import {
  TARGET_STATES, announce, attribute, copyButton, countStates, drawn, empty, errorCard, h, healthBar, healthSummary, keyed, lines,
  poll, put, skeleton, state, table, write,
} from "../ui.js";

const EVERY_MS = 1000;
// A screen reader is told of so many targets one by one; of more, only how many there are.
const SAID_ONE_BY_ONE = 3;

export const title = () => t("overview.title");

export function render(root) {
  const tiles = TILES.map(() => h("strong"));
  const balancers = balancerTable();
  const groups = h("div", { class: "stack" });
  const create = h("a", { class: "button primary", href: linkTo("create") }, t("overview.create"));
  const none = empty(t("overview.empty"), t("overview.empty_text"), create);
  const full = h("div", { class: "stack" },
    h("div", { class: "tiles" }, TILES.map(([key], place) => h("div", { class: "tile" }, tiles[place], h("span", { class: "soft" }, t(key))))),
    h("section", { class: "card", "aria-labelledby": "balancers" },
      h("div", { class: "card-head" }, h("h2", { id: "balancers" }, t("overview.load_balancers"))), balancers, none),
    h("h2", {}, t("overview.target_groups")), groups);
  root.append(skeleton("40rem"));

  const next = topologySource();
  const news = teller();
  const stop = poll(async () => {
    const topology = await next();
    TILES.forEach(([, count], place) => write(tiles[place], count(topology)));
    balancers.draw(topology.loadBalancers.map((each) => ({ ...each, targets: targetsOf(each, topology) })));
    put(balancers, "hidden", !topology.loadBalancers.length);
    put(none, "hidden", topology.loadBalancers.length > 0);
    keyed(groups, topology.targetGroups, (each) => each.TargetGroupArn, makeGroup);
    if (full.parentNode !== root) root.replaceChildren(full);
    const { healthy } = countStates(targetsInUse(topology));
    document.title = t("overview.window", { healthy, count: targetsInUse(topology).length });
    const said = news(topology);
    if (said) announce(said);
  }, EVERY_MS, (error) => {
    // What is known stays; the header says that it is old. Without anything, or when asked wrongly, say what is wrong.
    if (full.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return stop;
}

const targets = (group) => group.running?.targets ?? [];
const targetsInUse = (topology) => topology.targetGroups.filter((each) => each.running?.in_use).flatMap(targets);
const targetsOf = (balancer, topology) =>
  topology.targetGroups.filter((group) => listOf(group.LoadBalancerArns).includes(balancer.LoadBalancerArn)).flatMap(targets);

const TILES = [
  ["overview.load_balancers", (topology) => number(topology.loadBalancers.length)],
  ["overview.listeners", (topology) => number(topology.loadBalancers.flatMap((each) => each.Listeners).length)],
  ["overview.target_groups", (topology) => number(topology.targetGroups.length)],
  ["overview.healthy_targets", (topology) => {
    const all = targetsInUse(topology);
    return t("overview.of", { part: countStates(all).healthy, whole: all.length });
  }],
];

function balancerTable() {
  const node = table({
    caption: t("overview.load_balancers"),
    key: (each) => each.LoadBalancerArn,
    columns: [
      { label: t("overview.name"), head: true, width: "13%", text: (each) => each.LoadBalancerName, value: (each) => each.LoadBalancerName },
      { label: t("overview.state"), width: "10%", value: (each) => each.State?.Code, make: makeState },
      { label: t("overview.dns_name"), width: "41%", make: makeAddress, value: (each) => each.DNSName },
      { label: t("overview.listeners"), make: makeListeners },
      { label: t("overview.health"), value: (each) => countStates(each.targets).healthy, make: makeHealth },
    ],
  });
  node.classList.add("fixed");
  return node;
}

function makeState() {
  const word = state();
  const reason = h("span", { class: "soft small" });
  return drawn(h("span", { class: "lines" }, word, reason), (_, each) => {
    word.draw(each.State?.Code ?? "active");
    write(reason, each.State?.Reason);
  });
}

function makeHealth() {
  const bar = healthBar({ brief: true });
  return drawn(h("div", {}, bar), (_, each) => bar.draw(each.targets));
}

function makeAddress() {
  const link = h("a");
  const node = h("span", { class: "row" }, h("code", {}, link), copyButton(() => link.textContent, t("overview.dns_name")));
  return drawn(node, (_, each) => {
    write(link, each.DNSName);
    attribute(link, "href", each.running?.listeners.length ? urlOf(each, each.running.listeners[0]) : null);
  });
}

function makeListeners() {
  return drawn(h("ul"), (list, balancer) => {
    const items = balancer.Listeners.map((listener) => ({
      listener, balancer, runs: balancer.running?.listeners.find((each) => each.arn === listener.ListenerArn),
    }));
    keyed(list, items, (each) => each.listener.ListenerArn, makeListener);
  });
}

function makeListener() {
  const link = h("a");
  const goal = h("span", { class: "soft" });
  return drawn(h("li", {}, link, " ", goal), (_, { listener, balancer, runs }) => {
    write(link, `${listener.Protocol}:${listener.Port}`);
    attribute(link, "href", runs ? urlOf(balancer, runs) : null);
    write(goal, runs?.forward ? `→ ${runs.forward}` : "");
  });
}

// A name below .localhost leads to this machine; where the page was found by another name, so is the load balancer.
const isThisMachine = () => /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(location.hostname);
// A port below 1024 may be bound 8000 higher.
const urlOf = (balancer, runs) => `http://${isThisMachine() ? balancer.DNSName : location.hostname}:${runs.bound_port ?? runs.port}/`;

const CHECK = [
  ["overview.check_path", (check) => `GET ${check.path}`],
  ["overview.check_port", (check) => (check.port === "traffic-port" ? t("overview.traffic_port") : String(check.port))],
  ["overview.check_interval", (check) => t("overview.interval", { interval: check.interval_s, timeout: check.timeout_s })],
  ["overview.check_counts", (check) => t("overview.counts", { healthy: check.healthy_threshold, unhealthy: check.unhealthy_threshold })],
  ["overview.check_codes", (check) => check.matcher],
];

function makeGroup() {
  const name = h("h2");
  const use = h("span", { class: "soft" });
  const bar = healthBar();
  const notes = h("ul", { class: "notes" });
  const values = CHECK.map(() => h("dd"));
  const rows = targetTable();
  const node = h("section", { class: "card" },
    h("div", { class: "card-head" }, name, use),
    h("div", { class: "group-facts" },
      h("div", {}, h("h3", {}, t("overview.health_check")), h("dl", { class: "facts" }, CHECK.map(([key], place) => [h("dt", {}, t(key)), values[place]]))),
      h("div", {}, h("h3", {}, t("overview.now")), bar, notes)),
    rows);
  return drawn(node, (_, group) => {
    const { running } = group;
    write(name, group.TargetGroupName);
    write(use, [`${group.Protocol}:${group.Port}`, group.TargetType, running?.in_use ? "" : t("overview.not_used")].filter(Boolean).join(" · "));
    bar.draw(targets(group));
    keyed(notes, running?.notes ?? [], (note) => note.text, () => drawn(h("li"), (item, note) => write(item, note.text)));
    if (running) CHECK.forEach(([, text], place) => write(values[place], text(running.health_check)));
    rows.draw(targets(group));
    put(rows, "hidden", !targets(group).length);
  });
}

const origin = (host, port) => `${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
const keyOf = (target) => `${target.id} ${target.port} ${target.address}`;

function targetTable() {
  const node = table({
    caption: t("overview.targets"),
    key: keyOf,
    columns: [
      { label: t("overview.target"), head: true, width: "15%", value: (each) => origin(each.id, each.port), make: () => lines((each) => [origin(each.id, each.port), addressOf(each)]) },
      { label: t("overview.state"), width: "11%", value: (each) => TARGET_STATES.indexOf(each.state), make: makeTargetState },
      { label: t("overview.reason"), make: () => lines((each) => [each.description, each.reason]) },
      { label: t("overview.last_probe"), width: "20.5%", make: () => lines((each) => [probeOf(each), agoOf(each)]) },
      { label: t("overview.requests"), width: "9.5%", numeric: true, value: (each) => each.served, text: (each) => number(each.served) },
      { label: t("overview.in_flight"), width: "9.5%", numeric: true, value: (each) => each.in_flight, text: (each) => number(each.in_flight) },
    ],
  });
  node.classList.add("fixed", "targets");
  return node;
}

function makeTargetState() {
  const word = state();
  const counter = h("span", { class: "soft" });
  return drawn(h("span", { class: "lines" }, word, counter), (_, target) => {
    word.draw(target.state);
    write(counter, target.counter);
  });
}

const addressOf = (target) => (target.address === null ? t("overview.not_resolved") : target.address === target.id ? "" : target.address);
const agoOf = ({ last_probe: probe }) => (probe ? t("overview.seconds_ago", { seconds: Math.round(probe.seconds_ago) }) : "");

function probeOf({ last_probe: probe, state: now }) {
  if (!probe) return t(now === "initial" ? "overview.no_probe_yet" : "overview.not_probed");
  return probe.passed ? t("overview.passed", { status: String(probe.status), ms: probe.latency_ms }) : probe.detail;
}

// What a screen reader is told: targets whose state has changed, and new notes.
function teller() {
  let before = null;
  return ({ targetGroups }) => {
    const now = new Map();
    const sentences = [];
    for (const group of targetGroups) {
      const changed = [];
      for (const target of targets(group)) {
        const key = `${group.TargetGroupArn} ${keyOf(target)}`;
        now.set(key, target.state);
        if (before && before.get(key) !== target.state) changed.push(target);
      }
      if (changed.length > SAID_ONE_BY_ONE) sentences.push(`${group.TargetGroupName}: ${healthSummary(targets(group))}.`);
      else sentences.push(...changed.map(sentenceOf));
      for (const note of group.running?.notes ?? []) {
        const key = `${group.TargetGroupArn} ${note.text}`;
        now.set(key, true);
        if (before && !before.has(key)) sentences.push(note.text);
      }
    }
    before = now;
    return sentences.join(" ");
  };
}

const sentenceOf = (target) =>
  `${origin(target.id, target.port)}: ${t(`shell.state.${target.state}`)}${target.description ? `. ${target.description}.` : "."}`;
