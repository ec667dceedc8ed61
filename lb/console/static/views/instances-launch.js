// Launching instances: by a form, or two web servers at once.

import { ec2, ec2All, listOf } from "../aws.js";
import { t } from "../i18n.js";
import { field, select, toast } from "../ui.js";
import { formDialog, required, textArea, textField, whole } from "./edit-form.js";

export const nameOf = (item) => listOf(item.tagSet).find(({ key }) => key === "Name")?.value ?? "";
const nameTag = (kind, name) => (name ? [{ ResourceType: kind, Tag: [{ Key: "Name", Value: name }] }] : undefined);
// EC2 wants base64 of the bytes of UTF-8.
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// Every instance that has not been terminated, by name.
export async function readInstances() {
  const reservations = await ec2All("DescribeInstances", "reservationSet");
  return reservations.flatMap((each) => listOf(each.instancesSet)).filter((each) => each.instanceState.name !== "terminated")
    .sort((a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }) || a.instanceId.localeCompare(b.instanceId));
}

// Images of one's own first.
export async function readImages() {
  const images = await ec2All("DescribeImages", "imagesSet");
  return images.sort((a, b) => (a.isPublic === "true") - (b.isPublic === "true"));
}

// Launches two web servers, each with a page that says its name, in these subnets or in two zones of the default VPC; tells the
// calls in the words of the CLI. A load balancer sends nothing to zones that it does not have.
export async function launchTwo(wanted = []) {
  const [images, subnets] = await Promise.all([readImages(), ec2All("DescribeSubnets", "subnetSet", { Filter: [{ Name: "default-for-az", Value: ["true"] }] })]);
  const image = images.find((each) => each.isPublic === "true").imageId;
  const places = wanted.length ? wanted : subnets.sort((a, b) => a.availabilityZone.localeCompare(b.availabilityZone)).map((each) => each.subnetId);
  const made = [];
  for (const number of [1, 2]) {
    const name = `Web Server ${number}`;
    const userData = `#!/bin/bash\necho '<html><body><p> ${name} </p></body></html>' > /var/www/html/index.html\n`;
    const subnet = places[(number - 1) % places.length];
    const count = { MinCount: 1, MaxCount: 1 };
    const answer = await ec2("RunInstances", { ImageId: image, ...count, SubnetId: subnet, UserData: base64(userData), TagSpecification: nameTag("instance", name) });
    const id = answer.instancesSet[0].instanceId;
    made.push({
      service: "ec2", action: "RunInstances", keep: `WEB_SERVER_${number}`, query: "Instances[0].InstanceId", value: id,
      shown: { ImageId: image, SubnetId: subnet, UserData: userData, TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "Name", Value: name }] }] },
    });
  }
  made.push({ service: "ec2", action: "wait instance-running", shown: { InstanceIds: made.map(({ value }) => value) } });
  return made;
}

// Asks for what to launch; whether it was. `image` is chosen beforehand.
export async function launchDialog(image) {
  const [images, groups, subnets] = await Promise.all([readImages(), ec2All("DescribeSecurityGroups", "securityGroupInfo"), ec2All("DescribeSubnets", "subnetSet")]);
  const name = textField(t("edit.name"));
  const count = textField(t("instances.count"), "1", { check: whole(1, 20), inputmode: "numeric" });
  const from = field({ label: t("instances.image"), input: select(images.map((each) => [each.imageId, each.isPublic === "true" ? each.description : each.name]), image) });
  const subnet = field({ label: t("instances.zone"), input: select(subnets.map((each) => [each.subnetId, `${each.availabilityZone} (${each.subnetId})`])) });
  const group = field({ label: t("instances.security_group"), input: select(groups.map((each) => [each.groupId, `${each.groupName} (${each.groupId})`])) });
  const data = textArea(t("instances.user_data"), "", { hint: t("instances.user_data_hint"), rows: 4 });
  const done = await formDialog({
    title: t("instances.launch"), ok: t("instances.launch"), parts: [name, count, from, subnet, group, data],
    act: () => ec2("RunInstances", {
      ImageId: from.value(), MinCount: count.value(), MaxCount: count.value(), SubnetId: subnet.value(), SecurityGroupId: [group.value()],
      UserData: data.value() ? base64(data.value()) : undefined, TagSpecification: nameTag("instance", name.value()),
    }),
  });
  if (done) toast(t("instances.launched"));
  return done;
}

// Asks for a name and copies an instance's document root into an image.
export async function imageDialog(instance) {
  const name = textField(t("edit.name"), "", { check: required });
  const done = await formDialog({
    title: t("instances.create_image"), parts: [name], ok: t("edit.create"),
    act: () => ec2("CreateImage", { InstanceId: instance.instanceId, Name: name.value() }),
  });
  if (done) toast(t("instances.image_made"));
  return done;
}
