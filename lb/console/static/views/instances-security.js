// Security groups: creating one, and its inbound rules.

import { ec2, ec2All } from "../aws.js";
import { t } from "../i18n.js";
import { field, h, select, table, toast } from "../ui.js";
import { actions, checkTable, cidr, formDialog, required, textField, whole } from "./edit-form.js";

const LOOPBACK = "127.0.0.0/8";

export const readSecurityGroups = () => ec2All("DescribeSecurityGroups", "securityGroupInfo");

const portsOf = (rule) =>
  rule.ipProtocol === "-1" ? t("instances.all_traffic") : `${rule.ipProtocol.toUpperCase()} ${rule.fromPort === rule.toPort ? rule.fromPort : `${rule.fromPort}-${rule.toPort}`}`;
const sourceOf = (rule) => rule.cidrIpv4 ?? rule.cidrIpv6 ?? rule.referencedGroupInfo?.groupId ?? rule.prefixListId;

async function inbound(groupId) {
  const rules = await ec2All("DescribeSecurityGroupRules", "securityGroupRuleSet", { Filter: [{ Name: "group-id", Value: [groupId] }] });
  return rules.filter((rule) => rule.isEgress === "false");
}

// A table of security groups with boxes: a part whose value is the list of ids.
export const securityGroupTable = (chosen, changed) => checkTable({
  caption: t("instances.security_groups"), key: (each) => each.groupId, chosen, changed,
  check: (ids) => (!ids.length ? t("instances.group_missing") : ids.length > 5 ? t("instances.groups_many") : ""),
  columns: [
    { label: t("edit.name"), head: true, text: (each) => each.groupName },
    { label: "ID", text: (each) => each.groupId },
    { label: t("instances.description"), text: (each) => each.groupDescription },
  ],
});

// Asks for a security group that lets a port in, creates it -> what was called, in the words of the CLI; null when given up.
export async function createSecurityGroup(vpc, port) {
  const name = textField(t("edit.name"), "", { check: required });
  const description = textField(t("instances.description"), "HTTP", { check: required });
  const ports = textField(t("instances.port"), port, { check: whole(1, 65535), inputmode: "numeric" });
  const source = textField(t("instances.source"), LOOPBACK, { check: cidr, hint: t("instances.source_hint") });
  let id = null;
  let calls = null;
  await formDialog({
    title: t("instances.create_group"), parts: [name, description, ports, source], ok: t("edit.create"),
    act: async () => {
      const group = { GroupName: name.value(), VpcId: vpc };
      // Asked again after the rule was refused, the group is there already.
      id ??= (await ec2("CreateSecurityGroup", { ...group, GroupDescription: description.value() })).groupId;
      await admit(id, ports.value(), source.value());
      calls = [
        { service: "ec2", action: "CreateSecurityGroup", shown: { ...group, Description: description.value() }, keep: "SECURITY_GROUP", query: "GroupId", value: id },
        { service: "ec2", action: "AuthorizeSecurityGroupIngress", shown: { GroupId: id, Protocol: "tcp", Port: ports.value(), Cidr: source.value() } },
      ];
    },
  });
  return calls;
}

const admit = (groupId, port, source, protocol = "tcp") => ec2("AuthorizeSecurityGroupIngress", {
  GroupId: groupId,
  IpPermissions: [{
    IpProtocol: protocol, ...(protocol === "-1" ? {} : { FromPort: port, ToPort: port }),
    ...(source.startsWith("sg-") ? { Groups: [{ GroupId: source }] } : source.includes(":") ? { Ipv6Ranges: [{ CidrIpv6: source }] } : { IpRanges: [{ CidrIp: source }] }),
  }],
});

// Shows the inbound rules of a security group, to remove and to add. Each change is made at once.
export async function inboundDialog(group) {
  const rules = table({
    caption: t("instances.inbound"), key: (rule) => rule.securityGroupRuleId,
    columns: [
      { label: t("instances.port"), head: true, text: portsOf },
      { label: t("instances.source"), text: sourceOf },
      { label: t("instances.description"), text: (rule) => rule.description ?? "" },
      { label: t("edit.actions"), make: () => actions((rule) => [[t("edit.remove"), () => remove(rule), { "aria-label": `${t("edit.remove")}: ${portsOf(rule)} ${sourceOf(rule)}` }]]) },
    ],
  });
  const load = async () => rules.draw(await inbound(group.groupId));
  async function remove(rule) {
    await ec2("RevokeSecurityGroupIngress", { GroupId: group.groupId, SecurityGroupRuleId: [rule.securityGroupRuleId] });
    await load();
  }
  const kind = field({ label: t("instances.protocol"), input: select([["tcp", "TCP"], ["-1", t("instances.all_traffic")]], "tcp", { onchange: () => { port.hidden = kind.value() === "-1"; } }) });
  const port = textField(t("instances.port"), "80", { check: (value) => (kind.value() === "-1" ? "" : whole(1, 65535)(value)), inputmode: "numeric" });
  const source = textField(t("instances.source"), LOOPBACK, { check: (value) => (value.startsWith("sg-") ? "" : cidr(value)), hint: t("instances.source_hint") });
  await load();
  await formDialog({
    title: `${t("instances.inbound")}: ${group.groupName}`, parts: [kind, port, source], ok: t("instances.add_rule"), stays: true,
    content: [rules, h("h3", {}, t("instances.add_rule")), h("div", { class: "edit-grid" }, kind, port, source)],
    act: async () => {
      await admit(group.groupId, port.value(), source.value(), kind.value());
      await load();
    },
  });
}

// Asks which security groups an instance has.
export async function instanceGroupsDialog(instance) {
  const chosen = securityGroupTable(instance.groupSet.map((each) => each.groupId));
  chosen.draw(await readSecurityGroups());
  const done = await formDialog({
    title: t("instances.change_groups"), parts: [chosen], ok: t("edit.save"),
    act: () => ec2("ModifyInstanceAttribute", { InstanceId: instance.instanceId, GroupId: chosen.value() }),
  });
  if (done) toast(t("edit.saved"));
  return done;
}
