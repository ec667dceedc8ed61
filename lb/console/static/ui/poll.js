// Asks again and again while the page is looked at: const stop = poll(async () => draw(await status()), 1000, onError).
//
// `work` never runs twice at once, and waits `everyMs` after each end. A hidden page asks for nothing. After an error, which
// `onError` gets, it goes on: the balancer may come back. `stop()` ends it; a view calls it in its cleanup. `stop.now()` asks
// at once, after a change that should be seen.

export function poll(work, everyMs, onError = () => {}) {
  let timer = 0;
  let busy = false;
  let again = false;
  let ended = false;

  async function tick() {
    if (ended) return;
    if (busy) {
      again = true;
      return;
    }
    clearTimeout(timer);
    busy = true;
    try {
      await work();
    } catch (error) {
      if (!ended) onError(error);
    }
    busy = false;
    if (ended || document.hidden) return;
    timer = setTimeout(tick, again ? 0 : everyMs);
    again = false;
  }

  const seen = () => (document.hidden ? clearTimeout(timer) : tick());
  document.addEventListener("visibilitychange", seen);
  tick();

  const stop = () => {
    ended = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
  stop.now = tick;
  return stop;
}
