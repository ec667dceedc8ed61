// How a request ended, as a shape with a colour: the same on the map, in lists and in the legend.

import { h, put, svg } from "../ui.js";

// A path around (0, 0) that reaches to about 1 in each direction, and the colour of theme.css.
export const OUTCOMES = {
  "2xx": { path: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z", colour: "good" },
  "3xx": { path: "M-.8-1L1.1 0L-.8 1Z", colour: "wait" },
  "4xx": { path: "M0-1.2L1.2 0L0 1.2L-1.2 0Z", colour: "drain" },
  "5xx": { path: "M-.95-.95H.95V.95H-.95Z", colour: "bad" },
  cut: { path: "M-1-.5L-.5-1L0-.5L.5-1L1-.5L.5 0L1 .5L.5 1L0 .5L-.5 1L-1 .5L-.5 0Z", colour: "bad" },
  "1xx": { path: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0ZM.5 0A.5 .5 0 1 0-.5 0A.5 .5 0 1 0 .5 0Z", colour: "accent" },
};
export const NAMES = Object.keys(OUTCOMES);

// A node with draw(outcome): the mark alone, for beside words.
export function outcomeMark(initial, size = 12) {
  const path = svg("path");
  const node = svg("svg", { viewBox: "-1.3 -1.3 2.6 2.6", width: size, height: size, "aria-hidden": "true", fill: "currentColor" }, path);
  node.draw = (name) => {
    const { path: shape, colour } = OUTCOMES[name] ?? OUTCOMES.cut;
    if (path.getAttribute("d") === shape) return;
    path.setAttribute("d", shape);
    put(node.style, "color", `var(--${colour})`);
  };
  if (initial) node.draw(initial);
  return node;
}

// A bar of so much of the whole (0 to 1), for beside a number. Node with draw(part).
export function shareBar(props = {}) {
  const part = h("span");
  const node = h("span", { class: "share", "aria-hidden": "true", ...props }, part);
  node.draw = (share) => put(part.style, "width", `${Math.round(share * 1000) / 10}%`);
  return node;
}
