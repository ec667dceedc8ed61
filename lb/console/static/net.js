// Every request of the console goes through `ask`, which also knows whether the balancer answers at all.

import { store } from "./ui/store.js";

const GIVE_UP_MS = 30_000;

// What the header shows: { answers: true | false | null before the first answer, at: Date of the last answer | null }.
export const connection = store({ answers: null, at: null });

// The balancer did not answer: it has ended, or it hangs.
export class NoAnswerError extends Error {
  constructor() {
    super("no answer");
    this.name = "NoAnswerError";
    this.code = "NoAnswer";
  }
}

// fetch() of a path of this origin -> { status, ok, text }. Throws NoAnswerError.
export async function ask(path, options = {}) {
  try {
    const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(GIVE_UP_MS), ...options });
    const text = await response.text();
    connection.set({ answers: true, at: new Date() });
    return { status: response.status, ok: response.ok, text };
  } catch {
    connection.set({ answers: false, at: connection.get().at });
    throw new NoAnswerError();
  }
}
