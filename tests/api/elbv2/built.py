"""Load balancers, listeners, target groups and rules that tests begin with, made by the handlers themselves."""

from typing import Any

from lb.api.elbv2.listeners import create_listener
from lb.api.elbv2.load_balancers import create_load_balancer
from lb.api.elbv2.rules import create_rule
from lb.api.elbv2.target_groups import create_target_group
from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, SUBNETS, VPC, Aws

CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000001"
NO_SUCH_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/gone/0123456789abcdef"
NO_SUCH_RULE = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener-rule/app/web/1/2/3"
NO_SUCH_LISTENER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/web/1/2"
NO_SUCH_BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/gone/1"
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
PATH = {"Field": "path-pattern", "Values": ["/img/*"]}


def group(aws: Aws, name: str = "web", **settings: Any) -> str:
    """ARN of a new target group, for HTTP to instances where `settings` do not say otherwise."""
    where = {} if settings.get("TargetType") == "lambda" else {"Protocol": "HTTP", "Port": 80, "VpcId": VPC}
    made = aws.do(create_target_group, Name=name, **{**where, **settings})
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def balancer(aws: Aws, name: str = "web", **settings: Any) -> str:
    """ARN of a new load balancer."""
    made = aws.do(create_load_balancer, Name=name, Subnets=list(SUBNETS[:2]), **settings)
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def listener(aws: Aws, balancer_arn: str, port: int = 80, *actions: dict[str, Any], protocol: str = "HTTP") -> str:
    """ARN of a new listener; its default action is a fixed response where none is given."""
    settings: dict[str, Any] = {"Protocol": protocol, "Port": port}
    if protocol == "HTTPS":
        aws.put(
            Record(Kind.CERTIFICATE, CERTIFICATE, REGION, ACCOUNT, {"CertificateArn": CERTIFICATE, "Status": "ISSUED"})
        )
        settings["Certificates"] = [{"CertificateArn": CERTIFICATE}]
    made = aws.do(create_listener, LoadBalancerArn=balancer_arn, DefaultActions=list(actions) or [FIXED], **settings)
    return str(made["Listeners"][0]["ListenerArn"])


def rule(aws: Aws, listener_arn: str, priority: int = 10, *actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A new rule as it is answered; for images, with a fixed response, where nothing else is said."""
    settings = {"Conditions": [PATH], "Actions": list(actions) or [FIXED], **members}
    made = aws.do(create_rule, ListenerArn=listener_arn, Priority=priority, **settings)
    return dict(made["Rules"][0])


def forward(*arns: str, **config: Any) -> dict[str, Any]:
    """A forward action, in the long form where there are several target groups or more to say."""
    if len(arns) == 1 and not config:
        return {"Type": "forward", "TargetGroupArn": arns[0]}
    groups = [{"TargetGroupArn": arn} for arn in arns]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **config}}
