// A view that needs something before it can draw: its place is kept meanwhile, and a failure becomes a card.

import { errorCard, skeleton } from "../ui.js";

// `load()` gets what is needed, `start(loaded)` draws into `root` and returns its cleanup. Returns the view's cleanup, which
// also holds while it is loading.
export function opening(root, load, start) {
  let cleanup = null;
  let left = false;
  async function open() {
    root.replaceChildren(skeleton("40rem"));
    try {
      const loaded = await load();
      if (!left) cleanup = start(loaded);
    } catch (error) {
      if (!left) root.replaceChildren(errorCard(error, open));
    }
  }
  open();
  return () => {
    left = true;
    cleanup?.();
  };
}
