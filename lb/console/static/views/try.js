// Try it: sends requests through the load balancer and shows who answered, one mark per answer.

import { elbv2All } from "../aws.js";
import { loadTexts, number, t } from "../i18n.js";
import { linkTo, rememberParams } from "../router.js";
import { announce, button, drawn, empty, field, h, keyed, lines, put, select, style, table, toast, write } from "../ui.js";
import { opening } from "./opening.js";
import { NAMES, outcomeMark, shareBar } from "./outcomes.js";
import { sendRequests } from "./try-stream.js";

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];
// As many colours as try.css has; beyond them they come again, and the number in the mark tells.
const COLOURS = 6;
const LISTED = 20;
const DRAW_EVERY_MS = 100;

export const title = () => t("try.title");

export const render = (root, params) => opening(root, async () => {
  const [balancers] = await Promise.all([elbv2All("DescribeLoadBalancers", "LoadBalancers"), style("views/try.css"), loadTexts("live")]);
  const found = await Promise.all(balancers.map(async (balancer) =>
    (await elbv2All("DescribeListeners", "Listeners", { LoadBalancerArn: balancer.LoadBalancerArn })).map((each) => ({ ...each, balancer }))));
  return found.flat();
}, (listeners) => start(root, params, listeners));

function start(root, params, listeners) {
  if (!listeners.length) {
    root.replaceChildren(empty(t("try.none"), t("try.none_text"), h("a", { class: "button", href: linkTo("create") }, t("shell.nav.create"))));
    return () => {};
  }

  const whole = (least, most) => (value) => (value !== "" && Number(value) >= least && Number(value) <= most ? "" : t("try.between", { least, most }));
  const numeric = (value, least, most, step) => h("input", { type: "number", value, min: least, max: most, step, required: true });
  const options = listeners.map((each, place) => [String(place), `${each.balancer.LoadBalancerName} – ${each.Protocol}:${each.Port}`]);
  const wanted = listeners.findIndex((each) => each.balancer.LoadBalancerName === params.load_balancer && (!params.port || String(each.Port) === params.port));
  const fields = {
    listener: field({ label: t("try.listener"), input: select(options, String(Math.max(0, wanted))) }),
    method: field({ label: t("try.method"), input: select(METHODS.map((each) => [each, each]), "GET") }),
    path: field({ label: t("try.path"), input: h("input", { value: params.path ?? "/", autocomplete: "off", spellcheck: "false" }), check: (value) => (value.startsWith("/") ? "" : t("try.path_wrong")) }),
    count: field({ label: t("try.count"), input: numeric(20, 1, 1000, 1), check: whole(1, 1000) }),
    rate: field({ label: t("try.rate"), input: numeric(10, 0.1, 200, "any"), check: whole(0.1, 200) }),
    headers: field({ label: t("try.headers"), input: h("textarea", { rows: 1, spellcheck: "false", placeholder: "X-Beta: yes" }), check: (value) => (headersOf(value) ? "" : t("try.headers_wrong")) }),
  };
  const cookies = h("input", { type: "checkbox", id: "try-cookies" });
  const go = button(t("try.send"), send, { primary: true });
  const stop = h("button", { type: "button", disabled: true, onclick: () => abort?.abort() }, t("try.stop"));
  const said = h("p", { class: "soft", role: "status" }, t("try.nothing"));
  const row = h("ol", { class: "answers", "aria-label": t("try.answers") });
  const counts = countTable();
  const last = answerTable();
  root.replaceChildren(h("div", { class: "stack" },
    h("form", { class: "card", onsubmit: (event) => { event.preventDefault(); go.click(); } },
      h("div", { class: "fields" }, Object.values(fields)),
      h("div", { class: "row" }, go, stop, h("label", { class: "row together cookies", for: "try-cookies" }, cookies, h("span", {}, t("try.cookies"))))),
    h("section", { class: "card result" }, h("div", { class: "card-head" }, h("h2", {}, t("try.answers")), said), row,
      h("ul", { class: "row legend", "aria-label": t("live.legend") }, NAMES.slice(0, 5).map((name) => h("li", {}, outcomeMark(name), " ", t(`live.outcome.${name}`)))), counts),
    h("section", { class: "card" }, h("h2", {}, t("try.last", { count: LISTED })), last)));

  let abort = null;
  let answers = [];
  let servers = new Map();
  let drawn = 0;

  async function send() {
    if (!Object.values(fields).map((each) => each.valid()).every(Boolean)) {
      root.querySelector("[aria-invalid]").focus();
      return;
    }
    const { balancer, Port } = listeners[Number(fields.listener.value())];
    const port = Number(Port);
    rememberParams({ load_balancer: balancer.LoadBalancerName, port, path: fields.path.value() });
    const mine = abort = new AbortController();
    answers = [];
    servers = new Map();
    drawn = 0;
    row.replaceChildren();
    put(stop, "disabled", false);
    const asked = Number(fields.count.value());
    const timer = setInterval(() => draw(asked), DRAW_EVERY_MS);
    try {
      await sendRequests({
        load_balancer: balancer.LoadBalancerArn, port, method: fields.method.value(), path: encoded(fields.path.value()),
        headers: headersOf(fields.headers.value()), count: asked, rate: Number(fields.rate.value()), cookies: cookies.checked,
      }, take, mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) toast(error.code === "NoAnswer" ? t("shell.no_answer") : error.message, "bad");
    } finally {
      clearInterval(timer);
      put(stop, "disabled", true);
      if (row.isConnected) {
        draw(asked);
        announce([...servers.values()].map((each) => t("try.said", { server: each.name, count: each.count })).join(", "));
      }
    }
  }

  function take(answer) {
    const name = serverOf(answer);
    if (!servers.has(name)) servers.set(name, { name, place: servers.size, count: 0, took: 0, outcomes: {}, statuses: new Map() });
    const server = servers.get(name);
    const outcome = answer.error ? "cut" : `${Math.floor(answer.status / 100)}xx`;
    server.count++;
    server.took += answer.latency_ms;
    server.outcomes[outcome] = (server.outcomes[outcome] ?? 0) + 1;
    const status = String(answer.status ?? t("try.no_answer"));
    server.statuses.set(status, (server.statuses.get(status) ?? 0) + 1);
    answers.push({ ...answer, server, outcome });
  }

  function draw(asked) {
    if (document.hidden) return;
    row.append(...answers.slice(drawn).map(answerMark));
    drawn = answers.length;
    write(said, t("try.progress", { count: answers.length, asked }));
    counts.draw([...servers.values()].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })).map((each) => ({ ...each, share: each.count / answers.length })));
    last.draw(answers.slice(-LISTED).reverse());
  }

  counts.draw([]);
  last.draw([]);
  return () => abort?.abort();
}

// Who answered: the name that the page gives itself, else the target, else the load balancer.
function serverOf({ title, text, target_id: id, target_port: port, by, error }) {
  const named = /Web Server \d+/.exec(`${title} ${text}`)?.[0];
  if (named) return named;
  if (by === "target") return `${id}:${port}`;
  return t(error ? "try.nobody" : "try.balancer");
}

// Spaces and letters beyond ASCII as a browser's address bar sends them; what is escaped already stays.
const encoded = (path) => path.replace(/[^\x21-\x7e]/gu, encodeURIComponent);

// "Name: value" by line -> object; null where a line is none.
function headersOf(text) {
  const found = text.split("\n").filter((line) => line.trim()).map((line) => /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line));
  return found.every(Boolean) ? Object.fromEntries(found.map(([, name, value]) => [name, value])) : null;
}

const colourOf = (server) => `server-${server.place % COLOURS}`;
// "1" of Web Server 1; of others the place in the order of their first answers.
const shortOf = (server) => /^Web Server (\d+)$/.exec(server.name)?.[1] ?? String.fromCharCode(65 + (server.place % 26));

function answerMark({ number: place, server, outcome, status, latency_ms: took }) {
  const told = t("try.mark", { place, server: server.name, status: String(status ?? t("try.no_answer")), ms: number(took, { maximumSignificantDigits: 3 }) });
  return h("li", { class: `${colourOf(server)} outcome-${outcome}`, title: told }, h("span", { "aria-hidden": "true" }, shortOf(server)), h("span", { class: "hidden" }, told));
}

function countTable() {
  const chip = () => {
    const mark = h("span", { class: "chip", "aria-hidden": "true" });
    const name = h("span");
    return drawn(h("span", { class: "named" }, mark, " ", name), (_, server) => {
      put(mark, "className", `chip ${colourOf(server)}`);
      write(mark, shortOf(server));
      write(name, server.name);
    });
  };
  const statuses = () => drawn(h("ul", { class: "row statuses" }), (list, server) =>
    keyed(list, [...server.statuses], ([status]) => status, () => drawn(h("li"), (item, [status, count]) => write(item, `${status} × ${number(count)}`))));
  const share = () => {
    const bar = shareBar();
    return drawn(h("div", {}, bar), (_, { share: part }) => bar.draw(part));
  };
  const node = table({
    caption: t("try.counts"),
    key: (server) => server.name,
    columns: [
      { label: t("try.server"), head: true, width: "30%", make: chip },
      { label: t("try.answers"), width: "12%", numeric: true, text: (server) => number(server.count), value: (server) => server.count },
      { label: t("try.share"), width: "20%", make: share },
      { label: t("try.statuses"), make: statuses },
      { label: t("try.mean"), width: "14%", numeric: true, text: (server) => t("live.ms", { ms: number(server.took / server.count, { maximumSignificantDigits: 3 }) }) },
    ],
  });
  node.classList.add("fixed");
  return node;
}

function answerTable() {
  const why = () => drawn(h("a"), (link, { trace_id: id }) => {
    write(link, id ? t("try.why") : "");
    put(link, "href", id ? linkTo("requests", { id }) : "");
  });
  const node = table({
    caption: t("try.last", { count: LISTED }),
    key: (answer) => `${answer.number} ${answer.trace_id}`,
    columns: [
      { label: t("try.place"), head: true, width: "5rem", text: (answer) => answer.number },
      { label: t("try.statuses"), width: "6rem", text: (answer) => answer.status ?? t("try.no_answer") },
      { label: t("try.server"), width: "11rem", text: (answer) => answer.server.name },
      { label: t("try.answer"), make: () => lines((answer) => [answer.error ?? (answer.text || answer.title), answer.set_cookies.length ? `Set-Cookie: ${answer.set_cookies.join(", ")}` : ""]) },
      { label: t("try.took"), width: "6.5rem", numeric: true, text: (answer) => t("live.ms", { ms: number(answer.latency_ms, { maximumSignificantDigits: 3 }) }) },
      { label: t("try.explained"), width: "6rem", make: why },
    ],
  });
  node.classList.add("fixed");
  return node;
}
