// Small things to press.

import { t } from "../i18n.js";
import { h, write } from "./dom.js";
import { announce, toast } from "./feedback.js";

// button(t("..."), async () => ..., { primary: true }): off while it works; what it throws is shown as a toast.
export function button(label, act, { primary = false, danger = false, ...props } = {}) {
  const kind = [primary && "primary", danger && "danger"].filter(Boolean).join(" ");
  const node = h("button", { type: "button", class: kind || null, ...props, onclick: run }, label);
  async function run() {
    // aria-disabled keeps the focus where it is.
    if (node.getAttribute("aria-disabled")) return;
    node.setAttribute("aria-disabled", "true");
    try {
      await act();
    } catch (error) {
      toast(error.code === "NoAnswer" ? t("shell.no_answer") : error.message, "bad");
    } finally {
      node.removeAttribute("aria-disabled");
    }
  }
  return node;
}

// Copies `text`, or what text() returns; `what` names it for screen readers ("DNS name").
export function copyButton(text, what) {
  const node = h("button", { type: "button", class: "copy", "aria-label": t("shell.copy_what", { what }), onclick: copy }, t("shell.copy"));
  async function copy() {
    await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
    write(node, t("shell.copied"));
    announce(t("shell.copied"));
    setTimeout(() => write(node, t("shell.copy")), 1500);
  }
  return node;
}

// tabs([{ id, label, render: (panel) => cleanup }], chosen, (id) => ...) -> node with `stop()`. Arrow keys move, as in ARIA's pattern.
export function tabs(items, chosen, changed = () => {}) {
  let cleanup = null;
  const panel = h("div", { role: "tabpanel", tabindex: "0", id: "panel" });
  const buttons = items.map(({ id, label }) =>
    h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": "panel", onclick: () => choose(id) }, label));
  const list = h("div", { role: "tablist", class: "tabs", onkeydown: move }, buttons);
  const node = h("div", {}, list, panel);

  function choose(id) {
    const place = Math.max(0, items.findIndex((item) => item.id === id));
    buttons.forEach((each, index) => {
      each.setAttribute("aria-selected", String(index === place));
      each.tabIndex = index === place ? 0 : -1;
    });
    cleanup?.();
    panel.replaceChildren();
    panel.setAttribute("aria-labelledby", buttons[place].id);
    cleanup = items[place].render(panel);
    changed(items[place].id);
  }

  function move(event) {
    const steps = { ArrowRight: 1, ArrowLeft: -1 };
    if (!(event.key in steps)) return;
    const next = buttons[(buttons.indexOf(document.activeElement) + steps[event.key] + buttons.length) % buttons.length];
    next.focus();
    next.click();
  }

  choose(chosen);
  node.stop = () => cleanup?.();
  return node;
}
