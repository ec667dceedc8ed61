// What the health checker knows of each target: its state machine, the last probes, why it is so and what to do.

import { t } from "../i18n.js";
import { targetHealth } from "../local.js";
import { linkTo, rememberParams } from "../router.js";
import { announce, empty, errorCard, h, healthBar, keyed, labelled, offer, poll, put, select, skeleton, style } from "../ui.js";
import { keyOf, makeTarget, nameOf } from "./health-target.js";

const EVERY_MS = 1000;
// So many targets show their probes without being asked, where there is room.
const OPEN_AT_FIRST = 4;

export const title = () => t("health.title");

export async function render(root, params) {
  await style("views/health.css");
  let chosen = { group: params.group ?? "", state: params.state ?? "" };
  const groups = select([], "", { id: "group", onchange: () => choose({ group: groups.value }) });
  const states = select([["", t("health.all_states")], ["attention", t("health.attention")]], chosen.state,
    { id: "state", onchange: () => choose({ state: states.value }) });
  const bar = healthBar();
  const list = h("div", { class: "stack" });
  const none = empty(t("health.empty"), t("health.empty_text"), h("a", { class: "button", href: linkTo("group") }, t("shell.nav.group")));
  const calm = empty(t("health.calm"), t("health.calm_text"));
  const full = h("div", { class: "stack" },
    h("div", { class: "row tools" },
      labelled(t("health.target_group"), groups), labelled(t("health.show"), states), bar),
    list, none, calm);
  root.append(skeleton("30rem"));

  const said = teller();
  let openAtFirst = null;
  const stop = poll(async () => {
    const { targets } = await targetHealth();
    const mine = targets.filter((each) => !chosen.group || each.target_group === chosen.group);
    const shown = mine.filter((each) => !chosen.state || each.state !== "healthy" || each.counter);
    openAtFirst ??= shown.length <= OPEN_AT_FIRST && matchMedia("(min-width: 48rem)").matches;
    drawGroups(targets);
    bar.draw(mine);
    keyed(list, shown, keyOf, () => makeTarget(openAtFirst));
    put(none, "hidden", mine.length > 0);
    put(calm, "hidden", !mine.length || shown.length > 0);
    if (full.parentNode !== root) root.replaceChildren(full);
    const sentence = said(mine);
    if (sentence) announce(sentence);
  }, EVERY_MS, (error) => {
    // What is known stays; the header says that it is old.
    if (full.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return stop;

  function choose(next) {
    chosen = { ...chosen, ...next };
    rememberParams({ group: chosen.group || null, state: chosen.state || null });
    stop.now();
  }

  function drawGroups(targets) {
    const names = new Map([["", t("health.all_groups")], ...targets.map((each) => [each.target_group, each.target_group_name])]);
    // A link may name the group that is meant, too.
    chosen.group = [...names].find(([arn, name]) => arn === chosen.group || name === chosen.group)?.[0] ?? "";
    offer(groups, [...names], chosen.group);
  }
}

// What a screen reader is told: targets whose state has changed.
function teller() {
  let before = null;
  return (targets) => {
    const now = new Map(targets.map((each) => [keyOf(each), each.state]));
    const changed = before ? targets.filter((each) => before.has(keyOf(each)) && before.get(keyOf(each)) !== each.state) : [];
    before = now;
    return changed.slice(0, 3).map((each) => `${nameOf(each)}: ${t(`shell.state.${each.state}`)}.`).join(" ");
  };
}
