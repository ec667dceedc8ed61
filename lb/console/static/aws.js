// The AWS APIs of the balancer, called as any AWS client would: POST / with Action and Version.
//
//   await elbv2("DescribeTags", { ResourceArns: [arn] })   -> { TagDescriptions: [...] }
//   await elbv2All("DescribeListeners", "Listeners", { LoadBalancerArn: arn })   -> [...]  every page of it
//   await ec2("DescribeSubnets", { SubnetId: ["subnet-1"] })   -> { subnetSet: [...] }
//
// Parameters are nested objects and lists as in the API's reference. Names are those of the wire: EC2 counts its lists
// without a word between (SubnetId.1), so the key is in the singular; RDS names the item (VpcSecurityGroupIds.
// VpcSecurityGroupId.1), so write { VpcSecurityGroupIds: { VpcSecurityGroupId: [...] } }. All values of an answer are
// strings, as XML has them; an empty list is "": use `listOf` wherever a list is expected.

import { ask } from "./net.js";

// What the API refused. `code` is AWS's, such as "TargetGroupNotFound"; `message` is for people.
export class AwsError extends Error {
  constructor(code, message, status) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
  }
}

export const listOf = (value) => (Array.isArray(value) ? value : []);

export const elbv2 = service("2015-12-01", "member.");
export const cloudwatch = service("2010-08-01", "member.");
export const sts = service("2011-06-15", "member.");
export const iam = service("2010-05-08", "member.");
export const ec2 = service("2016-11-15", "");
export const rds = service("2014-10-31", "");

// All items of a paginated call. `member` is the name of the list in the answer.
export const elbv2All = all(elbv2, "NextMarker", "Marker");
export const ec2All = all(ec2, "nextToken", "NextToken");
export const cloudwatchAll = all(cloudwatch, "NextToken", "NextToken");
export const rdsAll = all(rds, "Marker", "Marker");

// ACM speaks JSON: await acm("ListCertificates", {}) -> { CertificateSummaryList: [...] }
export async function acm(action, parameters = {}) {
  const { ok, status, text } = await ask("/", {
    method: "POST",
    headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `CertificateManager.${action}` },
    body: JSON.stringify(parameters),
  });
  const answer = parseJson(text, status);
  if (ok) return answer;
  throw new AwsError((answer.__type ?? "Unknown").split("#").pop(), answer.message ?? answer.Message ?? text, status);
}

function service(version, listWord) {
  return async (action, parameters = {}) => {
    const body = new URLSearchParams({ Action: action, Version: version });
    for (const [key, value] of flatten(parameters, listWord)) body.append(key, value);
    const { ok, status, text } = await ask("/", { method: "POST", body });
    const document = new DOMParser().parseFromString(text, "text/xml");
    const root = document.documentElement;
    if (!ok || document.querySelector("parsererror")) throw errorOf(document, status);
    const answer = toValue([...root.children].find((child) => child.tagName === `${action}Result`) ?? root);
    return answer === "" ? {} : answer;
  };
}

function all(call, answerToken, requestToken) {
  return async (action, member, parameters = {}) => {
    const items = [];
    let token;
    do {
      const answer = await call(action, token ? { ...parameters, [requestToken]: token } : parameters);
      items.push(...listOf(answer[member]));
      token = answer[answerToken];
    } while (token);
    return items;
  };
}

// { A: [{ B: 1 }] } -> ["A.member.1.B", "1"]; null and undefined are left out, an empty list is sent as an empty text.
function* flatten(value, listWord, path = "") {
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) {
    if (!value.length) yield [path, ""];
    for (const [place, item] of value.entries()) yield* flatten(item, listWord, `${path}.${listWord}${place + 1}`);
  } else if (typeof value === "object") {
    for (const [key, item] of Object.entries(value)) yield* flatten(item, listWord, path ? `${path}.${key}` : key);
  } else {
    yield [path, String(value)];
  }
}

// An element with children is a list where they are its items, else an object; one without is its text.
function toValue(element) {
  const children = [...element.children];
  if (!children.length) return element.textContent;
  const [first] = children;
  const isItem = ["member", "item"].includes(first.tagName) || element.tagName === `${first.tagName}s`;
  if (isItem) return children.map(toValue);
  return Object.fromEntries(children.map((child) => [child.tagName, toValue(child)]));
}

function errorOf(document, status) {
  const told = (name) => document.querySelector(`Error > ${name}`)?.textContent;
  return new AwsError(told("Code") ?? "Unknown", told("Message") ?? `The AWS endpoint answered ${status}.`, status);
}

function parseJson(text, status) {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    throw new AwsError("Unknown", `The AWS endpoint answered ${status}.`, status);
  }
}
