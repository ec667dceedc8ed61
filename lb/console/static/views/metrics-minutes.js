// CloudWatch's metrics of the last three hours, minute by minute (GetMetricData).

import { cloudwatch, listOf } from "../aws.js";
import { language, number, t } from "../i18n.js";
import { KINDS, chart } from "../ui/chart.js";
import { errorCard, h, poll } from "../ui.js";

const EVERY_MS = 10_000;
const MINUTE_MS = 60_000;
const KEPT = 180;

const count = (value) => number(value, { maximumFractionDigits: 1 });
const ms = (value) => `${number(value * 1000, { maximumFractionDigits: value < 0.01 ? 1 : 0 })} ms`;
const bytes = (value) => number(value, { notation: "compact", maximumFractionDigits: 1 });

// [name, format, [[metric, statistic, colour]], where]: "balancer" for those that target groups have not, "hosts" for one line
// per target group.
const CHARTS = [
  ["RequestCount", count, [["RequestCount", "Sum", "accent"]]],
  ["target_codes", count, [2, 3, 4, 5].map((each, place) => [`HTTPCode_Target_${each}XX_Count`, "Sum", ["good", "wait", "drain", "bad"][place]])],
  ["elb_codes", count, [["HTTPCode_ELB_4XX_Count", "Sum", "drain"], ["HTTPCode_ELB_5XX_Count", "Sum", "bad"], ["HTTPCode_ELB_502_Count", "Sum", "wait"], ["HTTPCode_ELB_503_Count", "Sum", "accent"], ["HTTPCode_ELB_504_Count", "Sum", "off"]], "balancer"],
  ["TargetResponseTime", ms, [["TargetResponseTime", "Average", "accent"], ["TargetResponseTime", "p50", "good"], ["TargetResponseTime", "p99", "drain"]]],
  ["HealthyHostCount", count, [["HealthyHostCount", "Minimum"]], "hosts"],
  ["UnHealthyHostCount", count, [["UnHealthyHostCount", "Maximum"]], "hosts"],
  ["connections", count, [["ActiveConnectionCount", "Sum", "accent"], ["NewConnectionCount", "Sum", "wait"], ["RejectedConnectionCount", "Sum", "bad"]], "balancer"],
  ["TargetConnectionErrorCount", count, [["TargetConnectionErrorCount", "Sum", "bad"]]],
  ["ProcessedBytes", bytes, [["ProcessedBytes", "Sum", "accent"]], "balancer"],
];

export function minutes(panel, scope, lens) {
  const time = (at) => new Date(at).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit", hour12: false });
  const titleOf = (name) => (/^[A-Z]/.test(name) ? name : t(`metrics.${name}`));
  const charts = CHARTS.map(([name, format]) => chart({ title: titleOf(name), format, time, lens }));
  const all = h("div", { class: "charts" }, charts);
  panel.append(all);
  const stop = poll(async () => {
    const here = scope.get();
    const end = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const times = Array.from({ length: KEPT }, (_, place) => end - (KEPT - 1 - place) * MINUTE_MS);
    const lines = CHARTS.flatMap((each, place) => linesOf(each, here).map((line) => ({ ...line, place })));
    const found = await ask(lines, times, here.balancer);
    if (here !== scope.get()) return stop.now();
    if (all.parentNode !== panel) panel.replaceChildren(all);
    charts.forEach((node, place) => {
      node.hidden = CHARTS[place][3] === "balancer" && Boolean(here.group);
      node.draw(times, lines.map((line, id) => ({ ...line, values: found[id] })).filter((line) => line.place === place));
    });
  }, EVERY_MS, (error) => {
    if (error.code !== "NoAnswer") panel.replaceChildren(errorCard(error, () => stop.now()));
  });
  const unsubscribe = scope.subscribe(({ same }) => same || stop.now());
  return () => {
    stop();
    unsubscribe();
    charts.forEach((each) => each.stop());
  };
}

// The lines of a chart: { key, label, kind, metric, statistic, group }.
function linesOf([, , lines, where], { group, groups }) {
  if (where === "balancer" && group) return [];
  if (where === "hosts") {
    const [[metric, statistic]] = lines;
    return (group ? [group] : groups).slice(0, KINDS.length).map((each, place) => (
      { key: each.TargetGroupArn, label: each.TargetGroupName, kind: KINDS[place], metric, statistic, group: each }));
  }
  return lines.map(([metric, statistic, kind]) => ({ key: `${metric} ${statistic}`, label: lines.length > 1 ? shortOf(metric, statistic) : statistic, kind, metric, statistic, group }));
}

const shortOf = (metric, statistic) => (metric === "TargetResponseTime" ? statistic : metric.replace(/^HTTPCode_(\w+?)_(\w+)_Count$/, "$2").replace(/(Connection)?Count$/, ""));

// Of each line, its values at these times; NaN where CloudWatch has none.
async function ask(lines, times, balancer) {
  const answer = await cloudwatch("GetMetricData", {
    StartTime: new Date(times[0]).toISOString(), EndTime: new Date(times.at(-1) + MINUTE_MS).toISOString(),
    MetricDataQueries: lines.map(({ metric, statistic, group }, id) => ({
      Id: `m${id}`,
      MetricStat: { Metric: { Namespace: "AWS/ApplicationELB", MetricName: metric, Dimensions: dimensions(balancer, group) }, Period: 60, Stat: statistic },
    })),
  });
  const found = new Map(listOf(answer.MetricDataResults).map((each) => [each.Id, each]));
  return lines.map((_, id) => {
    const { Timestamps, Values } = found.get(`m${id}`) ?? {};
    const values = listOf(Values);
    const at = new Map(listOf(Timestamps).map((each, place) => [Date.parse(each), Number(values[place])]));
    return times.map((each) => at.get(each) ?? NaN);
  });
}

// "app/web/0123" and "targetgroup/web-servers/4567": the ends of the ARNs.
const dimensions = (balancer, group) => [
  { Name: "LoadBalancer", Value: balancer.LoadBalancerArn.split(":loadbalancer/")[1] },
  ...(group ? [{ Name: "TargetGroup", Value: group.TargetGroupArn.split(":").pop() }] : []),
];
