// A step of a lesson: what to do, in the console and with the CLI, hints behind folds, and what is still missing.

import { t } from "../i18n.js";
import { attribute, copyButton, drawn, h, keyed, put, write } from "../ui.js";

const MARKS = { done: "good", now: "bad", later: "off" };

export function makeStep() {
  const title = h("h3");
  const state = h("span");
  const text = h("p");
  const where = h("p");
  const code = h("code");
  const cli = h("div", { class: "cli" }, h("pre", { tabindex: "0", "aria-label": t("lessons.cli") }, code), copyButton(() => code.textContent, t("lessons.cli")));
  const hints = h("div", { class: "hints" });
  const missing = h("ul", { class: "missing" });
  const missingPart = h("div", {}, h("strong", {}, t("lessons.missing")), missing);
  const node = h("li", { class: "card step" }, h("div", { class: "card-head" }, title, state), text,
    h("p", { class: "soft small" }, t("lessons.in_console")), where, h("p", { class: "soft small" }, t("lessons.cli")), cli, hints, missingPart);
  return drawn(node, (_, step) => {
    write(title, t("lessons.name", { id: step.number + 1, title: step.title }));
    write(state, t(`lessons.step.${step.state}`));
    put(state, "className", `state ${MARKS[step.state]}`);
    put(node, "className", `card step ${step.state}`);
    attribute(node, "aria-current", step.state === "now" ? "step" : null);
    write(text, step.text);
    write(where, step.console);
    write(code, step.cli);
    keyed(hints, step.hints.map((hint, place) => ({ hint, place })), (each) => each.place, makeHint);
    keyed(missing, step.missing, (sentence) => sentence, () => drawn(h("li"), write));
    put(missingPart, "hidden", !step.missing.length);
  });
}

function makeHint({ place }) {
  const text = h("p");
  return drawn(h("details", {}, h("summary", {}, t("lessons.hint", { number: place + 1 })), text), (_, { hint }) => write(text, hint));
}
