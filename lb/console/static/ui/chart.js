// Lines over time. Charts that share a lens are read and zoomed together:
//
//   const lens = chartLens();
//   const node = chart({ title: t("..."), format: (value) => `${value} ms`, time: (ms) => "12:30:05", lens });
//   await Promise.all([style("ui/chart.css"), loadTexts("chart")]); root.append(node);
//   node.draw(times, [{ key: "p50", label: "p50", kind: "good", values: [1.2, null, ...] }]);   // times: ms since 1970, even steps
//
// Pointing, or the arrow keys, read the values at an instant; dragging, or + and -, zoom; Escape or a double click shows all.
// `kind` is a colour of theme.css; each has a pattern of dashes, too. A fold has the same values as a table.

import { t } from "../i18n.js";
import { attribute, drawn, h, keyed, put, svg, write } from "./dom.js";
import { store } from "./store.js";
import { table } from "./table.js";

const W = 1000;
const H = 100;
const TICKS = 5;
const ROWS = 120;
const DRAG_PX = 6;
export const KINDS = ["accent", "drain", "wait", "bad", "good", "off"];

// zoom: null for all, { last: ms } for the newest part, { from, to } in ms. cursor: the instant that is read, in ms, or null.
export const chartLens = () => ({ zoom: store(null), cursor: store(null) });

export function chart({ title, format, time, lens }) {
  let times = [];
  let series = [];
  let first = 0;
  let last = -1;
  let dragged = null;
  const grid = [0, 0.5, 1].map((part) => svg("line", { class: "grid", x2: W, y1: H * part, y2: H * part }));
  const band = svg("rect", { class: "band", height: H, y: 0 });
  const mark = svg("line", { class: "mark", y2: H });
  const paths = svg("g");
  const plot = h("div", { class: "plot", tabindex: "0", role: "slider", "aria-label": title, "aria-valuemin": 0, onkeydown: press,
    onfocus: () => lens.cursor.get() ?? lens.cursor.set(times[last] ?? null), onblur: () => lens.cursor.set(null),
    onpointerdown: begin, onpointermove: move, onpointerup: end, onpointercancel: () => { dragged = null; }, onpointerleave: leave,
    ondblclick: () => lens.zoom.set(null) },
    svg("svg", { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: "none", "aria-hidden": "true" }, grid, band, paths, mark));
  const nothing = h("span", { class: "nothing soft", hidden: true }, t("chart.no_data"));
  const heights = [1, 0.5, 0].map(() => h("span"));
  const ticks = Array.from({ length: TICKS }, () => h("span"));
  const legend = h("ul", { class: "legend row" });
  const at = h("span", { class: "soft small" });
  const rows = h("div", { tabindex: "0", role: "region", "aria-label": title });
  const fold = h("details", { ontoggle: drawTable }, h("summary", { class: "small" }, t("chart.as_table"), h("span", { class: "hidden" }, ` ${title}`)), rows);
  const node = h("section", { class: "card chart", "aria-label": title },
    h("div", { class: "card-head" }, h("h3", {}, title), at), legend,
    h("div", { class: "frame" }, h("div", { class: "heights", "aria-hidden": "true" }, heights), plot, nothing,
      h("div", { class: "ticks", "aria-hidden": "true" }, ticks)), fold);
  const ends = [lens.zoom.subscribe(redraw), lens.cursor.subscribe(drawCursor)];
  node.stop = () => ends.forEach((each) => each());
  node.draw = (nextTimes, nextSeries) => {
    [times, series] = [nextTimes, nextSeries];
    redraw();
  };
  return node;

  function redraw() {
    [first, last] = visible(times, lens.zoom.get());
    const shown = series.map((each) => each.values.slice(first, last + 1));
    const top = ceiling(Math.max(0, ...shown.flat().filter(Number.isFinite)));
    keyed(paths, series, (each) => each.key, makeLine);
    // A line that is zero all the way would only hide the others.
    series.forEach((each, place) => attribute(paths.children[place], "d", series.length > 1 && !shown[place].some(Boolean) ? "" : line(shown[place], top)));
    heights.forEach((label, place) => write(label, format(top * [1, 0.5, 0][place])));
    ticks.forEach((label, place) => write(label, last > first ? time(times[first] + ((times[last] - times[first]) * place) / (TICKS - 1)) : ""));
    keyed(legend, series, (each) => each.key, makeEntry);
    put(nothing, "hidden", shown.some((values) => values.some(Number.isFinite)));
    drawCursor();
    if (fold.open) drawTable();
  }

  function drawCursor() {
    const place = cursorPlace();
    const index = place ?? last;
    put(mark.style, "display", place === null ? "none" : "");
    if (place !== null) ["x1", "x2"].forEach((name) => attribute(mark, name, x(place)));
    write(at, index >= 0 && times.length ? time(times[index]) : "");
    series.forEach((each, which) => write(legend.children[which].shown, told(each.values[index])));
    attribute(plot, "aria-valuemax", Math.max(0, last - first));
    attribute(plot, "aria-valuenow", Math.max(0, index - first));
    attribute(plot, "aria-valuetext", index < 0 ? t("chart.no_data") : [time(times[index]), ...series.map((each) => `${each.label} ${told(each.values[index])}`)].join(", "));
  }

  function drawTable() {
    if (!fold.open) return;
    const shape = series.map((each) => each.key).join("\n");
    if (rows.shape !== shape) {
      rows.shape = shape;
      rows.replaceChildren(table({
        caption: title, key: (place) => times[place],
        columns: [{ label: t("chart.time"), head: true, text: (place) => time(times[place]) },
          ...series.map((each, which) => ({ label: each.label, numeric: true, text: (place) => told(series[which].values[place]) }))],
      }));
    }
    const places = Array.from({ length: Math.min(ROWS, last - first + 1) }, (_, back) => last - back);
    rows.firstChild.draw(places);
  }

  function makeEntry({ kind }) {
    const label = h("span");
    const value = h("b");
    const node = h("li", {}, svg("svg", { class: "swatch", viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("path", { class: `line ${kind}`, d: "M0 4h24" })), label, value);
    node.shown = value;
    return drawn(node, (_, each) => write(label, each.label));
  }

  function told(value) {
    return Number.isFinite(value) ? format(value) : "–";
  }

  function x(place) {
    return last > first ? ((place - first) / (last - first)) * W : W / 2;
  }

  // Where the instant of the cursor is, or null while nothing is read here.
  function cursorPlace() {
    const instant = lens.cursor.get();
    if (instant === null || last < first) return null;
    const place = times.findIndex((each) => each >= instant);
    return place >= first && place <= last ? place : null;
  }

  function line(values, top) {
    let path = "";
    let pen = false;
    values.forEach((value, place) => {
      const has = Number.isFinite(value);
      // A value without neighbours becomes a dot: a line of no length with round ends.
      if (has) path += `${pen ? "L" : "M"}${round(x(first + place))} ${round(H - (value / top) * H)}${pen ? "" : "h0"}`;
      pen = has;
    });
    return path;
  }

  function placeOf(event) {
    const box = plot.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return first + Math.round(part * Math.max(0, last - first));
  }

  function begin(event) {
    if (event.button !== 0 || last < first) return;
    dragged = { place: placeOf(event), x: event.clientX };
    plot.setPointerCapture(event.pointerId);
  }

  function move(event) {
    if (last < first) return;
    const place = placeOf(event);
    lens.cursor.set(times[place]);
    if (!dragged) return;
    const [from, to] = [dragged.place, place].sort((a, b) => a - b).map(x);
    attribute(band, "x", from);
    attribute(band, "width", Math.abs(event.clientX - dragged.x) < DRAG_PX ? 0 : to - from);
  }

  function end(event) {
    const [from, to] = [dragged?.place ?? 0, placeOf(event)].sort((a, b) => a - b);
    const isDrag = dragged && Math.abs(event.clientX - dragged.x) >= DRAG_PX && to > from;
    dragged = null;
    attribute(band, "width", 0);
    if (isDrag) lens.zoom.set({ from: times[from], to: times[to] });
  }

  function leave() {
    if (!dragged && document.activeElement !== plot) lens.cursor.set(null);
  }

  function press(event) {
    if (last < first || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = cursorPlace() ?? last;
    const go = { ArrowLeft: place - 1, ArrowRight: place + 1, PageUp: place - 10, PageDown: place + 10, Home: first, End: last }[event.key];
    const scale = { "+": 0.5, "=": 0.5, "-": 2 }[event.key];
    if (go !== undefined) lens.cursor.set(times[Math.min(last, Math.max(first, go))]);
    else if (scale) zoomAround(place, scale);
    else if (event.key === "Escape") lens.zoom.set(null);
    else return;
    event.preventDefault();
  }

  function zoomAround(place, scale) {
    const half = Math.max(2, Math.round(((last - first) * scale) / 2));
    const [from, to] = [Math.max(0, place - half), Math.min(times.length - 1, place + half)];
    lens.zoom.set(from === 0 && to === times.length - 1 ? null : { from: times[from], to: times[to] });
  }
}

const makeLine = ({ kind }) => drawn(svg("path", { class: `line ${kind}` }), () => {});
const round = (value) => Math.round(value * 10) / 10;

// The first and the last place that a zoom shows.
function visible(times, zoom) {
  const end = times.length - 1;
  if (!zoom || end < 0) return [0, end];
  const [from, to] = zoom.last ? [times[end] - zoom.last, times[end]] : [zoom.from, zoom.to];
  const first = times.findIndex((each) => each >= from);
  const last = times.findLastIndex((each) => each <= to);
  return first < 0 || last < first ? [0, end] : [first, last];
}

// The next round number above: 1, 2, 4, 5 or 10 times a power of ten.
function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].find((each) => each * power >= value) * power;
}
