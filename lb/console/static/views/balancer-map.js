// The resource map: listeners -> rules -> target groups -> targets, with the states of the targets and the reasons for them.
//
// Four columns of tiles; lines between them are drawn behind, by the places of the tiles. A tile under the pointer or with the
// focus lights up what is connected with it. Where the window is narrow, the columns stand below each other, without lines.

import { listOf } from "../aws.js";
import { t } from "../i18n.js";
import { linkTo } from "../router.js";
import { button, drawn, empty, errorCard, h, healthSummary, keyed, poll, put, state, svg, write } from "../ui.js";
import { readGroups, readListeners } from "./balancer-data.js";
import { actionsText, conditionText, groupsOf, routingOf } from "./balancer-words.js";
import { checkBox } from "./edit-form.js";
import { placeOf, stateOfTarget } from "./group.js";

const EVERY_MS = 2000;
// So many targets of a group are shown at first, the unhealthy before the others.
const SHOWN = 8;
const COLUMNS = ["listeners", "rules", "groups", "targets"];
const URGENCY = ["unhealthy", "unavailable", "draining", "initial", "unused", "healthy"];

export function mapPanel(panel, balancer) {
  const open = new Set();
  let tiles = null;
  let shown = [];
  const columns = COLUMNS.map((name) => {
    const count = h("span", { class: "soft" });
    const list = h("ol");
    return { name, count, list, node: h("section", {}, h("h3", {}, t(`balancer.map.${name}`), " ", count), list) };
  });
  const wires = svg("svg", { "aria-hidden": "true" });
  const only = checkBox(t("balancer.only_unhealthy"), false);
  only.input.addEventListener("change", draw);
  const none = empty(t("balancer.no_paths"), t("balancer.no_paths_text"));
  const map = h("div", { class: "map", onpointerover: light, onpointerleave: dim, onfocusin: light, onfocusout: dim }, wires, columns.map(({ node }) => node));
  panel.append(h("div", { class: "card" }, h("p", { class: "row" }, only), h("div", { class: "map-box" }, map), none));
  const sizes = new ResizeObserver(drawWires);
  sizes.observe(map);

  const stop = poll(async () => {
    const [listeners, groups] = await Promise.all([readListeners(balancer.LoadBalancerArn), readGroups(balancer.LoadBalancerArn)]);
    tiles = tilesOf(listeners, groups);
    draw();
  }, EVERY_MS, (error) => { if (error.code !== "NoAnswer") panel.replaceChildren(errorCard(error, stop.now)); });
  return () => {
    stop();
    sizes.disconnect();
  };

  function draw() {
    if (!tiles) return;
    const wanted = tiles.filter((tile) => !only.value() || tile.bad);
    shown = [];
    for (const { name, count, list } of columns) {
      const mine = wanted.filter((tile) => tile.column === name);
      const unfolded = name === "targets" ? folded(mine) : mine;
      write(count, `(${mine.length})`);
      keyed(list, unfolded, (tile) => tile.key, makeTile);
      shown.push(...unfolded);
    }
    const any = wanted.length > 0;
    put(map, "hidden", !any);
    put(none, "hidden", any);
    drawWires();
  }

  // Of each group the first few targets, and a tile for the rest of them.
  function folded(targets) {
    const few = [];
    for (const group of new Set(targets.map((each) => each.group))) {
      const all = targets.filter((each) => each.group === group);
      const isOpen = open.has(group) || all.length <= SHOWN + 1;
      few.push(...(isOpen ? all : all.slice(0, SHOWN)));
      if (all.length > SHOWN + 1) few.push({ key: `more ${group}`, column: "targets", from: [group], rest: isOpen ? 0 : all.length - SHOWN, group, bad: false });
    }
    return few;
  }

  function makeTile(tile) {
    const node = h("li", { class: "tile-box", "data-key": tile.key });
    if (tile.rest !== undefined) {
      const more = button("", () => {
        if (!open.delete(tile.group)) open.add(tile.group);
        draw();
      });
      node.append(more);
      return drawn(node, (_, { rest }) => write(more, rest ? t("balancer.more", { count: rest }) : t("balancer.fewer")));
    }
    const name = tile.href ? h("a", { href: tile.href }) : h("span", { tabindex: "0" });
    const mark = tile.state ? state() : null;
    const detail = h("span", { class: "soft small" });
    node.append(h("span", { class: "row tile-head" }, name, mark), detail);
    return drawn(node, (_, next) => {
      node.classList.toggle("bad", next.bad);
      write(name, next.text);
      mark?.draw(next.state);
      write(detail, next.detail);
      put(detail, "hidden", !next.detail);
    });
  }

  function drawWires() {
    const box = map.getBoundingClientRect();
    const bad = new Set(shown.filter((tile) => tile.bad).map(({ key }) => key));
    const places = new Map([...map.querySelectorAll("[data-key]")].map((node) => [node.dataset.key, node.getBoundingClientRect()]));
    const lines = shown.flatMap((tile) => tile.from.filter((from) => places.has(from)).map((from) => ({ from, tile })));
    keyed(wires, lines, ({ from, tile }) => `${from}>${tile.key}`, () => drawn(svg("path"), (path, { from, tile }) => {
      const [a, b] = [places.get(from), places.get(tile.key)];
      const [x1, y1, x2, y2] = [a.right - box.left, a.top + a.height / 2 - box.top, b.left - box.left, b.top + b.height / 2 - box.top];
      const middle = (x1 + x2) / 2;
      path.setAttribute("d", `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`);
      path.setAttribute("class", tile.bad && bad.has(from) ? "bad" : "");
      path.dataset.wire = `${from}>${tile.key}`;
    }));
  }
  function light(event) {
    const tile = event.target.closest("[data-key]");
    if (!tile) return dim();
    const lit = related(shown, tile.dataset.key);
    map.classList.add("lit");
    for (const each of map.querySelectorAll("[data-key]")) each.classList.toggle("on", lit.has(each.dataset.key));
    for (const wire of wires.children) wire.classList.toggle("on", wire.dataset.wire.split(">").every((key) => lit.has(key)));
  }
  function dim() {
    map.classList.remove("lit");
  }
}

// Keys of all tiles that lie on a path through this one.
function related(tiles, key) {
  const walk = (next) => {
    const seen = new Set([key]);
    for (const each of seen) next(each).forEach((other) => seen.add(other));
    return seen;
  };
  const parents = new Map(tiles.map((tile) => [tile.key, tile.from]));
  const up = walk((each) => parents.get(each) ?? []);
  const down = walk((each) => tiles.filter(({ from }) => from.includes(each)).map((tile) => tile.key));
  return new Set([...up, ...down]);
}

// [{ key, column, text, detail, state?, href?, from: [keys to its left], bad }]; bad is what is on an unhealthy path.
function tilesOf(listeners, groups) {
  const tiles = [];
  const rank = ({ TargetHealth }) => URGENCY.indexOf(TargetHealth.State);
  const isBad = ({ TargetHealth }) => ["unhealthy", "unavailable"].includes(TargetHealth.State);
  const sick = new Set(groups.filter(({ Targets }) => Targets.some(isBad)).map((each) => each.TargetGroupArn));
  const rulesOf = new Map();
  for (const listener of listeners) {
    const rules = listener.Rules.map((rule) => ({ rule, to: groupsOf(routingOf(listOf(rule.Actions))) }));
    tiles.push({ key: listener.ListenerArn, column: "listeners", text: `${listener.Protocol}:${listener.Port}`, detail: "", from: [], bad: rules.some(({ to }) => to.some(({ arn }) => sick.has(arn))) });
    for (const { rule, to } of rules) {
      const when = rule.Priority === "default" ? "" : `${listOf(rule.Conditions).map(conditionText).join("; ")} → `;
      tiles.push({
        key: rule.RuleArn, column: "rules", from: [listener.ListenerArn], bad: to.some(({ arn }) => sick.has(arn)),
        text: rule.Priority === "default" ? t("balancer.default_rule") : `${t("balancer.rule")} ${rule.Priority}`, detail: when + actionsText(listOf(rule.Actions)),
      });
      for (const { arn } of to) rulesOf.set(arn, [...(rulesOf.get(arn) ?? []), rule.RuleArn]);
    }
  }
  for (const group of groups) {
    const arn = group.TargetGroupArn;
    tiles.push({
      key: arn, column: "groups", text: group.TargetGroupName, href: linkTo("group", { name: group.TargetGroupName }), bad: sick.has(arn),
      detail: `${group.TargetType}, ${group.Protocol ?? "-"}:${group.Port ?? "-"}, ${healthSummary(group.Targets.map(stateOfTarget))}`, from: rulesOf.get(arn) ?? [],
    });
    for (const each of [...group.Targets].sort((a, b) => rank(a) - rank(b))) {
      const { State, Description, Reason } = each.TargetHealth;
      tiles.push({
        key: `${arn} ${placeOf(each.Target)}`, column: "targets", group: arn, from: [arn], text: placeOf(each.Target), state: State,
        detail: [Description, Reason && `(${Reason})`].filter(Boolean).join(" "), bad: isBad(each),
      });
    }
  }
  return tiles;
}
