// Availability Zones to choose: one subnet of each, at least two.

import { t } from "../i18n.js";
import { field, h, keyed, put, select, write } from "../ui.js";

const LEAST_ZONES = 2;

// A part: value() is a list of subnet ids. draw(subnets) shows those of a VPC.
export function zonePicker(chosen = [], changed = () => {}) {
  const rows = h("div", { class: "edit-parts" });
  const message = h("p", { class: "message", "aria-live": "polite" });
  const node = h("fieldset", { class: "edit-choice zones" }, h("legend", {}, t("create.zones")), rows, message);
  const boxes = () => [...rows.children];

  function row({ zone, subnets }) {
    const mine = subnets.find((each) => chosen.includes(each.subnetId));
    const box = h("input", { type: "checkbox", checked: Boolean(mine), onchange: toggle });
    const subnet = field({ label: t("create.subnet", { zone }), input: select(subnets.map((each) => [each.subnetId, `${each.subnetId} (${each.cidrBlock})`]), mine?.subnetId, { onchange: changed }) });
    subnet.querySelector("label").className = "hidden";
    function toggle() {
      put(subnet.input, "disabled", !box.checked);
      if (message.textContent) node.valid();
      changed();
    }
    put(subnet.input, "disabled", !box.checked);
    return Object.assign(h("div", { class: "zone" }, h("label", { class: "edit-box" }, box, zone), subnet), { box, subnet, draw() {} });
  }
  node.draw = (subnets) => {
    const zones = [...new Set(subnets.map((each) => each.availabilityZone))].sort();
    keyed(rows, zones.map((zone) => ({ zone, subnets: subnets.filter((each) => each.availabilityZone === zone) })), (each) => `${each.zone} ${each.subnets[0].vpcId}`, row);
  };
  node.value = () => boxes().filter(({ box }) => box.checked).map(({ subnet }) => subnet.value());
  node.valid = () => {
    const wrong = node.value().length < LEAST_ZONES;
    write(message, wrong ? t("create.two_zones") : "");
    for (const { box } of boxes()) box.toggleAttribute("aria-invalid", false);
    if (wrong) boxes()[0]?.box.setAttribute("aria-invalid", "true");
    return !wrong;
  };
  return node;
}
