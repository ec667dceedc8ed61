// A web server as a card: on the left what can be done to it, on the right what the load balancer makes of it.

import { number, t } from "../i18n.js";
import { linkTo } from "../router.js";
import { attribute, button, drawn, h, keyed, put, state, write } from "../ui.js";
import { takenOut } from "./faults-firewall.js";
import { counterText } from "./health-target.js";

// Those with a time: milliseconds at first, and at most.
const FAULTS = { slow: [500, 90_000], error: null, reset: null, drop_idle: [2000, 90_000] };
const OTHER_STATES = { starting: "pending", exited: "failed" };

let made = 0;

// `apply(server, { fault, ms })` and `block(server, on)` do it and draw again.
export function makeServer({ apply, block }) {
  const id = `server-${++made}`;
  let server = null;
  const name = h("h2", { id });
  const where = h("span", { class: "soft" });
  const now = state();
  const down = () => ["stopped", "exited"].includes(server.state);
  const power = button("", () => apply(server, { fault: down() ? "start" : "stop" }), { "aria-describedby": `${id}-power` });
  const toggles = Object.entries(FAULTS).map(([fault, times]) => makeFault(fault, times));
  const wall = button(t("faults.block"), () => block(server, !blocked()), { "aria-describedby": `${id}-block` });
  const wallRow = row(wall, null, `${id}-block`, "block_text");
  const uses = h("div", { class: "stack" });
  const unused = h("p", { class: "soft" }, t("faults.unused"));
  const node = h("article", { class: "card", "aria-labelledby": id },
    h("div", { class: "card-head" }, name, now, where),
    h("div", { class: "sides" },
      h("div", { class: "acts" }, row(power, null, `${id}-power`, "power_text"), toggles.map((each) => each.row), wallRow),
      h("div", { class: "effect" }, h("h3", {}, t("faults.effect")), uses, unused)));

  const blocked = () => Boolean(server.groups) && takenOut().some((rule) => server.groups.includes(rule.groupId));

  function makeFault(fault, times) {
    const ms = times && h("input", { type: "number", min: 1, max: times[1], value: times[0], step: 100, "aria-label": t("faults.ms", { fault: t(`faults.${fault}`) }) });
    const press = button(t(`faults.${fault}`), () => {
      const on = server.fault !== fault;
      return apply(server, on ? { fault, ...(ms ? { ms: Number(ms.value) } : {}) } : { fault: "none" });
    }, { "aria-describedby": `${id}-${fault}` });
    return { fault, press, ms, row: row(press, ms, `${id}-${fault}`, `${fault}_text`) };
  }

  return drawn(node, (_, next) => {
    server = next;
    write(name, server.name);
    write(where, [server.id, `${server.address}:${server.port}`].join(" · "));
    now.draw(OTHER_STATES[server.state] ?? server.state);
    write(power, t(down() ? "faults.start" : "faults.stop"));
    attribute(power, "aria-pressed", down());
    power.classList.toggle("primary", down());
    for (const { fault, press, ms } of toggles) {
      attribute(press, "aria-pressed", String(server.fault === fault));
      press.disabled = server.state !== "running";
      if (ms && server.fault === fault && document.activeElement !== ms) put(ms, "value", String(server.ms));
    }
    put(wallRow, "hidden", !server.groups);
    attribute(wall, "aria-pressed", String(blocked()));
    node.classList.toggle("broken", down() || server.fault !== "none" || blocked());
    keyed(uses, server.uses, ({ target }) => target.target_group, makeUse);
    put(unused, "hidden", server.uses.length > 0);
  });
}

const row = (press, ms, id, text) => h("div", { class: "act" }, press,
  h("span", { class: "time" }, ms, ms && h("span", { class: "soft", "aria-hidden": "true" }, " ms")), h("span", { class: "soft small", id }, t(`faults.${text}`)));

// How it does in one target group: state, counter, share of the requests.
function makeUse() {
  const link = h("a");
  const now = state();
  const counter = h("span", { class: "soft" });
  const part = h("span", { class: "part" });
  const rest = h("span");
  const share = h("strong");
  const counts = h("span", { class: "soft small" });
  const node = h("div", { class: "use" }, h("p", { class: "row" }, link, now, counter),
    h("p", { class: "row" }, share, h("span", { class: "share", "aria-hidden": "true" }, part, rest)), counts);
  return drawn(node, (_, { target, requests, all, errors }) => {
    write(link, target.target_group_name);
    attribute(link, "href", linkTo("health", { group: target.target_group }));
    now.draw(target.state);
    write(counter, counterText(target.counter));
    write(share, all ? number(requests / all, { style: "percent" }) : "–");
    put(part.style, "flexGrow", String(requests));
    put(rest.style, "flexGrow", String(all - requests || (all ? 0 : 1)));
    write(counts, all ? t("faults.counts", { requests, all, errors }) : t("faults.no_traffic"));
  });
}
