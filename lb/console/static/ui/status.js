// A state as a word with a mark: each kind has its own shape as well as colour.

import { t } from "../i18n.js";
import { h, put, write } from "./dom.js";

export const TARGET_STATES = ["healthy", "unhealthy", "initial", "draining", "unused"];
const OTHER = { active: "good", available: "good", running: "good", provisioning: "wait", pending: "wait",
  failed: "bad", active_impaired: "bad", stopped: "off", healthy: "good", unhealthy: "bad", initial: "wait", draining: "drain", unused: "off" };

// A node with draw(state), for a target's or a load balancer's state.
export function state(initial) {
  const node = h("span");
  node.draw = (name) => {
    write(node, t(`shell.state.${name}`));
    put(node, "className", `state ${OTHER[name] ?? "off"}`);
  };
  if (initial !== undefined) node.draw(initial);
  return node;
}

// How many targets are in each state.
export const countStates = (targets) =>
  Object.fromEntries(TARGET_STATES.map((name) => [name, targets.filter((target) => target.state === name).length]));

// "2 of 3 healthy, 1 draining"
export function healthSummary(targets) {
  if (!targets.length) return t("shell.no_targets");
  const { healthy, ...others } = countStates(targets);
  const told = Object.entries(others).filter(([, count]) => count).map(([name, count]) => t("shell.count_state", { count, state: t(`shell.state.${name}`) }));
  return [t("shell.healthy_of", { healthy, count: targets.length }), ...told].join(", ");
}

// A bar with a part for each state, and the same in words; `brief` says the healthy ones only. Node with draw(targets).
export function healthBar({ brief = false } = {}) {
  const parts = TARGET_STATES.map((name) => h("span", { class: OTHER[name] }));
  const words = h("span");
  const node = h("span", { class: "health" }, h("span", { class: "bar", "aria-hidden": "true" }, parts), words);
  node.draw = (targets) => {
    const counts = countStates(targets);
    TARGET_STATES.forEach((name, place) => put(parts[place].style, "flexGrow", String(counts[name])));
    write(words, brief && targets.length ? t("shell.healthy_of", { healthy: counts.healthy, count: targets.length }) : healthSummary(targets));
  };
  return node;
}
