// The fields of a target group, as "Create target group" has them, and those of its health check.

import { t } from "../i18n.js";
import { field, h, select } from "../ui.js";
import { allValid, nameCheck, orElse, radios, required, textField, whole } from "./edit-form.js";

const HEALTH = {
  HealthCheckProtocol: "HTTP", HealthCheckPath: "/", HealthCheckPort: "traffic-port", HealthyThresholdCount: "5",
  UnhealthyThresholdCount: "2", HealthCheckTimeoutSeconds: "5", HealthCheckIntervalSeconds: "30", Codes: "200",
};
const numeric = { inputmode: "numeric" };

// `group` is one to edit, or the defaults; value() is the parameters of Create- and ModifyTargetGroup.
export function healthForm(group) {
  const now = group ? { ...HEALTH, ...group, Codes: group.Matcher?.HttpCode ?? group.Matcher?.GrpcCode ?? "200" } : HEALTH;
  const shorter = (value) => whole(2, 120)(value) || (Number(value) < Number(fields.HealthCheckIntervalSeconds.value()) ? "" : t("group.timeout_long"));
  const fields = {
    HealthCheckProtocol: field({ label: t("group.check_protocol"), input: select([["HTTP", "HTTP"], ["HTTPS", "HTTPS"]], now.HealthCheckProtocol) }),
    HealthCheckPath: textField(t("group.check_path"), now.HealthCheckPath, { hint: t("group.check_path_hint"), check: (value) => (value.startsWith("/") ? "" : t("group.path_slash")) }),
    HealthCheckPort: textField(t("group.check_port"), now.HealthCheckPort, { hint: t("group.check_port_hint"), check: orElse("traffic-port", whole(1, 65535)) }),
    HealthyThresholdCount: textField(t("group.healthy_threshold"), now.HealthyThresholdCount, { hint: t("group.healthy_hint"), check: whole(2, 10), ...numeric }),
    UnhealthyThresholdCount: textField(t("group.unhealthy_threshold"), now.UnhealthyThresholdCount, { hint: t("group.unhealthy_hint"), check: whole(2, 10), ...numeric }),
    HealthCheckTimeoutSeconds: textField(t("group.timeout"), now.HealthCheckTimeoutSeconds, { hint: t("group.seconds"), check: shorter, ...numeric }),
    HealthCheckIntervalSeconds: textField(t("group.interval"), now.HealthCheckIntervalSeconds, { hint: t("group.seconds"), check: whole(5, 300), ...numeric }),
    Codes: textField(t("group.codes"), now.Codes, { hint: t("group.codes_hint"), check: (value) => (/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(value) ? "" : t("group.codes_wrong")) }),
  };
  const { HealthCheckProtocol, HealthCheckPath, ...advanced } = fields;
  const node = h("div", {}, h("div", { class: "edit-grid" }, HealthCheckProtocol, HealthCheckPath),
    h("details", { open: Boolean(group) }, h("summary", {}, t("group.advanced")), h("div", { class: "edit-grid" }, Object.values(advanced))));
  node.valid = () => allValid(Object.values(fields), node);
  node.value = () => {
    const changed = Object.entries(fields).map(([key, each]) => [key, each.value()]).filter(([key, value]) => value !== now[key]);
    const { Codes, ...values } = Object.fromEntries(changed);
    return { ...values, ...(Codes === undefined ? {} : { Matcher: { [group?.Matcher?.GrpcCode ? "GrpcCode" : "HttpCode"]: Codes } }) };
  };
  return node;
}

// value() is the parameters of CreateTargetGroup; `changed` hears of another type or port.
export function groupForm(vpcs, changed = () => {}) {
  const type = radios(t("group.type"), [
    ["instance", t("group.type_instance"), t("group.type_instance_hint")],
    ["ip", t("group.type_ip"), t("group.type_ip_hint")],
  ], "instance", () => changed());
  const name = textField(t("group.name"), "", { hint: t("edit.name_hint"), check: nameCheck });
  const protocol = field({ label: t("group.protocol"), input: select([["HTTP", "HTTP"], ["HTTPS", "HTTPS"]], "HTTP") });
  const port = textField(t("group.port"), "80", { check: whole(1, 65535), oninput: () => changed(), ...numeric });
  const version = field({ label: t("group.version"), input: select([["HTTP1", "HTTP1"], ["HTTP2", "HTTP2"], ["GRPC", "gRPC"]], "HTTP1") });
  const vpc = field({ label: "VPC", check: required, input: select(vpcs.map((each) => [each.vpcId, `${each.vpcId} (${each.cidrBlock})`])) });
  const health = healthForm();
  const parts = [name, protocol, port, version, vpc, health];
  const node = h("div", { class: "edit-parts" }, type, h("div", { class: "edit-grid" }, parts.slice(0, -1)), h("h3", {}, t("group.health_checks")), health);
  node.valid = () => allValid(parts, node);
  node.type = type.value;
  node.port = port.value;
  node.vpc = vpc.value;
  node.value = () => ({
    Name: name.value(), TargetType: type.value(), Protocol: protocol.value(), Port: port.value(), VpcId: vpc.value(),
    ...(version.value() === "HTTP1" ? {} : { ProtocolVersion: version.value() }), ...health.value(),
  });
  return node;
}
