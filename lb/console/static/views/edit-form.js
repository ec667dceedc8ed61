// Forms of several parts. A part is a node with valid(), which shows what is wrong, and value(): a `field`, or many of them.

import { t } from "../i18n.js";
import { button, drawn, errorCard, field, h, put, skeleton, state, table, write } from "../ui.js";

// Whether every part is valid; the focus goes to the first that is not.
export function allValid(parts, root) {
  const good = parts.map((part) => part.valid()).every(Boolean);
  if (!good) {
    const first = root.querySelector('[aria-invalid="true"]:not([hidden] *)');
    first?.closest("details")?.setAttribute("open", "");
    first?.focus();
  }
  return good;
}

// A dialog that stays until `act` has succeeded: formDialog({ title, parts: [name], act: async () => ... }) -> whether it has.
// `content` shows the parts otherwise than one below the other. What `act` throws is shown in the dialog. One that `stays` can
// be used again and again.
export function formDialog({ title, parts, content = parts, ok = t("shell.ok"), act, stays = false }) {
  const problem = h("p", { class: "message", role: "alert" });
  const yes = h("button", { class: "primary" }, ok);
  const form = h("form", { onsubmit: submit, novalidate: true },
    h("h2", { id: "form-title" }, title), h("div", { class: "edit-parts" }, content), problem,
    h("p", { class: "row end" }, h("button", { type: "button", onclick: () => node.close() }, t(stays ? "shell.close" : "shell.cancel")), yes));
  const node = h("dialog", { class: "edit-dialog", "aria-labelledby": "form-title" }, form);
  let done = false;

  async function submit(event) {
    event.preventDefault();
    if (yes.disabled || !allValid(parts, form)) return;
    yes.disabled = true;
    write(problem, "");
    try {
      await act();
      done = true;
      if (!stays) node.close();
    } catch (error) {
      write(problem, error.code === "NoAnswer" ? t("shell.no_answer") : error.message);
    } finally {
      yes.disabled = false;
      if (node.open) yes.focus();
    }
  }

  document.body.append(node);
  node.showModal();
  return new Promise((resolve) => node.addEventListener("close", () => {
    // A dialog opened from this one closes for itself.
    if (node.open) return;
    node.remove();
    resolve(done);
  }));
}

// Some of several: radios(t("..."), [["a", t("...")], ["b", t("..."), hint]], "a", changed); its value is the chosen one.
export function radios(legend, options, chosen, changed = () => {}) {
  const name = `radios-${Math.random().toString(36).slice(2)}`;
  const node = h("fieldset", { class: "edit-choice", onchange: () => changed(node.value()) }, h("legend", {}, legend),
    options.map(([value, text, hint]) => h("label", {}, h("input", { type: "radio", name, value, checked: value === chosen }),
      h("span", { class: "lines" }, h("span", {}, text), hint && h("span", { class: "soft small" }, hint)))));
  node.value = () => node.querySelector(":checked")?.value;
  node.valid = () => true;
  return node;
}

// Rows to choose from by a box: checkTable({ caption, key, columns, chosen, check }); its value is the list of chosen keys.
export function checkTable({ caption, key, columns, chosen = [], check = () => "", changed = () => {} }) {
  const wanted = new Set(chosen);
  const message = h("p", { class: "message", "aria-live": "polite" });
  let there = [];
  const box = (item) => h("input", { type: "checkbox", checked: wanted.has(key(item)), "aria-label": key(item), onchange: (event) => toggle(item, event.target.checked) });
  const drawnBox = (item) => drawn(box(item), (input, each) => put(input, "checked", wanted.has(key(each))));
  const rows = table({ caption, key, columns: [{ label: t("edit.choose"), width: "5.5rem", make: drawnBox }, ...columns] });
  const node = h("div", {}, rows, message);
  function toggle(item, on) {
    if (on) wanted.add(key(item));
    else wanted.delete(key(item));
    if (message.textContent) node.valid();
    changed();
  }
  node.draw = (items) => {
    there = items;
    rows.draw(items);
    put(rows, "hidden", !items.length);
  };
  node.choose = (keys) => keys.forEach((each) => wanted.add(each));
  node.value = () => there.map(key).filter((each) => wanted.has(each));
  node.valid = () => {
    const text = check(node.value());
    write(message, text);
    rows.querySelectorAll("input").forEach((each) => each.toggleAttribute("data-wrong", Boolean(text)));
    const first = rows.querySelector("input");
    if (text) first?.setAttribute("aria-invalid", "true");
    else first?.removeAttribute("aria-invalid");
    return !text;
  };
  return node;
}

// What `check` of a field may be.
export const required = (value) => (value ? "" : t("edit.required"));
export const whole = (low, high) => (value) => (/^\d+$/.test(value) && value >= low && value <= high ? "" : t("edit.whole", { low, high }));
export const orElse = (word, check) => (value) => (value === word ? "" : check(value));
// Names of load balancers and target groups have the same rules.
export const nameCheck = (value) =>
  !value ? t("edit.required")
  : value.length > 32 ? t("edit.name_long")
  : !/^[A-Za-z0-9-]+$/.test(value) ? t("edit.name_letters")
  : /^-|-$/.test(value) ? t("edit.name_hyphen") : "";
export const cidr = (value) => (/^[0-9a-f:.]+\/\d{1,3}$/i.test(value) ? "" : t("edit.cidr"));

export const textField = (label, value = "", { check, hint, ...props } = {}) =>
  field({ label, hint, check, input: h("input", { value, autocomplete: "off", spellcheck: "false", ...props }) });
export const textArea = (label, value = "", { check, hint, rows = 3 } = {}) =>
  field({ label, hint, check, input: h("textarea", { rows, spellcheck: "false" }, value) });
export const checkBox = (label, checked) => {
  const input = h("input", { type: "checkbox", checked });
  return Object.assign(h("label", { class: "edit-box" }, input, label), { input, value: () => input.checked, valid: () => true });
};

// Small buttons of a row of a table: actions((item) => [[t("..."), async () => ..., { danger: true }]])
export function actions(make) {
  const node = h("span", { class: "row edit-actions" });
  let shown = "";
  let item = null;
  node.draw = (next) => {
    item = next;
    const list = make(item);
    const labels = list.map(([label]) => label).join("|");
    if (labels === shown) return;
    shown = labels;
    node.replaceChildren(...list.map(([label, , props], place) => button(label, () => make(item)[place][1](), props)));
  };
  return node;
}

// A state that a function of the item names.
export function stateOf(name) {
  const node = state();
  const draw = node.draw;
  node.draw = (item) => draw(name(item));
  return node;
}

// A card with a heading and things to press beside it.
export const card = (title, buttons, ...content) =>
  h("section", { class: "card" }, h("div", { class: "card-head edit-head" }, h("h2", {}, title), h("span", { class: "row" }, buttons)), content);

export const facts = (pairs) => h("dl", { class: "facts" }, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

// For a view's `render` that has to ask before it can draw: keeps its room, shows what `start` throws, returns the cleanup.
export function arriving(root, start) {
  let stop = null;
  let left = false;
  async function begin() {
    root.replaceChildren(skeleton("40rem"));
    try {
      const end = await start();
      if (left) end?.();
      else stop = end;
    } catch (error) {
      root.replaceChildren(errorCard(error, begin));
    }
  }
  begin();
  return () => {
    left = true;
    stop?.();
  };
}
