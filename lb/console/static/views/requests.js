// Requests: a live tail with filters; a choice opens the walk of one of them (`lb why`) as a card over its right side.

import { elbv2All } from "../aws.js";
import { clock, loadTexts, number, t } from "../i18n.js";
import { events, get, why } from "../local.js";
import { rememberParams } from "../router.js";
import { announce, attribute, drawn, errorCard, field, h, put, select, skeleton, style, table, toast, write } from "../ui.js";
import { opening } from "./opening.js";
import { outcomeMark } from "./outcomes.js";
import { walkCard } from "./requests-walk.js";

const MOST_ROWS = 100;
// So many a second can be read at all; the stream says how many there were.
const PER_SECOND = 20;
const DRAW_EVERY_MS = 250;
const TYPED_MS = 300;
const FILTERS = ["status", "load_balancer", "target_group", "text"];
const STATUSES = ["2xx", "3xx", "4xx", "5xx", "error"];

export const title = () => t("requests.title");

export const render = (root, params) => opening(root, () => Promise.all([
  elbv2All("DescribeLoadBalancers", "LoadBalancers"), elbv2All("DescribeTargetGroups", "TargetGroups"), style("views/requests.css"), loadTexts("live"),
]), (loaded) => start(root, params, loaded));

function start(root, params, [balancers, groups]) {
  const chosen = Object.fromEntries(FILTERS.map((name) => [name, params[name] || undefined]));
  let kept = [];
  let told = 0;
  let changed = false;
  let paused = false;
  let round = 0;
  let typing = 0;
  let openedBy = null;
  let unfollow = () => {};

  const rows = requestTable((request, button) => open(idOf(request), button));
  const count = h("p", { class: "soft", role: "status" });
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: () => setPaused(!paused) }, t("requests.pause"));
  const aside = h("div", { class: "aside", hidden: true, onkeydown: (event) => event.key === "Escape" && close() });
  const none = h("p", { class: "empty" }, t("requests.none"));
  const choice = (name, label, options) => field({ label, input: select([["", t("requests.all")], ...options], params[name] ?? "", { onchange: (event) => filter(name, event.target.value) }) });
  const text = h("input", { type: "search", value: params.text ?? "", placeholder: t("requests.text_hint"), autocomplete: "off", spellcheck: "false", oninput: () => {
    clearTimeout(typing);
    typing = setTimeout(() => filter("text", text.value.trim()), TYPED_MS);
  } });
  const names = (items, key) => items.map((each) => [each[key], each[key]]);
  root.replaceChildren(h("div", { class: "stack" },
    h("form", { class: "card filters", role: "search", onsubmit: (event) => event.preventDefault() },
      choice("status", t("requests.status"), STATUSES.map((each) => [each, t(`requests.status.${each}`)])),
      choice("load_balancer", t("requests.load_balancer"), names(balancers, "LoadBalancerName")),
      choice("target_group", t("requests.target_group"), names(groups, "TargetGroupName")),
      field({ label: t("requests.text"), input: text }), pause),
    h("section", { class: "card tail", "aria-label": t("requests.title") }, count, rows, none), aside));

  function filter(name, value) {
    chosen[name] = value || undefined;
    // An empty value takes it out of the address.
    rememberParams({ [name]: value || null });
    follow();
  }

  // Begins anew: what has ended already, and from then on what ends.
  function follow() {
    const mine = ++round;
    unfollow();
    kept = [];
    told = 0;
    changed = true;
    // What ends while the list is asked for; null when it is there.
    let waiting = null;
    const filters = { ...chosen, limit: PER_SECOND };
    const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== undefined));
    const take = (event) => {
      if (mine !== round) return;
      // The stream begins, or again after an interruption: what ended before that is in the list only.
      if (event.type === "hello") list();
      if (event.type !== "batch") return;
      told += event.count;
      if (waiting) waiting.push(...event.requests);
      else add(event.requests);
    };

    async function list() {
      const fresh = waiting = [];
      let past = kept;
      try {
        past = (await get("requests", { ...chosen, limit: MOST_ROWS })).requests;
      } catch (error) {
        if (mine === round) toast(error.message, "bad");
      }
      if (mine !== round || fresh !== waiting) return;
      waiting = null;
      kept = past;
      add(fresh);
    }

    list();
    if (!paused) unfollow = events(`requests/stream?${query}`, take);
  }

  // What ended just before the list was made is in the list, and comes with the stream too.
  function add(requests) {
    const known = new Set(kept.map(keyOf));
    const fresh = requests.filter((each) => !known.has(keyOf(each)));
    kept = [...fresh.reverse(), ...kept].slice(0, MOST_ROWS);
    changed = true;
  }

  function draw() {
    if (!changed || document.hidden) return;
    changed = false;
    rows.draw(kept);
    put(rows, "hidden", !kept.length);
    put(none, "hidden", kept.length > 0);
    write(count, paused ? t("requests.paused") : t("requests.count", { shown: kept.length, told }));
  }

  function setPaused(wanted) {
    paused = wanted;
    attribute(pause, "aria-pressed", String(paused));
    if (paused) {
      round++;
      unfollow();
      changed = true;
      draw();
    } else follow();
  }

  async function open(id, opener) {
    rememberParams({ id });
    put(aside, "hidden", false);
    aside.replaceChildren(skeleton("20rem"));
    openedBy = opener;
    let card;
    try {
      const { requests } = await why(id);
      card = walkCard(requests[0], groups, close);
    } catch (error) {
      card = errorCard(error, () => open(id, opener));
      card.append(h("button", { type: "button", onclick: close }, t("shell.close")));
    }
    aside.replaceChildren(card);
    const heading = card.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus();
    announce(heading.textContent);
  }

  function close() {
    rememberParams({ id: null });
    put(aside, "hidden", true);
    aside.replaceChildren();
    // The row may have gone meanwhile.
    (openedBy?.isConnected ? openedBy : pause).focus();
  }

  follow();
  draw();
  const timer = setInterval(draw, DRAW_EVERY_MS);
  if (params.id) open(params.id, null);
  return () => {
    round++;
    unfollow();
    clearInterval(timer);
    clearTimeout(typing);
  };
}

const idOf = (request) => request.trace_id ?? request.connection_id;
const keyOf = (request) => `${request.trace_id} ${request.connection_id} ${request.at_s}`;

function requestTable(open) {
  const node = table({
    caption: t("requests.title"),
    key: keyOf,
    columns: [
      { label: t("requests.time"), head: true, width: "6.5rem", make: () => {
        const link = h("button", { type: "button", class: "plain open", onclick: (event) => { event.stopPropagation(); open(link.request, link); } });
        return drawn(link, (_, each) => {
          link.request = each;
          write(link, clock(new Date(each.at_s * 1000)));
          attribute(link, "aria-label", t("requests.open", { time: link.textContent, what: whatOf(each) }));
        });
      } },
      { label: t("requests.status"), width: "5rem", make: makeStatus },
      { label: t("requests.what"), make: () => drawn(h("code", { class: "what" }), (code, each) => { write(code, whatOf(each)); attribute(code, "title", each.host); }) },
      { label: t("requests.rule"), width: "6rem", text: (each) => each.rule ?? "–" },
      { label: t("requests.target"), width: "12rem", text: targetOf },
      { label: t("requests.took"), width: "6rem", numeric: true, text: (each) => t("live.ms", { ms: number(each.total_ms, { maximumSignificantDigits: 3 }) }) },
    ],
    rowProps: () => ({ onclick: (event) => event.currentTarget.querySelector(".open").click() }),
  });
  node.classList.add("fixed");
  return node;
}

const whatOf = (request) => (request.method ? `${request.method} ${request.path}` : t("requests.unreadable"));

function targetOf(request) {
  if (!request.target) return t(request.target_group ? "requests.no_target" : "requests.itself");
  const name = request.target_id.includes(":") ? `[${request.target_id}]` : request.target_id;
  return `${name}:${request.target_port}`;
}

function makeStatus() {
  const mark = outcomeMark();
  const word = h("span");
  return drawn(h("span", { class: "status" }, mark, " ", word), (_, each) => {
    mark.draw(each.outcome);
    write(word, each.outcome === "cut" ? `${each.status} ${t("live.cut")}` : each.status);
  });
}
