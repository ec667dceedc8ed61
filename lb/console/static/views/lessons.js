// The lessons: the list with the progress, or one of them (#/lessons?id=3). Their words and checks come from the balancer.

import { language, t } from "../i18n.js";
import { get } from "../local.js";
import { linkTo } from "../router.js";
import { attribute, drawn, empty, errorCard, h, keyed, poll, put, skeleton, style, write } from "../ui.js";
import { renderLesson } from "./lessons-one.js";

const EVERY_MS = 2000;

export const title = () => t("lessons.title");

export async function render(root, { id }) {
  await style("views/lessons.css");
  root.append(skeleton("40rem"));
  return id ? renderLesson(root, id) : renderList(root);
}

function renderList(root) {
  const list = h("ol", { class: "stack" });
  const none = empty(t("lessons.empty"), t("lessons.empty_text"));
  const full = h("div", { class: "stack" }, h("p", { class: "soft" }, t("lessons.intro")), list, none);
  const stop = poll(async () => {
    const { lessons } = await get("lessons", { lang: language() });
    keyed(list, lessons, (each) => each.id, makeItem);
    put(none, "hidden", lessons.length > 0);
    if (full.parentNode !== root) root.replaceChildren(full);
  }, EVERY_MS, (error) => {
    if (full.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return stop;
}

function makeItem() {
  const number = h("span", { class: "place" });
  const link = h("a");
  const goal = h("p", { class: "soft" });
  const how = progress();
  return drawn(h("li", { class: "card lesson" }, number, h("div", {}, h("h2", {}, link), goal), how), (_, lesson) => {
    write(number, lesson.id);
    write(link, lesson.title);
    attribute(link, "href", linkTo("lessons", { id: lesson.id }));
    write(goal, lesson.goal);
    how.draw(lesson);
  });
}

const STATES = { "not-started": "off", "under-way": "wait", done: "good" };

// A word and a bar; node with draw(lesson).
export function progress() {
  const word = h("span");
  const bar = h("progress", { "aria-label": t("lessons.progress") });
  const steps = h("span", { class: "soft small" });
  return drawn(h("div", { class: "progress" }, word, bar, steps), (_, lesson) => {
    write(word, t(`lessons.state.${lesson.state}`));
    put(word, "className", `state ${STATES[lesson.state]}`);
    attribute(bar, "max", lesson.step_count);
    attribute(bar, "value", lesson.done);
    write(steps, t("lessons.steps_done", { done: lesson.done, count: lesson.step_count }));
  });
}
