// One lesson: goal, explanation, steps with what is still missing, and starting and resetting it.

import { language, t } from "../i18n.js";
import { get, post } from "../local.js";
import { linkTo, place } from "../router.js";
import { announce, ask, attribute, button, errorCard, h, keyed, poll, put, toast, write } from "../ui.js";
import { views } from "../views.js";
import { databaseForm } from "./lessons-database.js";
import { progress } from "./lessons.js";
import { makeStep } from "./lessons-step.js";

const EVERY_MS = 1000;
// What the console's form asks, too.
const ASKS_DATABASE = "lb lesson database";
const HELPFUL = ["overview", "balancer", "group", "instances", "create", "health", "faults", "requests", "try"];
// What the API says in the place of an address while there is no load balancer.
const NO_ADDRESS = "http://DNS-NAME";

export function renderLesson(root, id) {
  const heading = h("h2");
  const goal = h("p", { class: "goal" });
  const explanation = h("p");
  const how = progress();
  const begin = button(t("lessons.start"), start, { primary: true });
  const clear = button(t("lessons.reset"), reset);
  const finished = h("p", { class: "finished", role: "status" });
  const observe = h("p");
  const observing = h("section", { class: "card" }, h("h2", {}, t("lessons.observe")), observe);
  const steps = h("ol", { class: "stack" });
  const database = databaseForm(() => stop.now());
  const links = h("ul", { class: "row" }, views.filter(({ name }) => HELPFUL.includes(name)).map(({ name }) =>
    h("li", {}, h("a", { href: linkTo(name) }, t(`shell.nav.${name}`)))));
  const address = h("a");
  const full = h("div", { class: "stack" },
    h("p", {}, h("a", { href: linkTo("lessons") }, t("lessons.all"))),
    h("section", { class: "card about" }, heading, goal, explanation,
      h("div", { class: "row" }, how, begin, clear), address, h("nav", { class: "helpful", "aria-label": t("lessons.views") }, h("h3", {}, t("lessons.views")), links)),
    finished, h("h2", {}, t("lessons.steps")), steps, database, observing);

  let lesson = null;
  const stop = poll(async () => {
    const shown = lesson;
    const next = await get(`lessons/${encodeURIComponent(id)}`, { lang: language() });
    // Started meanwhile: this answer is older than what is shown.
    if (lesson === shown) draw(next);
  }, EVERY_MS, (error) => {
    if (full.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return stop;

  function draw(next) {
    const before = lesson;
    lesson = next;
    write(heading, t("lessons.name", { id: lesson.id, title: lesson.title }));
    write(goal, lesson.goal);
    write(explanation, lesson.explanation);
    write(observe, lesson.observe);
    how.draw(lesson);
    write(address, lesson.url);
    attribute(address, "href", `${lesson.url}/`);
    put(address, "hidden", lesson.url === NO_ADDRESS);
    write(begin, t(lesson.state === "not-started" ? "lessons.start" : "lessons.again"));
    begin.classList.toggle("primary", lesson.state === "not-started");
    put(clear, "hidden", lesson.state === "not-started");
    write(finished, lesson.state === "done" ? t("lessons.finished") : "");
    put(finished, "hidden", lesson.state !== "done");
    keyed(steps, lesson.steps.map((step, number) => ({ ...step, number })), (step) => step.number, makeStep);
    put(database, "hidden", !lesson.steps.some((step) => step.cli.includes(ASKS_DATABASE)));
    if (full.parentNode !== root) root.replaceChildren(full);
    if (!before) return;
    const passed = lesson.steps.filter((step, number) => step.state === "done" && before.steps[number].state !== "done");
    if (passed.length) announce(t("lessons.step_done", { title: passed.at(-1).title }));
  }

  async function start() {
    const again = lesson.state !== "not-started";
    if (!await ask({ title: begin.textContent, body: t(again ? "lessons.again_text" : "lessons.start_text"), ok: begin.textContent, danger: again })) return;
    draw(await post(`lessons/${encodeURIComponent(id)}/start?lang=${language()}`));
    toast(t("lessons.started"));
  }

  async function reset() {
    if (!await ask({ title: clear.textContent, body: t("lessons.reset_text"), ok: clear.textContent, danger: true })) return;
    const { removed, kept } = await post(`lessons/${encodeURIComponent(id)}/reset`);
    const left = Object.entries(kept).map(([what, why]) => `${what}: ${why}`);
    toast([t("lessons.was_reset", { count: removed.length }), ...left].join(" "), left.length ? "bad" : "good");
    // Left meanwhile, there is nothing to draw.
    if (place().params.id === id) stop.now();
  }
}
