// The attributes of a load balancer, listener or target group, by their keys: shown, and edited all at once.
//
//   attributesPanel("TargetGroup", arn)      calls Describe- and ModifyTargetGroupAttributes

import { elbv2, listOf } from "../aws.js";
import { t } from "../i18n.js";
import { button, errorCard, field, h, select, table, toast } from "../ui.js";
import { card, formDialog, textField } from "./edit-form.js";

const CHOICES = [
  [/load_balancing\.cross_zone\.enabled$/, ["use_load_balancer_configuration", "true", "false"]],
  [/\.enabled$/, ["true", "false"]],
  [/desync_mitigation_mode$/, ["monitor", "defensive", "strictest"]],
  [/xff_header_processing\.mode$/, ["append", "preserve", "remove"]],
  [/stickiness\.type$/, ["lb_cookie", "app_cookie"]],
  [/algorithm\.type$/, ["round_robin", "least_outstanding_requests", "weighted_random"]],
  [/anomaly_mitigation$/, ["off", "on"]],
];
// ModifyLoadBalancerAttributes takes so many at once.
const AT_ONCE = 20;

const read = async (kind, arn) =>
  listOf((await elbv2(`Describe${kind}Attributes`, { [`${kind}Arn`]: arn })).Attributes).sort((a, b) => a.Key.localeCompare(b.Key));

export function attributesPanel(kind, arn) {
  const columns = [
    { label: t("edit.key"), head: true, text: (each) => each.Key },
    { label: t("edit.value"), text: (each) => each.Value || "-" },
  ];
  const rows = table({ caption: t("edit.attributes"), key: (each) => each.Key, columns });
  const edit = button(t("edit.edit"), async () => { if (await editAttributes(kind, arn)) await load(); }, { "aria-label": t("edit.edit_attributes") });
  const root = card(t("edit.attributes"), edit, rows);
  const load = async () => rows.draw(await read(kind, arn));
  load().catch((error) => root.replaceChildren(errorCard(error, load)));
  return root;
}

export async function editAttributes(kind, arn) {
  const before = await read(kind, arn);
  const parts = before.map(({ Key, Value }) => {
    const choices = CHOICES.find(([pattern]) => pattern.test(Key))?.[1];
    // Load balancers have one value only of what target groups choose.
    const own = kind === "LoadBalancer" && /cross_zone/.test(Key) ? ["true"] : choices;
    return own ? field({ label: Key, input: select(own.map((each) => [each, each]), Value) }) : textField(Key, Value);
  });
  const done = await formDialog({
    title: t("edit.edit_attributes"), parts, ok: t("edit.save"), content: h("div", { class: "edit-grid" }, parts),
    act: async () => {
      const changed = before.map(({ Key }, place) => ({ Key, Value: parts[place].value() })).filter(({ Value }, place) => Value !== before[place].Value);
      for (let from = 0; from < changed.length; from += AT_ONCE) {
        await elbv2(`Modify${kind}Attributes`, { [`${kind}Arn`]: arn, Attributes: changed.slice(from, from + AT_ONCE) });
      }
    },
  });
  if (done) toast(t("edit.saved"));
  return done;
}
