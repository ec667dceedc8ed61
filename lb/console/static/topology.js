// Load balancers and target groups as the AWS API describes them, each with what runs of it (/_lb/status): the base of most views.
//
//   { loadBalancers: [{ ...AWS's fields, Listeners: [...], running: its part of /_lb/status | null }],
//     targetGroups:  [{ ...AWS's fields, running: ... | null }] }

import { elbv2All } from "./aws.js";
import { status } from "./local.js";

// What AWS's side changes only by a call is asked for more seldom than health, which changes by itself.
const DESCRIBE_EVERY_MS = 10_000;

// A function to poll: asks for the status each time, and describes again when something has come or gone.
export function topologySource() {
  let described = null;
  let shape = "";
  let until = 0;
  return async () => {
    const picture = await status();
    const seen = shapeOf(picture);
    if (!described || seen !== shape || Date.now() > until) {
      described = await describe();
      shape = seen;
      until = Date.now() + DESCRIBE_EVERY_MS;
    }
    return join(described, picture);
  };
}

async function describe() {
  const [balancers, groups] = await Promise.all([
    elbv2All("DescribeLoadBalancers", "LoadBalancers"),
    elbv2All("DescribeTargetGroups", "TargetGroups"),
  ]);
  const listeners = await Promise.all(
    balancers.map((each) => elbv2All("DescribeListeners", "Listeners", { LoadBalancerArn: each.LoadBalancerArn })),
  );
  return { balancers: balancers.map((each, place) => ({ ...each, Listeners: listeners[place] })), groups };
}

const shapeOf = ({ load_balancers: balancers, target_groups: groups }) =>
  JSON.stringify([balancers.map(({ arn, listeners }) => [arn, listeners.map((each) => each.arn)]), groups.map(({ arn }) => arn)]);

function join({ balancers, groups }, picture) {
  const running = new Map([...picture.load_balancers, ...picture.target_groups].map((each) => [each.arn, each]));
  return {
    loadBalancers: balancers.map((each) => ({ ...each, running: running.get(each.LoadBalancerArn) ?? null })),
    targetGroups: groups.map((each) => ({ ...each, running: running.get(each.TargetGroupArn) ?? null })),
  };
}
