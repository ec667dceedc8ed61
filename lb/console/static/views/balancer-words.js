// Conditions and actions of rules in words, and the forms they have in the API.

import { listOf } from "../aws.js";
import { number, t } from "../i18n.js";

export const CONDITIONS = {
  "path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig", "http-header": "HttpHeaderConfig",
  "http-request-method": "HttpRequestMethodConfig", "query-string": "QueryStringConfig", "source-ip": "SourceIpConfig",
};
export const groupName = (arn) => arn.split("/")[1];

// Values of a condition as lines of text; of a query string "key=value", and "=value" where a value itself has a "=".
export function valuesOf(condition) {
  const config = condition[CONDITIONS[condition.Field]] ?? condition;
  const pair = ({ Key = "", Value = "" }) => (Key || Value.includes("=") ? `${Key}=${Value}` : Value);
  const values = listOf(config.Values).map((value) => (typeof value === "string" ? value : pair(value)));
  return { values, regexes: listOf(config.RegexValues), header: config.HttpHeaderName };
}

export function conditionText(condition) {
  const { values, regexes, header } = valuesOf(condition);
  const name = t(`balancer.field.${condition.Field}`);
  return `${header ? `${name} ${header}` : name}: ${[...values, ...regexes.map((each) => `/${each}/`)].join(t("balancer.or"))}`;
}

// The groups of a forward action with their share of it: [{ arn, weight, share }], share from 0 to 1.
export function groupsOf(action) {
  const groups = listOf(action.ForwardConfig?.TargetGroups).map((each) => ({ arn: each.TargetGroupArn, weight: Number(each.Weight ?? 1) }));
  if (!groups.length && action.TargetGroupArn) groups.push({ arn: action.TargetGroupArn, weight: 1 });
  const sum = groups.reduce((all, { weight }) => all + weight, 0);
  return groups.map((each) => ({ ...each, share: sum ? each.weight / sum : 0 }));
}

const percent = (share) => number(share, { style: "percent", maximumFractionDigits: 1 });

export function actionText(action) {
  if (action.Type === "forward") {
    const groups = groupsOf(action);
    const named = groups.map(({ arn, share }) => (groups.length > 1 ? `${groupName(arn)} ${percent(share)}` : groupName(arn)));
    const sticky = action.ForwardConfig?.TargetGroupStickinessConfig?.Enabled === "true" ? `, ${t("balancer.sticky")}` : "";
    return t("balancer.forward_to", { groups: named.join(", ") }) + sticky;
  }
  if (action.Type === "redirect") {
    const { Protocol, Host, Port, Path, Query, StatusCode } = action.RedirectConfig;
    return t("balancer.redirect_to", { url: `${Protocol}://${Host}:${Port}${Path}?${Query}`, status: StatusCode.slice(5) });
  }
  if (action.Type === "fixed-response") return t("balancer.answer_with", { status: action.FixedResponseConfig.StatusCode });
  return action.Type;
}

export const actionsText = (actions) => actions.map(actionText).join(" → ");
export const routingOf = (actions) => actions[actions.length - 1];
