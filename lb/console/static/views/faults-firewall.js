// Blocks instances by their security groups: inbound rules are taken out with the EC2 API and put back with it. What was taken
// out is remembered in the browser, so that it can be put back after the page was closed.

import { ec2, ec2All, listOf } from "../aws.js";
import { t } from "../i18n.js";

const KEY = "lb.faults.rules";

// The rules that are out, as DescribeSecurityGroupRules had them.
export const takenOut = () => JSON.parse(localStorage.getItem(KEY) ?? "[]");
const remember = (rules) => localStorage.setItem(KEY, JSON.stringify(rules));

// Of instances, their security groups: Map id -> [group id].
export async function groupsOf(instances) {
  if (!instances.length) return new Map();
  const found = await ec2All("DescribeInstances", "reservationSet", { InstanceId: instances });
  return new Map(found.flatMap((each) => listOf(each.instancesSet)).map((each) => [each.instanceId, listOf(each.groupSet).map(({ groupId }) => groupId)]));
}

// Takes out of these groups whatever lets somebody in on one of the ports. Throws AwsError, and Error where there is nothing.
export async function takeOut(groups, ports) {
  const rules = await ec2All("DescribeSecurityGroupRules", "securityGroupRuleSet", { Filter: [{ Name: "group-id", Value: groups }] });
  const found = rules.filter((rule) => rule.isEgress === "false" && ports.some((port) => admits(rule, port)));
  if (!found.length) throw new Error(t("faults.closed_already"));
  for (const group of groups) {
    const mine = found.filter((rule) => rule.groupId === group);
    if (!mine.length) continue;
    // Remembered first: what is out and forgotten could not be put back.
    remember([...takenOut(), ...mine]);
    try {
      await ec2("RevokeSecurityGroupIngress", { GroupId: group, SecurityGroupRuleId: mine.map((rule) => rule.securityGroupRuleId) });
    } catch (error) {
      forget(mine);
      throw error;
    }
  }
}

// Puts rules back. One that is there again, or whose group is gone, is only forgotten.
export async function putBack(rules) {
  for (const rule of rules) {
    try {
      await ec2("AuthorizeSecurityGroupIngress", { GroupId: rule.groupId, IpPermissions: [permission(rule)] });
    } catch (error) {
      if (!["InvalidPermission.Duplicate", "InvalidGroup.NotFound"].includes(error.code)) throw error;
    }
    forget([rule]);
  }
}

function forget(rules) {
  const ids = rules.map((each) => each.securityGroupRuleId);
  remember(takenOut().filter((rule) => !ids.includes(rule.securityGroupRuleId)));
}

const admits = ({ ipProtocol, fromPort, toPort }, port) =>
  ipProtocol === "-1" || (ipProtocol === "tcp" && Number(fromPort) <= port && port <= Number(toPort));

function permission(rule) {
  const { ipProtocol, fromPort, toPort, cidrIpv4, cidrIpv6, prefixListId, referencedGroupInfo: group, description: Description } = rule;
  return {
    IpProtocol: ipProtocol,
    ...(ipProtocol === "-1" ? {} : { FromPort: fromPort, ToPort: toPort }),
    ...(group ? { Groups: [{ GroupId: group.groupId, Description }] } : {}),
    ...(cidrIpv4 ? { IpRanges: [{ CidrIp: cidrIpv4, Description }] } : {}),
    ...(cidrIpv6 ? { Ipv6Ranges: [{ CidrIpv6: cidrIpv6, Description }] } : {}),
    ...(prefixListId ? { PrefixListIds: [{ PrefixListId: prefixListId, Description }] } : {}),
  };
}

const sourceOf = (rule) => rule.referencedGroupInfo?.groupId ?? rule.cidrIpv4 ?? rule.cidrIpv6 ?? rule.prefixListId;

// "sg-1: tcp 80 from sg-2"
export const sayRule = (rule) => t("faults.rule", {
  group: rule.groupId, source: sourceOf(rule),
  ports: rule.ipProtocol === "-1" ? t("faults.all_traffic") : `${rule.ipProtocol} ${[...new Set([rule.fromPort, rule.toPort])].join("-")}`,
});

export function putBackCommand(rule) {
  // The wire names the sources in its own way, the CLI in the model's.
  const { Groups, ...given } = permission(rule);
  const json = JSON.stringify([Groups ? { ...given, UserIdGroupPairs: Groups } : given], (key, value) => (/Port$/.test(key) ? Number(value) : value));
  return `aws ec2 authorize-security-group-ingress --group-id ${rule.groupId} --ip-permissions '${json.replaceAll("'", "'\\''")}'`;
}
