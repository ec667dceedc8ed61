// The address after "#" chooses the view: #/overview, #/balancer?name=web&tab=rules. Going somewhere is a plain link.
//
// On each change the old view's cleanup runs, the new view is rendered into a fresh element, the focus moves to its heading.

import { loadTexts } from "./i18n.js";
import { h } from "./ui/dom.js";
import { announce, errorCard, skeleton } from "./ui/feedback.js";
import { views } from "./views.js";

const START = "overview";

export const linkTo = (view, params = {}) => {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== null);
  const query = new URLSearchParams(given).toString();
  return `#/${view}${query && `?${query}`}`;
};

// Where we are: { view, params }. Throws nothing: an unknown name is the start page.
export function place() {
  const [, name, query] = /^#\/([\w-]*)\??(.*)$/.exec(location.hash) ?? [];
  const known = views.some((view) => view.name === name);
  return { view: known ? name : START, params: known ? Object.fromEntries(new URLSearchParams(query)) : {} };
}

// Changes parameters of the present view in the address bar only: a tab, a filter. Nothing is rendered again.
export function rememberParams(params) {
  const here = place();
  history.replaceState(null, "", linkTo(here.view, { ...here.params, ...params }));
}

export function startRouter({ heading, root, changed }) {
  let cleanup = null;
  let visit = 0;

  async function show({ focus }) {
    const mine = ++visit;
    cleanup?.();
    cleanup = null;
    const { view, params } = place();
    changed(view);
    const waiting = skeleton("24rem");
    // Only what takes long is said to be loading: else the page would flicker.
    // Nor may one that was left meanwhile take the place of the one that is there.
    const late = setTimeout(() => { if (mine === visit) root.replaceChildren(waiting); }, 150);
    try {
      const [module] = await Promise.all([import(`./views/${view}.js`), loadTexts(view)]);
      if (mine !== visit) return;
      const title = module.title(params);
      heading.textContent = title;
      document.title = `${title} - lb`;
      const element = h("div", { class: `view view-${view}` });
      clearTimeout(late);
      root.replaceChildren(element);
      const stop = await module.render(element, params);
      if (mine === visit) cleanup = stop;
      else stop?.();
    } catch (error) {
      if (mine === visit) root.replaceChildren(errorCard(error, () => show({ focus: true })));
    } finally {
      clearTimeout(late);
    }
    if (mine !== visit || !focus) return;
    heading.focus();
    announce(heading.textContent);
  }

  addEventListener("hashchange", () => {
    // The skip link's target is not a view.
    if (location.hash.startsWith("#/") || location.hash === "") show({ focus: true });
  });
  show({ focus: false });
  return () => show({ focus: false });
}
