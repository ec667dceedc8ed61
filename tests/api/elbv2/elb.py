"""The operations of ELBv2 called by name. What goes in and what comes out is held against the service model each time."""

import functools
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from lb.api.call import ApiError, Result
from lb.api.elbv2 import OPERATIONS
from tests.api.aws_call import SUBNETS, VPC, Aws

ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000"
HTML: dict[str, Any] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}


@functools.cache
def model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("elbv2")


def check_fits(values: Result, shape: Shape | None) -> None:
    """Required members are there, none is unknown, and all have the right types."""
    assert shape is not None
    problems = ParamValidator().validate(dict(values), shape).generate_report().splitlines()
    # What a client must give at least one of may be empty in an answer.
    assert [problem for problem in problems if "valid min length" not in problem] == []


class Elb:
    """ELBv2 in one account."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def __call__(self, operation: str, *, region: str = "", **params: Any) -> Any:
        """Calls an operation and carries out what it changes."""
        described = model().operation_model(operation)
        check_fits(params, described.input_shape)
        result = self.aws.do(OPERATIONS[operation], region=region, **params)
        check_fits(result, described.output_shape)
        return result

    def refused(self, operation: str, *, region: str = "", **params: Any) -> ApiError:
        """The error that an operation answers; it must be one that ELB has."""
        check_fits(params, model().operation_model(operation).input_shape)
        return self.aws.refused(OPERATIONS[operation], region=region, **params)

    def balancer(self, name: str = "web", **params: Any) -> str:
        """The ARN of a new load balancer in two zones."""
        given = {"Subnets": list(SUBNETS[:2])} | params
        return str(self("CreateLoadBalancer", Name=name, **given)["LoadBalancers"][0]["LoadBalancerArn"])

    def listener(self, balancer: str, port: int = 80, **params: Any) -> str:
        """The ARN of a new listener that answers 200 to everything."""
        given = {"Protocol": "HTTP", "DefaultActions": [HTML]} | params
        made = self("CreateListener", LoadBalancerArn=balancer, Port=port, **given)
        return str(made["Listeners"][0]["ListenerArn"])

    def group(self, name: str = "servers") -> str:
        """The ARN of a new target group."""
        made = self("CreateTargetGroup", Name=name, Protocol="HTTP", Port=80, VpcId=VPC)
        return str(made["TargetGroups"][0]["TargetGroupArn"])
