// Instances (the embedded web servers), the images made from them, and security groups.

import { ec2, listOf } from "../aws.js";
import { loadTexts, t } from "../i18n.js";
import { ask, button, empty, errorCard, h, lines, poll, put, style, table, toast } from "../ui.js";
import { actions, arriving, card, stateOf } from "./edit-form.js";
import { imageDialog, launchDialog, launchTwo, nameOf, readImages, readInstances } from "./instances-launch.js";
import { createSecurityGroup, inboundDialog, instanceGroupsDialog, readSecurityGroups } from "./instances-security.js";

const EVERY_MS = 2000;

export const title = () => t("instances.title");

export const render = (root) => arriving(root, async () => {
  await Promise.all([loadTexts("edit"), style("views/edit.css")]);
  return show(root);
});

function show(root) {
  const instances = instanceTable();
  const images = imageTable();
  const groups = groupTable();
  const none = empty(t("instances.none"), t("instances.none_text"));
  const launch = button(t("instances.launch"), async () => { await launchDialog(); stop.now(); }, { primary: true });
  const two = button(t("instances.launch_two"), async () => { await launchTwo(); stop.now(); });
  const newGroup = button(t("instances.create_group"), async () => { await createSecurityGroup(undefined, "80"); stop.now(); });
  const imageCard = card(t("instances.images"), [], images);
  const full = h("div", { class: "stack" },
    card(t("instances.title"), [two, launch], instances, none), imageCard, card(t("instances.security_groups"), newGroup, groups));

  const stop = poll(async () => {
    const [servers, all, security] = await Promise.all([readInstances(), readImages(), readSecurityGroups()]);
    const own = all.filter((image) => image.isPublic !== "true");
    instances.draw(servers);
    images.draw(own);
    groups.draw(security);
    put(none, "hidden", servers.length > 0);
    put(instances, "hidden", !servers.length);
    put(imageCard, "hidden", !own.length);
    if (full.parentNode !== root) root.replaceChildren(full);
  }, EVERY_MS, (error) => {
    if (full.parentNode !== root || error.code !== "NoAnswer") root.replaceChildren(errorCard(error, stop.now));
  });
  return stop;

  // Does it, says so, and shows it.
  async function act(action, parameters) {
    await ec2(action, parameters);
    toast(t("edit.done"));
    stop.now();
  }

  async function sure(what, name, action, parameters) {
    if (await ask({ title: `${what}: ${name}`, body: t("edit.cannot_undo"), ok: what, danger: true })) await act(action, parameters);
  }

  function instanceTable() {
    return table({
      caption: t("instances.title"), key: (each) => each.instanceId,
      columns: [
        { label: t("edit.name"), head: true, width: "14rem", value: nameOf, make: () => lines((each) => [nameOf(each) || each.instanceId, nameOf(each) && each.instanceId]) },
        { label: t("edit.state"), value: (each) => each.instanceState.name, make: () => stateOf((each) => each.instanceState.name) },
        { label: t("instances.address"), width: "9rem", make: () => lines((each) => [each.ipAddress ?? each.privateIpAddress, each.placement.availabilityZone]) },
        { label: t("instances.security_groups"), text: (each) => listOf(each.groupSet).map((group) => group.groupName).join(", ") },
        { label: t("edit.actions"), make: () => actions(instanceActions) },
      ],
    });
  }

  function instanceActions(each) {
    const id = { InstanceId: [each.instanceId] };
    const now = each.instanceState.name;
    return [
      now === "running" && [t("instances.stop"), () => act("StopInstances", id)],
      now === "stopped" && [t("instances.start"), () => act("StartInstances", id)],
      ["running", "stopped"].includes(now) && [t("instances.create_image"), async () => { await imageDialog(each); stop.now(); }],
      [t("instances.change_groups"), async () => { await instanceGroupsDialog(each); stop.now(); }],
      [t("instances.terminate"), () => sure(t("instances.terminate"), nameOf(each) || each.instanceId, "TerminateInstances", id), { danger: true }],
    ].filter(Boolean);
  }

  function imageTable() {
    return table({
      caption: t("instances.images"), key: (each) => each.imageId,
      columns: [
        { label: t("edit.name"), head: true, make: () => lines((each) => [each.name, each.imageId]) },
        { label: t("edit.state"), make: () => stateOf((each) => each.imageState) },
        {
          label: t("edit.actions"), make: () => actions((each) => [
            each.imageState === "available" && [t("instances.launch_from"), async () => { await launchDialog(each.imageId); stop.now(); }],
            [t("instances.deregister"), () => sure(t("instances.deregister"), each.name, "DeregisterImage", { ImageId: each.imageId }), { danger: true }],
          ].filter(Boolean)),
        },
      ],
    });
  }

  function groupTable() {
    return table({
      caption: t("instances.security_groups"), key: (each) => each.groupId,
      columns: [
        { label: t("edit.name"), head: true, make: () => lines((each) => [each.groupName, each.groupId]) },
        { label: t("instances.description"), text: (each) => each.groupDescription },
        {
          label: t("edit.actions"), make: () => actions((each) => [
            [t("instances.inbound"), () => inboundDialog(each)],
            each.groupName !== "default" && [t("edit.delete"), () => sure(t("edit.delete"), each.groupName, "DeleteSecurityGroup", { GroupId: each.groupId }), { danger: true }],
          ].filter(Boolean)),
        },
      ],
    });
  }
}
