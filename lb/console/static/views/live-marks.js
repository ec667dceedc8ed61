// The canvas over the map: single marks while an eye can follow them, moving bands above that.
//
// A mark's shape and colour say how the request ended, its size how long it took. Frames are asked for only while something
// moves. Without motion (prefers-reduced-motion) bands stand still, and there are no marks.

import { h } from "../ui.js";
import { NAMES, OUTCOMES } from "./outcomes.js";

// Requests per second: above the first marks become bands, below the second they are marks again.
const BANDS_ABOVE = 40;
const MARKS_BELOW = 25;
const MOST_MARKS = 300;
const SEGMENT_MS = 450;
const FADE_MS = 250;
const STRIPE = 56;
const SPEED = 0.09;

const PATHS = new Map(NAMES.map((name) => [name, new Path2D(OUTCOMES[name].path)]));
export const radiusOf = (ms) => Math.min(9, 2.6 + 1.7 * Math.log10(1 + ms));

// `map` is the resourceMap. take(requests, path, everyMs), flow(rate, ways, path), draw(), pause(isPaused), stop()
export function marks(map) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const canvas = h("canvas", { class: "marks", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  map.append(canvas);
  const colours = {};
  let moving = [];
  let bands = [];
  let asBands = false;
  let frame = 0;
  let paused = false;
  let size = { width: 0, height: 0, ratio: 1 };

  function resize() {
    const { clientWidth: width, clientHeight: height } = map.scroller;
    size = { width, height, ratio: devicePixelRatio };
    canvas.width = Math.round(width * size.ratio);
    canvas.height = Math.round(height * size.ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    readColours();
    draw(performance.now());
  }

  // The theme may change: the style sheet's colours, as the canvas can take them.
  function readColours() {
    for (const [name, { colour }] of Object.entries(OUTCOMES)) {
      canvas.style.color = `var(--${colour})`;
      colours[name] = getComputedStyle(canvas).color;
    }
  }

  const segmentsOf = (keys) => keys.map((key, place) => map.segments.get(`${keys[place - 1] ?? ""}>${key}`)).filter(Boolean);

  function draw(now) {
    const { ratio, width, height } = size;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const left = map.scroller.scrollLeft;
    const top = map.scroller.scrollTop;
    context.translate(-left, -top);
    for (const band of bands) drawBand(band, now);
    context.globalAlpha = 1;
    const kept = [];
    for (const mark of moving) {
      const age = now - mark.start;
      const end = mark.segments.length * SEGMENT_MS;
      if (age > end + FADE_MS) continue;
      kept.push(mark);
      if (age < 0) continue;
      const place = Math.min(mark.segments.length - 1, Math.floor(age / SEGMENT_MS));
      const part = Math.min(1, age / SEGMENT_MS - place);
      const { x1, y1, x2, y2 } = mark.segments[place];
      // The cubic of the line, whose control points are half-way across at the heights of its ends.
      const x = x1 + (x2 - x1) * (1.5 * part * (1 - part) + part ** 3);
      const y = y1 + (y2 - y1) * part * part * (3 - 2 * part);
      context.globalAlpha = age > end ? 1 - (age - end) / FADE_MS : 1;
      context.fillStyle = colours[mark.outcome];
      context.setTransform(mark.radius * ratio, 0, 0, mark.radius * ratio, (x - left) * ratio, (y - top) * ratio);
      context.fill(PATHS.get(mark.outcome));
    }
    moving = kept;
  }

  function drawBand({ segment, rate, outcomes }, now) {
    const { x1, y1, x2, y2 } = segment;
    const middle = (x1 + x2) / 2;
    context.lineWidth = Math.min(14, 2 + 1.5 * Math.log2(1 + rate));
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(middle, y1, middle, y2, x2, y2);
    let from = 0;
    for (const [name, part] of outcomes) {
      const length = (STRIPE * 0.8 * part) / rate;
      context.strokeStyle = colours[name];
      context.globalAlpha = 0.75;
      context.setLineDash([length, STRIPE - length]);
      context.lineDashOffset = -from - (still.matches ? 0 : now * SPEED);
      context.stroke();
      from += length;
    }
    context.setLineDash([]);
  }

  const tick = (now) => {
    frame = 0;
    draw(now);
    wake();
  };

  function wake() {
    const moves = !still.matches && (moving.length || bands.length);
    if (!frame && moves && !paused && !document.hidden) frame = requestAnimationFrame(tick);
  }

  const scrolled = () => { if (!frame) draw(performance.now()); };
  const seen = () => {
    if (document.hidden) moving = [];
    wake();
  };
  document.addEventListener("visibilitychange", seen);
  map.scroller.addEventListener("scroll", scrolled, { passive: true });
  const watcher = new ResizeObserver(resize);
  watcher.observe(map.scroller);

  return {
    isBands: () => asBands,
    // Requests that ended within the last `everyMs`: they set out one after the other. Between bands only errors are marks.
    take(requests, path, everyMs) {
      if (still.matches || paused || document.hidden) return;
      const now = performance.now();
      requests.forEach((request, place) => {
        if (moving.length >= MOST_MARKS) return;
        if (asBands && !/4xx|5xx|cut/.test(request.outcome)) return;
        const segments = segmentsOf(path(request));
        const start = now + (place / requests.length) * everyMs;
        if (segments.length) moving.push({ segments, start, outcome: request.outcome, radius: radiusOf(request.total_ms) });
      });
      wake();
    },
    // The rates of the last seconds: [{ edge, rate, outcomes }].
    flow({ rate, ways }, path) {
      asBands = still.matches ? rate > 0 : rate > (asBands ? MARKS_BELOW : BANDS_ABOVE);
      readColours();
      const found = new Map();
      for (const { edge, outcomes } of asBands ? ways : []) {
        for (const segment of segmentsOf(path(edge))) {
          const sum = found.get(segment) ?? {};
          for (const [name, part] of Object.entries(outcomes)) sum[name] = (sum[name] ?? 0) + part;
          found.set(segment, sum);
        }
      }
      bands = [...found].map(([segment, sum]) => {
        const outcomes = Object.entries(sum).filter(([, part]) => part > 0);
        return { segment, outcomes, rate: outcomes.reduce((all, [, part]) => all + part, 0) };
      });
      if (!frame) draw(performance.now());
      wake();
    },
    // The map has new places: what travels along old ones is dropped.
    moved() {
      moving = [];
      bands = [];
    },
    pause(now) {
      paused = now;
      if (paused) cancelAnimationFrame(frame);
      frame = 0;
      wake();
    },
    stop() {
      cancelAnimationFrame(frame);
      paused = true;
      watcher.disconnect();
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
