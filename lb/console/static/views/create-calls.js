// The calls that make a load balancer: carried out one after the other, and written as a script of the AWS CLI.
//
// A call is { service, action, shown, keep?, query?, value? }: `shown` are its parameters as the CLI has them, `keep` is the
// variable that holds what `query` finds in the answer, `value` what it was here. One still to be made has `params` for the
// API and `take(answer)`, which finds the value; ref("NAME") in its parameters stands for what an earlier call has kept.

import { elbv2 } from "../aws.js";

export const ref = (name) => ({ ref: name });

// Carries out a call; `known` are the values by variable.
export async function carryOut(call, known) {
  const answer = await elbv2(call.action, filled(call.params, known));
  if (call.keep) known.set(call.keep, call.take(answer));
}

function filled(value, known) {
  if (value?.ref) return known.get(value.ref);
  if (Array.isArray(value)) return value.map((each) => filled(each, known));
  if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filled(each, known)]));
  return value;
}

// A script for bash. What an earlier call has made is named by its variable, so that it runs anywhere.
export function script(calls) {
  const names = new Map(calls.filter(({ keep, value }) => keep && value).map(({ keep, value }) => [value, keep]));
  return calls.map((call) => {
    const given = Object.entries(call.shown ?? call.params).filter(([, value]) => value !== undefined);
    const options = given.map(([key, value]) => `--${kebab(key)} ${written(value, names)}`);
    const verb = call.action.includes(" ") ? call.action : kebab(call.action);
    const command = [`aws ${call.service} ${verb}`, ...options];
    if (!call.keep) return command.join(" \\\n  ");
    return `${call.keep}=$(${[...command, `--query '${call.query}' --output text`].join(" \\\n  ")})`;
  }).join("\n\n");
}

const kebab = (name) => name.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();

// A list is written with spaces between, what is in it as JSON or in the CLI's short form: Key=value,Key=value.
function written(value, names) {
  if (Array.isArray(value)) return value.map((each) => written(each, names)).join(" ");
  if (value?.ref || typeof value !== "object") return word(value, names);
  const entries = Object.entries(value);
  const isPlain = entries.every(([, each]) => each.ref || (typeof each !== "object" && !/[,='"\s[\]{}]/.test(each) && String(each)));
  return isPlain ? entries.map(([key, each]) => `${key}=${word(each, names)}`).join(",") : quoted(JSON.stringify(value));
}

function word(value, names) {
  const variable = value?.ref ?? names.get(value);
  return variable ? `"$${variable}"` : quoted(String(value));
}

const quoted = (text) => (/^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
