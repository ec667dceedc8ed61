// Elements, and changing them in place. Text is only ever set as text: nothing from a target or a request becomes markup.

const SVG = "http://www.w3.org/2000/svg";

// h("a", { class: "soft", href, onclick, "aria-label": text, style: { width: "1rem" } }, "text", node, [more], null)
// Properties that start with "on" are listeners; false, null and undefined are left out; true is an empty attribute.
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

// The same for SVG: svg("circle", { r: 3 })
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) node.style.setProperty(key, each);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Writes only what has changed: nothing flickers, a selection stays, and screen readers are left in peace.
export function put(node, property, value) {
  if (node[property] !== value) node[property] = value;
}
export const write = (node, text) => put(node, "textContent", String(text ?? ""));

export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
}

// One child of `parent` per item, found again by its key, in the order of the items. `make(item)` returns a node with a
// method `draw(item)`, which is called now and on every later round. `parent` holds nothing else.
export function keyed(parent, items, keyOf, make) {
  const known = (parent.known ??= new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, node] of known) {
    if (wanted.has(key)) continue;
    node.remove();
    known.delete(key);
  }
  items.forEach((item, place) => {
    const key = keyOf(item);
    if (!known.has(key)) known.set(key, make(item));
    const node = known.get(key);
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
    node.draw(item);
  });
}

// A node with a `draw` for `keyed`: drawn(h("li"), (node, item) => write(node, item.name))
export function drawn(node, draw) {
  node.draw = (item) => draw(node, item);
  return node;
}

// Loads a view's own style sheet, once: await style("views/live.css") before drawing, so that nothing moves.
export function style(path) {
  const href = `console/${path}`;
  if (document.head.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`${path} is missing`));
    document.head.append(h("link", { rel: "stylesheet", href, onload: resolve, onerror: fail }));
  });
}
