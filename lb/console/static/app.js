// The frame around the views: navigation, language, theme, and whether the balancer answers.

import { LANGUAGES, clock, language, loadTexts, setLanguage, t } from "./i18n.js";
import { connection } from "./net.js";
import { startRouter } from "./router.js";
import { announce } from "./ui/feedback.js";
import { h, write } from "./ui/dom.js";
import { views } from "./views.js";

const THEMES = ["system", "light", "dark"];
const byId = (id) => document.getElementById(id);

const theme = () => document.documentElement.dataset.theme ?? "system";

function setTheme(wanted) {
  localStorage.setItem("lb.theme", wanted);
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
}

function select(label, options, chosen, change) {
  return h("select", { "aria-label": label, onchange: (event) => change(event.target.value) },
    Object.entries(options).map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

function drawFrame(redraw) {
  write(byId("skip"), t("shell.skip"));
  byId("nav").setAttribute("aria-label", t("shell.nav"));
  byId("nav").replaceChildren(
    h("ul", {}, views.filter((view) => !view.hidden).map(({ name }) =>
      h("li", {}, h("a", { href: `#/${name}`, "data-view": name }, t(`shell.nav.${name}`))))),
  );
  byId("settings").replaceChildren(
    select(t("shell.language"), LANGUAGES, language(), async (wanted) => {
      setLanguage(wanted);
      await redraw();
      byId("settings").firstChild.focus();
    }),
    select(t("shell.theme"), Object.fromEntries(THEMES.map((each) => [each, t(`shell.theme.${each}`)])), theme(), setTheme),
  );
}

function markPlace(view) {
  const nav = byId("nav");
  for (const link of nav.querySelectorAll("a")) {
    if (link.dataset.view !== view) {
      link.removeAttribute("aria-current");
      continue;
    }
    link.setAttribute("aria-current", "page");
    // In a narrow window the links are one line, longer than the window.
    nav.scrollTo({ left: link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2 });
  }
}

function drawConnection() {
  const { answers, at } = connection.get();
  document.body.classList.toggle("gone", answers === false);
  if (answers === null) return;
  const key = answers ? "shell.live" : at ? "shell.silent_since" : "shell.silent";
  write(byId("link"), t(key, { time: at ? clock(at) : "" }));
}

async function start() {
  await loadTexts("shell");
  let here = null;
  let showAgain = null;
  const draw = () => { drawFrame(redraw); markPlace(here); drawConnection(); };
  async function redraw() {
    await loadTexts("shell");
    draw();
    await showAgain();
  }
  draw();
  let answered = true;
  connection.subscribe(({ answers }) => {
    drawConnection();
    if (answers !== answered) announce(t(answers ? "shell.back" : "shell.lost"));
    answered = answers;
  });
  // Not a link to a view: the address must stay.
  byId("skip").addEventListener("click", (event) => { event.preventDefault(); byId("content").focus(); });
  showAgain = startRouter({ heading: byId("heading"), root: byId("view"), changed: (view) => { here = view; markPlace(view); } });
}

start();
