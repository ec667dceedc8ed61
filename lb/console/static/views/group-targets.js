// Choosing targets to register: running instances, or IP addresses.

import { t } from "../i18n.js";
import { button, empty, h, poll, put, toast } from "../ui.js";
import { checkTable, orElse, stateOf, textArea, textField, whole } from "./edit-form.js";
import { launchTwo, nameOf, readInstances } from "./instances-launch.js";

const EVERY_MS = 2000;
const ADDRESS = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-f:.]+)\]|([0-9a-f]*:[0-9a-f:]+))(?::(\d{1,5}))?$/i;

// A part; value() is the list for RegisterTargets. setType("ip" | "instance", port) changes what is asked for. `made` hears of
// the calls that have launched instances, in `subnets()`. stop() ends it.
export function targetPicker({ changed = () => {}, made = () => {}, subnets = () => [] } = {}) {
  let type = "instance";
  const instances = checkTable({
    caption: t("group.instances"), key: (each) => each.instanceId, changed,
    columns: [
      { label: t("edit.name"), head: true, text: (each) => nameOf(each) || "-" },
      { label: "ID", text: (each) => each.instanceId },
      { label: t("edit.state"), make: () => stateOf((each) => each.instanceState.name) },
      { label: t("group.zone"), text: (each) => each.placement.availabilityZone },
      { label: t("group.private_ip"), text: (each) => each.privateIpAddress },
    ],
  });
  const port = textField(t("group.target_ports"), "", { hint: t("group.target_ports_hint"), check: orElse("", whole(1, 65535)), inputmode: "numeric", oninput: changed });
  const launch = button(t("instances.launch_two"), async () => {
    const calls = await launchTwo(subnets());
    instances.choose(calls.map(({ value }) => value).filter(Boolean));
    made(calls);
    toast(t("instances.launched"));
    follow.now();
  });
  const none = empty(t("instances.none"), t("group.no_instances"), launch);
  const addresses = textArea(t("group.addresses"), "", { hint: t("group.addresses_hint"), check: (text) => entries(text).map(wrong).find(Boolean) ?? "" });
  addresses.input.addEventListener("input", changed);
  const byInstance = h("div", {}, none, instances, port);
  const node = h("div", { class: "edit-targets" }, byInstance, addresses);
  put(addresses, "hidden", true);

  const follow = poll(async () => {
    const found = (await readInstances()).filter((each) => ["running", "pending"].includes(each.instanceState.name));
    const before = instances.value().join();
    instances.draw(found);
    if (instances.value().join() !== before) changed();
    put(none, "hidden", found.length > 0);
    put(port, "hidden", !found.length);
  }, EVERY_MS);

  node.setType = (wanted) => {
    type = wanted;
    put(byInstance, "hidden", type !== "instance");
    put(addresses, "hidden", type === "instance");
  };
  node.valid = () => (type === "instance" ? port.valid() : addresses.valid());
  node.value = () => {
    if (type === "instance") return instances.value().map((Id) => (port.value() ? { Id, Port: port.value() } : { Id }));
    return entries(addresses.value()).filter((each) => !wrong(each)).map(target);
  };
  node.stop = follow;
  return node;
}

const entries = (text) => text.split(/[\s,]+/).filter(Boolean);
function target(text) {
  const [, four, bracketed, six, port] = ADDRESS.exec(text);
  return { Id: four ?? bracketed ?? six, ...(port ? { Port: port } : {}) };
}
const wrong = (text) => (ADDRESS.test(text) ? "" : t("group.address_wrong", { address: text }));
