// What belongs to a load balancer, as the API describes it.

import { elbv2, elbv2All, listOf } from "../aws.js";
import { status } from "../local.js";

// Listeners by port, each with its Rules in their order.
export async function readListeners(arn) {
  const listeners = await elbv2All("DescribeListeners", "Listeners", { LoadBalancerArn: arn });
  const rules = await Promise.all(listeners.map((each) => elbv2All("DescribeRules", "Rules", { ListenerArn: each.ListenerArn })));
  const place = ({ Priority }) => (Priority === "default" ? Infinity : Number(Priority));
  return listeners.map((each, index) => ({ ...each, Rules: rules[index].sort((a, b) => place(a) - place(b)) })).sort((a, b) => a.Port - b.Port);
}

// Target groups that the load balancer uses, each with its Targets: what DescribeTargetHealth answers.
export async function readGroups(arn) {
  const groups = await elbv2All("DescribeTargetGroups", "TargetGroups", { LoadBalancerArn: arn });
  const health = await Promise.all(groups.map((each) => elbv2("DescribeTargetHealth", { TargetGroupArn: each.TargetGroupArn })));
  return groups.map((each, index) => ({ ...each, Targets: listOf(health[index].TargetHealthDescriptions) }));
}

// Where each listener is reached: addresses by ARN. AWS has no words for this: a port below 1024 may be bound 8000 higher.
export async function addressesOf(balancer) {
  const picture = await status();
  const running = picture.load_balancers.find((each) => each.arn === balancer.LoadBalancerArn);
  // A name below .localhost leads to this machine; where the page was found by another name, so is the load balancer.
  const isHere = /^(localhost|.*\.localhost|127\..*|\[::1\])$/.test(location.hostname);
  const host = isHere ? balancer.DNSName : location.hostname;
  return new Map((running?.listeners ?? []).map((each) => [each.arn, `${(each.protocol ?? "HTTP").toLowerCase()}://${host}:${each.bound_port ?? each.port}/`]));
}
