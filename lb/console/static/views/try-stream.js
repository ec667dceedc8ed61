// POST /_lb/try, whose answer goes on while requests are answered: one event for each.

import { language } from "../i18n.js";
import { LocalError } from "../local.js";
import { NoAnswerError } from "../net.js";

// Sends what docs/local-api.md names; `take` gets each answer. Ends with the last one, or by `signal`. Throws LocalError,
// NoAnswerError, AbortError.
export async function sendRequests(order, take, signal) {
  let response;
  try {
    response = await fetch(`/_lb/try?lang=${language()}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(order), signal });
  } catch (error) {
    throw signal.aborted ? error : new NoAnswerError();
  }
  if (!response.ok) {
    const { error } = await response.json();
    throw new LocalError(error.code, error.message, response.status);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events.map((each) => JSON.parse(each.slice("data: ".length)))) if (event.type === "answer") take(event);
  }
}
