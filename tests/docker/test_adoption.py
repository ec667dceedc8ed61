"""`lb up --docker` for real: containers that are started, stopped and removed with docker are instances and targets."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docker.composition import BASE_IMAGE, BUILD_LIMIT_S, ROOT, STEP_LIMIT_S, need_engine, need_image, wait_for
from tests.flows.endpoint import Endpoint
from tests.support.lb_process import free_port, lb, run_lb

pytestmark = pytest.mark.docker

SOCKET = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
# Of this process alone: whoever else tests on this engine has containers with the label too.
NAME = f"local-alb-test-{os.getpid()}"
# A look at the engine every 2 s, up to 5 s until a container has stopped, two health checks 5 s apart.
NOTICED_S = 120.0


def docker(*arguments: str, limit_s: float = STEP_LIMIT_S) -> str:
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(["docker", *arguments], env=environment, capture_output=True, text=True, timeout=limit_s)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Shop:
    """A balancer with a target group of instances that takes containers."""

    endpoint: Endpoint
    ec2: Any
    elbv2: Any
    target_group: str

    def run(self, number: int, *options: str) -> str:
        """Starts a container that asks to be a target; its name."""
        name = f"{NAME}-web{number}"
        labels = ("--label", f"lb.target-group={NAME}")
        docker(
            "run", "--detach", "--name", name, *labels, "--env", f"WEB_SERVER_NAME=Web Server {number}", *options, NAME
        )
        return name

    def instance(self, name: str) -> dict[str, Any] | None:
        """What describe-instances tells of a container, by its Name tag."""
        wanted = [{"Name": "tag:Name", "Values": [name]}]
        found = [
            each
            for reservation in self.ec2.describe_instances(Filters=wanted)["Reservations"]
            for each in reservation["Instances"]
        ]
        assert len(found) < 2
        return found[0] if found else None

    def state(self, name: str) -> str | None:
        """The state of a container's instance."""
        found = self.instance(name)
        return None if found is None else str(found["State"]["Name"])

    def health(self) -> dict[str, str]:
        """Each target's state; one that drains is among them."""
        described = self.elbv2.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in described}

    def health_of(self, name: str) -> str | None:
        """The state of a container as a target."""
        found = self.instance(name)
        return None if found is None else self.health().get(found["InstanceId"])

    def until_health(self, name: str, state: str) -> None:
        wait_for(lambda: self.health_of(name) == state, NOTICED_S, f"{name} {state}", lambda: str(self.health()))

    def pages(self, count: int) -> set[str]:
        """What the load balancer answers."""
        answers = [self.endpoint.page() for _ in range(count)]
        assert {status for status, _ in answers} == {200}, answers
        return {body.removeprefix("<html><body><p> ").removesuffix(" </p></body></html>") for _, body in answers}


@pytest.fixture(scope="module")
def image() -> Iterator[None]:
    """The shipped web server, under NAME."""
    need_engine()
    if not SOCKET.is_socket():
        pytest.skip(f"the Docker engine has no socket at {SOCKET}")
    need_image(BASE_IMAGE)
    docker("build", "--quiet", "--tag", NAME, str(ROOT / "backends"), limit_s=BUILD_LIMIT_S)
    try:
        yield
    finally:
        containers = docker("ps", "--all", "--quiet", "--filter", f"label=lb.target-group={NAME}").split()
        if containers:
            docker("rm", "--force", "--volumes", *containers)
        docker("image", "rm", "--no-prune", NAME)


@pytest.fixture(scope="module")
def shop(image: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("adoption")
    api_port = free_port()
    arguments = ("--docker", SOCKET, "--api-port", api_port, "--data", folder / "data")
    with lb("up", *arguments, cwd=folder) as process:
        process.says("AWS APIs and console on")
        endpoint = Endpoint(process, folder, api_port, free_port())
        with endpoint.client("ec2") as ec2, endpoint.client("elbv2") as elbv2:
            yield Shop(endpoint, ec2, elbv2, make_load_balancer(ec2, elbv2, endpoint.port))
        process.ctrl_c()
        assert process.ended() == 0, process.err
        assert "Traceback" not in process.err, process.err
        assert "not adopted" not in process.err, process.err


def make_load_balancer(ec2: Any, elbv2: Any, port: int) -> str:
    """A load balancer that forwards all to a target group of instances; the group's ARN."""
    subnets = ec2.describe_subnets()["Subnets"]
    (group,) = elbv2.create_target_group(
        Name=NAME,
        Protocol="HTTP",
        Port=80,
        VpcId=subnets[0]["VpcId"],
        HealthCheckPath="/health.php",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"]
    arn: str = group["TargetGroupArn"]
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
    )
    zones = [subnet["SubnetId"] for subnet in subnets[:2]]
    (balancer,) = elbv2.create_load_balancer(Name="shop", Subnets=zones)["LoadBalancers"]
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    return arn


@pytest.fixture(scope="module")
def web1(shop: Shop) -> str:
    return shop.run(1, "--label", "lb.port=80")


@pytest.fixture(scope="module")
def web2(shop: Shop) -> str:
    return shop.run(2)


@pytest.fixture
def both(shop: Shop, web1: str, web2: str) -> tuple[str, str]:
    """Two containers in use, whatever the test before left behind."""
    for name in (web1, web2):
        docker("start", name)
    for name in (web1, web2):
        shop.until_health(name, "healthy")
    return web1, web2


def runs(name: str) -> bool:
    return docker("inspect", "--format", "{{.State.Running}}", name) == "true"


def test_containers_become_instances_that_are_registered_healthy_and_asked(shop: Shop, both: tuple[str, str]) -> None:
    assert [shop.state(name) for name in both] == ["running", "running"]
    assert len(shop.health()) == 2
    assert shop.pages(6) == {"Web Server 1", "Web Server 2"}


def test_stop_instances_stops_the_container_and_start_instances_starts_it(shop: Shop, both: tuple[str, str]) -> None:
    web1, _ = both
    instance = shop.instance(web1)
    assert instance is not None
    shop.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    wait_for(lambda: not runs(web1), NOTICED_S, "the container stopped")
    wait_for(lambda: shop.state(web1) == "stopped", NOTICED_S, "the instance stopped")
    assert shop.health_of(web1) == "unused"
    assert shop.pages(6) == {"Web Server 2"}

    shop.ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    wait_for(lambda: runs(web1), NOTICED_S, "the container started")
    shop.until_health(web1, "healthy")
    assert shop.pages(6) == {"Web Server 1", "Web Server 2"}


def test_a_container_started_by_hand_after_stop_instances_is_used_again(shop: Shop, both: tuple[str, str]) -> None:
    web1, _ = both
    instance = shop.instance(web1)
    assert instance is not None
    for _ in range(2):  # the second time shows that the wish of the first is forgotten
        shop.ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
        wait_for(lambda: shop.state(web1) == "stopped", NOTICED_S, "the instance stopped")
        assert not runs(web1)
        docker("start", web1)
        wait_for(lambda: shop.state(web1) == "running", NOTICED_S, "the instance running")
    shop.until_health(web1, "healthy")
    assert shop.pages(6) == {"Web Server 1", "Web Server 2"}


def test_a_container_stopped_by_hand_is_a_stopped_instance_that_can_be_started(
    shop: Shop, both: tuple[str, str]
) -> None:
    web1, _ = both
    docker("stop", web1)
    wait_for(lambda: shop.state(web1) == "stopped", NOTICED_S, "the instance stopped")
    assert shop.health_of(web1) == "unused"
    assert shop.pages(6) == {"Web Server 2"}
    instance = shop.instance(web1)
    assert instance is not None
    shop.ec2.start_instances(InstanceIds=[instance["InstanceId"]])
    shop.until_health(web1, "healthy")
    assert runs(web1)


def test_a_removed_container_takes_its_instance_and_its_target_along(shop: Shop, both: tuple[str, str]) -> None:
    web3 = shop.run(3)
    shop.until_health(web3, "healthy")
    assert "Web Server 3" in shop.pages(9)
    docker("rm", "--force", "--volumes", web3)
    wait_for(lambda: shop.instance(web3) is None, NOTICED_S, "the instance gone")
    wait_for(lambda: len(shop.health()) == 2, NOTICED_S, "the target gone, after draining", lambda: str(shop.health()))
    assert shop.pages(6) == {"Web Server 1", "Web Server 2"}


def test_without_an_engine_the_balancer_says_so_once_and_goes_on(tmp_path: Path) -> None:
    api_port = free_port()
    with lb("up", "--docker", tmp_path / "no.sock", "--api-port", api_port, cwd=tmp_path) as process:
        process.says(f"containers are not adopted: the Docker engine at {tmp_path / 'no.sock'} does not answer")
        status = run_lb("status", "--json", "--api", f"http://127.0.0.1:{api_port}", cwd=tmp_path)
        assert json.loads(status.stdout)["load_balancers"] == []
        process.ctrl_c()
        assert process.ended() == 0
        assert process.err.count("not adopted") == 1
