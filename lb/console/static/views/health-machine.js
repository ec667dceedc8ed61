// The state machine of a target as a picture: initial -> healthy <-> unhealthy, the present state marked, and on the arrows how
// many equal results in a row it takes and how many there are.

import { t } from "../i18n.js";
import { attribute, drawn, h, put, state, write } from "../ui.js";

const CHECKED = ["initial", "healthy", "unhealthy"];

export function machine() {
  const boxes = CHECKED.map((name) => h("span", { class: "box" }, state(name)));
  const apart = state();
  const apartBox = h("span", { class: "box now" }, apart);
  const [down, up] = ["failures", "successes"].map(() => ({ dots: h("b"), words: h("span") }));
  const node = h("div", { class: "machine", role: "img" },
    apartBox, boxes[0], h("span", { class: "arrow", title: t("health.first_success") }, "→"), boxes[1],
    h("span", { class: "arrows" },
      h("span", { class: "fails" }, down.words, " ", down.dots, " →"),
      h("span", { class: "passes" }, "← ", up.dots, " ", up.words)),
    boxes[2]);
  return drawn(node, (_, { state: now, counter, check }) => {
    const isChecked = CHECKED.includes(now);
    CHECKED.forEach((name, place) => boxes[place].classList.toggle("now", name === now));
    node.classList.toggle("off", !isChecked);
    put(apartBox, "hidden", isChecked);
    if (!isChecked) apart.draw(now);
    for (const [kind, { dots, words }, of] of [["failures", down, check.unhealthy_threshold], ["successes", up, check.healthy_threshold]]) {
      const count = counter?.kind === kind ? counter.count : 0;
      write(dots, "●".repeat(count) + "○".repeat(Math.max(0, of - count)));
      write(words, t(`health.${kind}`));
    }
    const leads = counter ? t("health.leads", { counter: t(`health.counter.${counter.kind}`, counter), state: t(`shell.state.${counter.leads_to}`) }) : "";
    attribute(node, "aria-label", [t(`shell.state.${now}`), leads].filter(Boolean).join(". "));
  });
}
