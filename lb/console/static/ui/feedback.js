// What the page says of itself: loading, empty, failed, done.

import { t } from "../i18n.js";
import { h } from "./dom.js";

const TOAST_MS = 6000;

// Tells a screen reader; shows nothing.
export function announce(sentence) {
  document.getElementById("said").textContent = sentence;
}

// Says shortly that something is done, or that it failed ("bad", which stays until it is closed).
export function toast(sentence, kind = "good") {
  const node = h("div", { class: `toast ${kind}` }, h("span", {}, sentence),
    h("button", { class: "plain", "aria-label": t("shell.close"), onclick: () => node.remove() }, "✕"));
  document.getElementById("toasts").append(node);
  announce(sentence);
  if (kind !== "bad") setTimeout(() => node.remove(), TOAST_MS);
}

// Holds the place of what is being loaded, as high as that will be.
export const skeleton = (height) => h("div", { class: "skeleton", "aria-hidden": "true", style: { height } });

// Where there is nothing yet: what it would be, and what to do. `actions` are links or buttons.
export const empty = (title, text, ...actions) =>
  h("div", { class: "empty" }, h("strong", {}, title), h("p", {}, text), h("p", { class: "row" }, actions));

// Instead of a view that failed. AWS's and our own errors carry a code; anything else is a fault of the page.
export const errorCard = (error, retry) =>
  h("div", { class: "card error", role: "alert" },
    h("h2", {}, t("shell.error")),
    h("p", {}, error.code === "NoAnswer" ? t("shell.no_answer") : error.message),
    error.code && error.code !== "NoAnswer" ? h("p", { class: "soft" }, h("code", {}, error.code)) : null,
    h("button", { onclick: retry }, t("shell.retry")));
