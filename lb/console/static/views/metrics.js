// Charts of what the load balancer counts: per second for the last minutes, and CloudWatch's metrics per minute.

import { elbv2All, listOf } from "../aws.js";
import { loadTexts, number, t } from "../i18n.js";
import { linkTo, rememberParams } from "../router.js";
import { chartLens } from "../ui/chart.js";
import { button, empty, errorCard, h, labelled, offer, poll, put, select, skeleton, store, style, tabs } from "../ui.js";
import { minutes } from "./metrics-minutes.js";
import { seconds } from "./metrics-seconds.js";

const EVERY_MS = 10_000;
// Of each tab: [the newest so many seconds, "" for all; how many; of what]. The first one is chosen at first.
const RANGES = {
  seconds: [["", 5, "minute"], ["120", 2, "minute"], ["60", 1, "minute"]],
  minutes: [["3600", 1, "hour"], ["900", 15, "minute"], ["", 3, "hour"]],
};

export const title = () => t("metrics.title");

export async function render(root, params) {
  await Promise.all([style("ui/chart.css"), style("views/metrics.css"), loadTexts("chart")]);
  // { balancer, group }: as the AWS API describes them; no group: the whole load balancer.
  const scope = store(null);
  const lens = chartLens();
  const wanted = { balancer: params.balancer, group: params.group };
  let known = { balancers: [], groups: [] };
  let page = null;

  const balancers = h("select", { id: "balancer", onchange: () => choose({ balancer: balancers.value, group: "" }) });
  const groups = h("select", { id: "group", onchange: () => choose({ group: groups.value }) });
  const range = h("select", { id: "range", onchange: () => zoomTo(range.value) });
  const all = button(t("metrics.show_all"), () => lens.zoom.set(null));
  lens.zoom.subscribe((zoom) => {
    put(range, "value", zoom === null ? "" : zoom.last ? String(zoom.last / 1000) : "part");
    put(all, "disabled", zoom === null);
  });
  const panels = ["seconds", "minutes"].map((id) => ({ id, label: t(`metrics.${id}`), render: (panel) => open(id, panel) }));

  root.append(skeleton("40rem"));
  const stop = poll(async () => {
    const [found, foundGroups] = await Promise.all([
      elbv2All("DescribeLoadBalancers", "LoadBalancers"), elbv2All("DescribeTargetGroups", "TargetGroups")]);
    known = { balancers: found, groups: foundGroups };
    if (!found.length) {
      page?.stop();
      page = null;
      return root.replaceChildren(empty(t("metrics.empty"), t("metrics.empty_text"), h("a", { class: "button", href: linkTo("create") }, t("shell.nav.create"))));
    }
    choose({});
    if (page?.parentNode === root) return;
    page = tabs(panels, params.tab, (tab) => rememberParams({ tab }));
    root.replaceChildren(h("div", { class: "row tools" },
      labelled(t("metrics.load_balancer"), balancers), labelled(t("metrics.target_group"), groups), labelled(t("metrics.range"), range), all), h("p", { class: "soft small" }, t("metrics.keys")), page);
  }, EVERY_MS, (error) => {
    if (page?.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return () => {
    stop();
    page?.stop();
  };

  function open(id, panel) {
    range.replaceChildren(...select([...RANGES[id].map(([value, count, unit]) => [value, t("metrics.last", { time: number(count, { style: "unit", unit, unitDisplay: "long" }) })]),
      ["part", t("metrics.part")]], "").options);
    zoomTo(RANGES[id][0][0]);
    return (id === "seconds" ? seconds : minutes)(panel, scope, lens);
  }

  function zoomTo(last) {
    if (last !== "part") lens.zoom.set(last ? { last: Number(last) * 1000 } : null);
  }

  function choose(next) {
    Object.assign(wanted, next);
    const balancer = known.balancers.find((each) => [each.LoadBalancerArn, each.LoadBalancerName].includes(wanted.balancer)) ?? known.balancers[0];
    const mine = known.groups.filter((each) => listOf(each.LoadBalancerArns).includes(balancer.LoadBalancerArn));
    const group = mine.find((each) => [each.TargetGroupArn, each.TargetGroupName].includes(wanted.group)) ?? null;
    offer(balancers, known.balancers.map((each) => [each.LoadBalancerArn, each.LoadBalancerName]), balancer.LoadBalancerArn);
    offer(groups, [["", t("metrics.all_groups")], ...mine.map((each) => [each.TargetGroupArn, each.TargetGroupName])], group?.TargetGroupArn ?? "");
    const before = scope.get();
    const same = before?.balancer.LoadBalancerArn === balancer.LoadBalancerArn && before.group?.TargetGroupArn === group?.TargetGroupArn;
    scope.set({ balancer, group, groups: mine, same });
    if ("balancer" in next || "group" in next) rememberParams({ balancer: balancer.LoadBalancerName, group: group?.TargetGroupName ?? null });
  }
}
