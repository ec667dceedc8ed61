// Breaks web servers that are ours, shows beside it what the load balancer makes of it, and takes it back.

import { loadTexts, t } from "../i18n.js";
import { get, post, targetHealth } from "../local.js";
import { linkTo } from "../router.js";
import { announce, button, copyButton, drawn, empty, errorCard, h, keyed, poll, put, skeleton, style } from "../ui.js";
import { groupsOf, putBack, putBackCommand, sayRule, takeOut, takenOut } from "./faults-firewall.js";
import { makeServer } from "./faults-server.js";

const EVERY_MS = 1000;
// Shares are of so many of the last seconds.
const WINDOW_S = 10;

export const title = () => t("faults.title");

export async function render(root) {
  await Promise.all([style("views/faults.css"), loadTexts("health")]);
  const list = h("div", { class: "servers" });
  const rules = h("ul");
  const outside = h("section", { class: "card", "aria-labelledby": "outside" }, h("h2", { id: "outside" }, t("faults.taken_out")), rules);
  const all = button(t("faults.all_back"), async () => { await allBack(); announce(t("faults.all_done")); }, { primary: true });
  const none = empty(t("faults.empty"), t("faults.empty_text"), h("a", { class: "button", href: linkTo("instances") }, t("shell.nav.instances")));
  const full = h("div", { class: "stack" },
    h("div", { class: "row intro" }, h("p", { class: "soft" }, t("faults.intro", { seconds: WINDOW_S })), all), list, none, outside);
  root.append(skeleton("30rem"));

  const next = source();
  let servers = [];
  const stop = poll(async () => {
    servers = await next();
    keyed(list, servers, (each) => each.id, () => makeServer({ apply, block }));
    keyed(rules, takenOut(), (each) => each.securityGroupRuleId, makeRule);
    put(outside, "hidden", !takenOut().length);
    put(none, "hidden", servers.length > 0);
    const calm = !takenOut().length && servers.every((each) => each.state === "running" && each.fault === "none");
    put(all.style, "visibility", calm ? "hidden" : "visible");
    if (full.parentNode !== root) root.replaceChildren(full);
  }, EVERY_MS, (error) => {
    if (full.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return stop;

  async function apply(server, wish) {
    try {
      await post(`faults/${server.id}`, wish);
    } finally {
      stop.now();
    }
  }

  async function block(server, on) {
    try {
      if (on) await takeOut(server.groups, server.ports);
      else await putBack(takenOut().filter((rule) => server.groups.includes(rule.groupId)));
    } finally {
      next.groupsChanged();
      stop.now();
    }
  }

  async function allBack() {
    await putBack(takenOut());
    for (const server of servers) {
      if (["stopped", "exited"].includes(server.state)) await apply(server, { fault: "start" });
      else if (server.fault !== "none") await apply(server, { fault: "none" });
    }
    stop.now();
  }

  function makeRule(rule) {
    return drawn(h("li", { class: "row" }, h("span", {}, sayRule(rule)),
      button(t("faults.put_back"), async () => { await putBack([rule]); stop.now(); }),
      copyButton(() => putBackCommand(rule), t("faults.command"))), () => {});
  }
}

// A function to poll: servers as in /_lb/faults, each with { groups: security group ids or null, ports: where it is
// registered, uses: [{ target, requests, all, errors }] } of the last seconds.
function source() {
  let until = null;
  let known = new Map();
  const next = async () => {
    const since = until === null ? undefined : until - WINDOW_S;
    const [{ servers }, { targets }, seconds] = await Promise.all([get("faults"), targetHealth(), get("metrics/seconds", { since })]);
    until = seconds.until_s;
    const instances = servers.filter((each) => each.kind === "instance").map((each) => each.id);
    if (instances.some((id) => !known.has(id))) known = await groupsOf(instances);
    const counts = countRequests(seconds.series);
    return servers.map((server) => {
      const own = targets.filter((each) => each.id === server.id || each.target === `${server.address}:${server.port}`);
      return {
        ...server, groups: known.get(server.id) ?? null, ports: own.length ? own.map((each) => each.port) : [80],
        uses: own.map((target) => ({ target, ...counts(target) })),
      };
    });
  };
  next.groupsChanged = () => known.clear();
  return next;
}

function countRequests(series) {
  const sum = (found, field) => found.flatMap((each) => each[field].slice(-WINDOW_S)).reduce((total, value) => total + value, 0);
  return ({ target_group: group, target }) => {
    const all = series.filter((each) => each.kind === "target" && each.target_group === group);
    const mine = all.filter((each) => each.target === target);
    return { requests: sum(mine, "requests"), all: sum(all, "requests"), errors: sum(mine, "5xx") };
  };
}
