// The form of a listener: protocol, port, certificate, default action.

import { acm, elbv2, elbv2All } from "../aws.js";
import { t } from "../i18n.js";
import { button, field, h, put, select, toast } from "../ui.js";
import { actionForm } from "./balancer-action.js";
import { allValid, formDialog, required, textField, whole } from "./edit-form.js";

const PORTS = { HTTP: "80", HTTPS: "443" };

// A part: value() is { Protocol, Port, Certificates? } of CreateListener. `used` are ports that are taken.
export function protocolForm({ listener = null, used = [], changed = () => {} } = {}) {
  const protocol = field({ label: t("balancer.protocol"), input: select([["HTTP", "HTTP"], ["HTTPS", "HTTPS"]], listener?.Protocol ?? "HTTP", { onchange: choose }) });
  const free = (value) => whole(1, 65535)(value) || (used.includes(value) ? t("balancer.port_taken") : "");
  const port = textField(t("balancer.port"), listener?.Port ?? "80", { check: free, inputmode: "numeric", oninput: () => changed() });
  const present = listener?.Certificates?.[0]?.CertificateArn;
  const certificate = field({ label: t("balancer.certificate"), hint: t("balancer.certificate_hint"), input: select([], "", { onchange: () => changed() }), check: (arn) => (isHttps() ? required(arn) : "") });
  const name = textField(t("balancer.domain"), "", { check: required });
  const ask = button(t("balancer.request_certificate"), async () => {
    if (!name.valid()) return;
    const { CertificateArn } = await acm("RequestCertificate", { DomainName: name.value(), ValidationMethod: "DNS" });
    await list(CertificateArn);
    toast(t("edit.done"));
    changed();
  });
  const secure = h("div", {}, certificate, h("div", { class: "edit-row" }, name, ask));
  const node = h("div", {}, h("div", { class: "edit-grid" }, protocol, port), secure);
  const isHttps = () => protocol.value() === "HTTPS";

  async function list(chosen) {
    const { CertificateSummaryList } = await acm("ListCertificates");
    const options = CertificateSummaryList.map((each) => [each.CertificateArn, each.DomainName]);
    // One of IAM is not in ACM's list.
    if (present && !options.some(([arn]) => arn === present)) options.push([present, present]);
    certificate.input.replaceChildren(...select(options, chosen).children);
  }
  function show() {
    put(secure, "hidden", !isHttps());
    return isHttps() ? list(present) : null;
  }
  async function choose() {
    if (Object.values(PORTS).includes(port.value())) port.input.value = PORTS[protocol.value()];
    await show();
    changed();
  }
  put(secure, "hidden", true);
  show()?.catch((error) => certificate.say(error.message));
  node.valid = () => allValid([port, certificate], node);
  node.value = () => ({ Protocol: protocol.value(), Port: port.value(), ...(isHttps() ? { Certificates: [{ CertificateArn: certificate.value() }] } : {}) });
  return node;
}

// Asks for a new listener of a load balancer, or for changes of `listener`; whether it was made.
export async function listenerDialog(balancer, listeners, listener = null) {
  const groups = await elbv2All("DescribeTargetGroups", "TargetGroups");
  const used = listeners.filter((each) => each !== listener).map((each) => each.Port);
  const protocol = protocolForm({ listener, used });
  const action = actionForm(groups, listener?.DefaultActions);
  const done = await formDialog({
    title: t(listener ? "balancer.edit_listener" : "balancer.add_listener"), ok: t("edit.save"), parts: [protocol, action],
    content: [protocol, h("h3", {}, t("balancer.default_action")), action],
    act: () => {
      const given = { ...protocol.value(), DefaultActions: action.value() };
      return listener ? elbv2("ModifyListener", { ListenerArn: listener.ListenerArn, ...given }) : elbv2("CreateListener", { LoadBalancerArn: balancer.LoadBalancerArn, ...given });
    },
  });
  if (done) toast(t("edit.saved"));
  return done;
}
