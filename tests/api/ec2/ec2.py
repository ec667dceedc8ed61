"""The operations of EC2 called by name. What goes in and what comes out is held against the service model each time."""

import functools
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from lb.api.call import ApiError, Result
from lb.api.ec2 import OPERATIONS
from lb.resources.defaults import default_network
from lb.resources.records import Kind, Record, Records
from tests.api.aws_call import ACCOUNT, REGION, Aws


@functools.cache
def model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("ec2")


def check_fits(values: Result, shape: Shape | None) -> None:
    """Required members are there, none is unknown, and all have the right types."""
    if shape is None:
        assert values == {}
        return
    report = ParamValidator().validate(dict(values), shape)
    assert not report.has_errors(), report.generate_report()


class Ec2:
    """EC2 in one account, with the default network of its region."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        aws.records = Records(default_network(REGION, ACCOUNT))

    def __call__(self, operation: str, *, region: str = "", **params: Any) -> Any:
        """Calls an operation and carries out what it changes."""
        described = model().operation_model(operation)
        check_fits(params, described.input_shape)
        result = self.aws.do(OPERATIONS[operation], region=region, **params)
        check_fits(result, described.output_shape)
        return result

    def refused(self, operation: str, *, region: str = "", **params: Any) -> ApiError:
        """The error that an operation answers."""
        check_fits(params, model().operation_model(operation).input_shape)
        return self.aws.refused(OPERATIONS[operation], region=region, **params)

    def code(self, operation: str, **params: Any) -> str:
        """The code of the error that an operation answers."""
        return self.refused(operation, **params).code

    def only(self, kind: Kind, **shape: Any) -> Record:
        """The one record of a kind whose shape has these values."""
        found = [each for each in self.aws.records.all(kind) if shape.items() <= dict(each.shape).items()]
        assert len(found) == 1, [each.id for each in found]
        return found[0]

    @property
    def vpc(self) -> str:
        """The default VPC."""
        return self.only(Kind.VPC, IsDefault=True).id

    @property
    def group(self) -> str:
        """The default security group of the default VPC."""
        return self.only(Kind.SECURITY_GROUP, GroupName="default", VpcId=self.vpc).id

    def subnet(self, zone: str = "a") -> str:
        """The default subnet of a zone."""
        return self.only(Kind.SUBNET, DefaultForAz=True, AvailabilityZone=f"{REGION}{zone}").id

    def image(self) -> str:
        """A public image."""
        return str(self("DescribeImages", Owners=["amazon"])["Images"][0]["ImageId"])

    def run(self, count: int = 1, **params: Any) -> list[str]:
        """The ids of new instances that run."""
        made = self("RunInstances", **{"ImageId": self.image(), "MinCount": count, "MaxCount": count} | params)
        self.settle()
        return [instance["InstanceId"] for instance in made["Instances"]]

    def instance(self, instance_id: str) -> Any:
        """An instance as it is described."""
        (reservation,) = self("DescribeInstances", InstanceIds=[instance_id])["Reservations"]
        (instance,) = reservation["Instances"]
        return instance

    def settle(self) -> None:
        """What is wished of the instances has happened."""
        for instance in self.aws.records.all(Kind.INSTANCE):
            self.aws.live.instances[instance.id] = instance.more["desired"]

    def balancer(self, name: str = "web", **shape: Any) -> str:
        """The ARN of a load balancer in two zones, with the default security group."""
        arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/{name}/0123456789abcdef"
        zones = [{"ZoneName": f"{REGION}{zone}", "SubnetId": self.subnet(zone)} for zone in "ab"]
        given = {"LoadBalancerArn": arn, "VpcId": self.vpc, "Type": "application", "Scheme": "internet-facing"}
        given |= {"AvailabilityZones": zones, "SecurityGroups": [self.group]}
        self.aws.put(Record(Kind.LOAD_BALANCER, arn, REGION, ACCOUNT, given | shape))
        return arn
