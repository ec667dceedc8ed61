"""What a lesson's start makes, with the same operations that a learner calls; all of it carries the lesson's tag."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

from lb.api.call import Call, Live, Result
from lb.api.calls import Calls
from lb.api.ec2.user_data import encoded
from lb.api.lessons import CannotBeginError
from lb.lessons.lesson import Group, Lesson, Server
from lb.lessons.snapshot import LESSON_TAG
from lb.model.reasons import TargetState

_IMAGE: Final = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
_EVERYWHERE: Final = [{"CidrIp": "0.0.0.0/0"}]
# Of a DB instance, which is the configured server whatever is asked for: the least that RDS takes.
_DATABASE: Final = {
    "Engine": "mysql",
    "DBInstanceClass": "db.t3.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "root",
    "ManageMasterUserPassword": True,
}
_RUNNING_WITHIN_S: Final = 20.0
_CHECKED_WITHIN_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.1
# The shortest that ELB allows: nobody waits for a health check longer than must be.
_HEALTH_CHECK: Final = {
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}


async def prepare(lesson: Lesson, calls: Calls, live: Live, region: str) -> None:
    """Makes what the lesson needs. Raises CannotBeginError, ApiError; what was made by then stays, with the tag."""
    needs = lesson.prepare
    database = live.database_endpoint()
    if needs.database and database is None:
        raise CannotBeginError(
            "this lesson needs a MySQL server: start the balancer with LB_DB_HOST (and LB_DB_PORT) set to one, "
            "or use the one of 'docker compose up'"
        )
    making = _Making(lesson, calls)
    made = await calls.together(region, making.instances_and_groups)
    await _running(live, list(made["Instances"].values()))
    await calls.together(region, lambda call: making.traffic(call, made))
    await _checked(live, list(made["Groups"].values()))
    if needs.database and database is not None:
        await calls.together(region, lambda call: making.database(call, made["WebGroup"], database[1]))


async def _running(live: Live, instances: Sequence[str]) -> None:
    deadline = monotonic() + _RUNNING_WITHIN_S
    while waiting := [each for each in instances if live.instance_state(each) != "running"]:
        if stopped := [each for each in waiting if live.instance_state(each) == "stopped"]:
            raise CannotBeginError(f"{', '.join(stopped)} did not start; the balancer's log says why")
        if monotonic() > deadline:
            raise CannotBeginError(f"not running within {_RUNNING_WITHIN_S:g} s: {', '.join(waiting)}")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _checked(live: Live, groups: Sequence[str]) -> None:
    """Waits for the first health check of each target: before it, those that were checked get all requests."""
    deadline = monotonic() + _CHECKED_WITHIN_S
    while monotonic() < deadline and any(  # noqa: ASYNC110 - a picture, not an event
        target.state == TargetState.INITIAL for group in groups for target in live.target_health(group)
    ):
        await asyncio.sleep(_LOOK_EVERY_S)


class _Making:
    """The operations for one lesson, each method within one call."""

    def __init__(self, lesson: Lesson, calls: Calls) -> None:
        self._id = lesson.id
        self._needs = lesson.prepare
        self._do = calls.within

    def instances_and_groups(self, call: Call) -> Result:
        """Security groups, instances by name, target groups by name."""
        made: dict[str, Any] = {"Instances": {}, "Groups": {}}
        if self._needs.servers:
            made["WebGroup"] = web = self._security_group(call, "web", "The web servers of a lesson")
            for server in self._needs.servers:
                made["Instances"][server.name] = self._instance(call, server, web)
        for group in self._needs.groups:
            made["Groups"][group.name] = self._target_group(call, group)
        if self._needs.load_balancer is not None:
            made["BalancerGroup"] = self._security_group(call, "lb", "The load balancer of a lesson")
            self._admit(call, made["BalancerGroup"], 80, IpRanges=_EVERYWHERE)
            self._admit(call, made["WebGroup"], 80, UserIdGroupPairs=[{"GroupId": made["BalancerGroup"]}])
        elif self._needs.servers:
            self._admit(call, made["WebGroup"], 80, IpRanges=_EVERYWHERE)
        return made

    def traffic(self, call: Call, made: Result) -> Result:
        """Targets, the load balancer and its listener."""
        for group in self._needs.groups:
            if group.servers:
                targets = [{"Id": made["Instances"][name]} for name in group.servers]
                self._do(call, "elbv2", "RegisterTargets", TargetGroupArn=made["Groups"][group.name], Targets=targets)
        if self._needs.load_balancer is not None:
            subnets = self._do(call, "ec2", "DescribeSubnets")["Subnets"]
            balancer = self._do(
                call,
                "elbv2",
                "CreateLoadBalancer",
                Name=self._needs.load_balancer,
                Subnets=[subnet["SubnetId"] for subnet in subnets if subnet["DefaultForAz"]][:2],
                SecurityGroups=[made["BalancerGroup"]],
                Tags=self._tags(),
            )["LoadBalancers"][0]
            first = made["Groups"][self._needs.groups[0].name]
            self._do(
                call,
                "elbv2",
                "CreateListener",
                LoadBalancerArn=balancer["LoadBalancerArn"],
                Protocol="HTTP",
                Port=80,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": first}],
                Tags=self._tags(),
            )
        return {}

    def database(self, call: Call, web: str, port: int) -> Result:
        """The DB instance, with a security group that lets the web servers in."""
        group = self._security_group(call, "database", "The database of a lesson")
        self._admit(call, group, port, UserIdGroupPairs=[{"GroupId": web}])
        return self._do(
            call,
            "rds",
            "CreateDBInstance",
            DBInstanceIdentifier=f"lesson-{self._id}",
            VpcSecurityGroupIds=[group],
            Tags=self._tags(),
            **_DATABASE,
        )

    def _tags(self, *more: Mapping[str, str]) -> list[Mapping[str, str]]:
        return [{"Key": LESSON_TAG, "Value": self._id}, *more]

    def _specified(self, resource_type: str, *more: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{"ResourceType": resource_type, "Tags": self._tags(*more)}]

    def _security_group(self, call: Call, role: str, description: str) -> str:
        made: str = self._do(
            call,
            "ec2",
            "CreateSecurityGroup",
            GroupName=f"lesson-{self._id}-{role}",
            Description=description,
            TagSpecifications=self._specified("security-group"),
        )["GroupId"]
        return made

    def _admit(self, call: Call, group: str, port: int, **sources: Any) -> None:
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **sources}
        self._do(call, "ec2", "AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[permission])

    def _instance(self, call: Call, server: Server, group: str) -> str:
        page = f"<html><body><p> {server.page or server.name} </p></body></html>"
        instances = self._do(
            call,
            "ec2",
            "RunInstances",
            ImageId=_IMAGE,
            MinCount=1,
            MaxCount=1,
            UserData=encoded(page),
            SecurityGroupIds=[group],
            TagSpecifications=self._specified("instance", {"Key": "Name", "Value": server.name}),
        )["Instances"]
        made: str = instances[0]["InstanceId"]
        return made

    def _target_group(self, call: Call, group: Group) -> str:
        vpcs = self._do(call, "ec2", "DescribeVpcs")["Vpcs"]
        arn: str = self._do(
            call,
            "elbv2",
            "CreateTargetGroup",
            Name=group.name,
            Protocol="HTTP",
            Port=80,
            VpcId=next(vpc["VpcId"] for vpc in vpcs if vpc["IsDefault"]),
            TargetType="instance",
            HealthCheckPath=group.health_check_path,
            Tags=self._tags(),
            **_HEALTH_CHECK,
        )["TargetGroups"][0]["TargetGroupArn"]
        # Nobody waits five minutes for a target to drain; and what the lesson asks for.
        attributes = {"deregistration_delay.timeout_seconds": "5", **group.attributes}
        self._do(
            call,
            "elbv2",
            "ModifyTargetGroupAttributes",
            TargetGroupArn=arn,
            Attributes=[{"Key": key, "Value": value} for key, value in attributes.items()],
        )
        return arn
