// "Ask the database": the question that `lb lesson database` asks, as the lesson's web server would.

import { t } from "../i18n.js";
import { post } from "../local.js";
import { button, field, h, put, write } from "../ui.js";

// `asked` is called after each answer.
export function databaseForm(asked) {
  const user = field({ label: t("lessons.user"), input: h("input", { autocomplete: "off", spellcheck: "false", value: "root" }) });
  const password = field({ label: t("lessons.password"), input: h("input", { type: "password", autocomplete: "off" }) });
  const outcome = h("span", { class: "state" });
  const words = h("p");
  const next = h("p", { class: "soft" });
  const answer = h("div", { class: "answer", "aria-live": "polite", hidden: true }, outcome, words, next);
  const press = button(t("lessons.ask"), work, { primary: true });
  return h("section", { class: "card", "aria-labelledby": "ask-database" }, h("h2", { id: "ask-database" }, t("lessons.ask_database")),
    h("form", { class: "row login", onsubmit: (event) => { event.preventDefault(); press.click(); } }, user, password, press), answer);

  async function work() {
    const found = await post("lessons/database", { user: user.value(), password: password.input.value });
    put(outcome, "className", `state ${found.outcome === "ok" ? "good" : "bad"}`);
    write(outcome, found.outcome);
    write(words, found.message);
    write(next, [found.cause, found.next_step].filter(Boolean).join(" "));
    put(answer, "hidden", false);
    asked();
  }
}
