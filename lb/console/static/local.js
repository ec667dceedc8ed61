// The balancer's own JSON API: what AWS has no call for. Each function is one documented route below /_lb/.

import { language } from "./i18n.js";
import { ask } from "./net.js";

// What the API refused: its code, such as "no-request", and a sentence for people.
export class LocalError extends Error {
  constructor(code, message, status) {
    super(message);
    this.name = "LocalError";
    this.code = code;
    this.status = status;
  }
}

// get("why", { id }) -> the JSON of GET /_lb/why?id=...; parameters that are undefined are left out.
export function get(route, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(given).toString();
  return call(`/_lb/${route}${query && `?${query}`}`);
}

// post("servers/1/stop"), post("faults", { ... }) -> the JSON of the answer
export function post(route, body) {
  const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return call(`/_lb/${route}`, { method: "POST", ...(body === undefined ? {} : json) });
}

// Those that tell in sentences tell them in the page's language.
export const status = () => get("status", { lang: language() });
export const targetHealth = () => get("targets/health", { lang: language() });
export const why = (id) => get("why", { id, lang: language() });

// Server-sent events of GET /_lb/ROUTE: `take` gets each event's JSON. Ends while the page is hidden, for it costs the
// balancer something; comes back by itself. Returns a function that ends it for good.
export function events(route, take) {
  let source = null;
  const follow = () => {
    source?.close();
    source = null;
    if (document.hidden) return;
    source = new EventSource(`/_lb/${route}`);
    source.onmessage = (event) => take(JSON.parse(event.data));
  };
  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    source?.close();
  };
}

async function call(path, options) {
  const { ok, status, text } = await ask(path, options);
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    throw new LocalError("bad-answer", `${path} answered ${status} without JSON.`, status);
  }
  if (ok) return answer;
  const { code = "refused", message = `${path} answered ${status}.` } = answer?.error ?? {};
  throw new LocalError(code, message, status);
}
