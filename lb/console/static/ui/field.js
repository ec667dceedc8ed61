// A form field: label, hint, input and the message of what is wrong with it, tied together for screen readers.
//
//   const name = field({ label: t("wizard.name"), hint: t("wizard.name_hint"), check: (value) => value ? "" : t("wizard.name_missing") });
//   form.append(name); if (name.valid()) create(name.value());
//
// `check(value)` returns the message, "" for none. It runs when the field is left, and while it is wrong on each key. A server's
// answer about this field is shown by name.say(message). Room for the message is kept.

import { h, attribute, put, write } from "./dom.js";

let made = 0;

export function field({ label, hint = "", input = h("input", { autocomplete: "off", spellcheck: "false" }), check = () => "" }) {
  const id = input.id || `field-${++made}`;
  const message = h("span", { class: "message", id: `${id}-message`, "aria-live": "polite" });
  const described = [hint && `${id}-hint`, `${id}-message`].filter(Boolean).join(" ");
  attribute(input, "id", id);
  attribute(input, "aria-describedby", described);
  const node = h("div", { class: "field" },
    h("label", { for: id }, label), hint && h("span", { class: "hint", id: `${id}-hint` }, hint), input, message);

  node.input = input;
  node.value = () => (input.type === "checkbox" ? input.checked : input.value.trim());
  node.say = (text) => {
    write(message, text);
    attribute(input, "aria-invalid", text ? "true" : null);
  };
  node.valid = () => {
    const text = check(node.value());
    node.say(text);
    return !text;
  };
  input.addEventListener("change", node.valid);
  input.addEventListener("input", () => input.getAttribute("aria-invalid") && node.valid());
  return node;
}

// A list to choose from: select([["ip", t("...")], ["instance", t("...")]], "ip")
export const select = (options, chosen, props = {}) =>
  h("select", props, options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));

// Offers these in a list that is there already; where they are the same ones, nothing is replaced.
export function offer(list, options, chosen) {
  const same = list.options.length === options.length && options.every(([value], place) => list.options[place].value === value);
  if (!same) list.replaceChildren(...select(options, chosen).options);
  put(list, "value", chosen);
}

// A label beside its input, which has an id; in a row of tools they stay together.
export const labelled = (label, input) => h("span", { class: "row together" }, h("label", { for: input.id }, label), input);
