// A question in front of the page: if (await ask({ title, body: "...", ok: "Delete", danger: true })) ...

import { t } from "../i18n.js";
import { h } from "./dom.js";

// `body` is text or nodes. `confirm: "delete"` asks to type that word first, as AWS's console does.
// The browser's own <dialog> keeps the focus inside, ends with Escape and gives the focus back.
export function ask({ title, body, ok = t("shell.ok"), danger = false, confirm = null }) {
  const word = confirm && h("input", { id: "confirm-word", autocomplete: "off", oninput: check });
  const yes = h("button", { class: danger ? "danger" : "primary", value: "yes", disabled: Boolean(confirm) }, ok);
  const node = h("dialog", { "aria-labelledby": "dialog-title" },
    h("form", { method: "dialog" },
      h("h2", { id: "dialog-title" }, title),
      h("div", {}, body),
      word && h("p", { class: "field" }, h("label", { for: "confirm-word" }, t("shell.type_to_confirm", { word: confirm })), word),
      h("p", { class: "row end" }, h("button", { value: "no", type: "button", onclick: () => node.close("no") }, t("shell.cancel")), yes)));

  function check() {
    yes.disabled = word.value.trim() !== confirm;
  }

  document.body.append(node);
  node.showModal();
  return new Promise((resolve) => {
    node.addEventListener("close", () => {
      node.remove();
      resolve(node.returnValue === "yes");
    });
  });
}
