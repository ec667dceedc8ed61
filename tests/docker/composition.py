"""The shipped docker-compose.yml as tests drive it: Compose v1 or v2, a project name and ports of its own."""

import dataclasses
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.apache import free_port

ROOT = Path(__file__).parent.parent.parent
STAND_INS = "tests/docker/stand-ins.sh makes what is missing"
BASE_IMAGE = "debian:trixie-slim"
MYSQL_IMAGE = "mysql:8.4"
MYSQL_STAND_IN = "local-alb/mysql-stand-in:1"

BUILD_LIMIT_S = 900
PULL_LIMIT_S = 300
STEP_LIMIT_S = 300

SERVICES = ("lb", "web1", "web2", "mysql")
WORDPRESS_SERVICES = ("wordpress-lb", "wordpress1", "wordpress2")


@dataclasses.dataclass(frozen=True)
class Composition:
    """One project: `command` is `docker compose` or `docker-compose`; traffic and API are on 127.0.0.1.

    `configuration` is a copy of the shipped lb.yaml, mounted in the balancer's container, for tests to change. `services`
    are those that `up` starts, the profile's included.
    """

    command: Sequence[str]
    project: str
    port: int
    api_port: int
    wordpress_port: int
    configuration: Path
    environment: Mapping[str, str]
    profiles: Sequence[str]
    services: Sequence[str]

    @property
    def is_v1(self) -> bool:
        return "version 1." in _output([*self.command, "version"])

    def run(self, *arguments: str, limit_s: float = STEP_LIMIT_S) -> str:
        """Runs one Compose command; what it printed. A failure shows everything that it said."""
        done = subprocess.run(
            [
                *self.command,
                "--project-name",
                self.project,
                *(f"--profile={each}" for each in self.profiles),
                *arguments,
            ],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
        )
        if done.returncode != 0:
            raise AssertionError(
                f"compose {' '.join(arguments)}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done.stdout

    def up(self, *arguments: str) -> None:
        """`up`, until all is healthy: by itself with v2's --wait, by looking with v1, which has no such thing."""
        if self.is_v1:
            self.run("up", "--detach", *arguments, limit_s=BUILD_LIMIT_S)
        else:
            self.run("up", "--detach", "--wait", *arguments, limit_s=BUILD_LIMIT_S)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Returns when the health check of every service passed."""
        for service in self.services:
            wait_for(partial(self._healthy, service), STEP_LIMIT_S, f"{service} healthy", self.logs)

    def container_ids(self, service: str) -> list[str]:
        """The service's containers, the stopped ones too."""
        return self.run("ps", "--all", "--quiet", service).split()

    def inspect(self, service: str) -> dict[str, Any]:
        """What Docker knows of the service's first container."""
        found: list[dict[str, Any]] = json.loads(_output(["docker", "inspect", self.container_ids(service)[0]]))
        return found[0]

    def exit_code(self, container: str) -> int:
        """How a stopped container ended; 137 is Docker's SIGKILL."""
        return int(_output(["docker", "inspect", "--format", "{{.State.ExitCode}}", container]))

    def address(self, service: str) -> str:
        """The container's address in the project's network."""
        (network,) = self.inspect(service)["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def gateway(self) -> str:
        """This machine's address in the project's network."""
        (network,) = self.inspect("lb")["NetworkSettings"]["Networks"].values()
        return str(network["Gateway"])

    def logs(self) -> str:
        """The last lines of every service."""
        return self.run("logs", "--no-color", "--tail=30")

    def volumes(self) -> list[str]:
        """Names of the project's volumes."""
        label = f"label=com.docker.compose.project={self.project}"
        return _output(["docker", "volume", "ls", "--quiet", "--filter", label]).split()

    def down(self) -> None:
        """Removes containers, networks, volumes and the images' names; the layers stay, as a cache for the next run."""
        images = _output(
            ["docker", "image", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}"]
        ).split()
        names = [f"{self.project}{joint}{service}" for joint in "_-" for service in self.services]
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "5")
        subprocess.run(
            ["docker", "image", "rm", "--no-prune", *names, *images], capture_output=True, timeout=STEP_LIMIT_S
        )

    def _healthy(self, service: str) -> bool:
        containers = self.container_ids(service)
        health = [_output(["docker", "inspect", "--format", "{{.State.Health.Status}}", each]) for each in containers]
        return bool(health) and all(each.strip() == "healthy" for each in health)


def create_composition(directory: Path, *, wordpress: bool = False) -> Composition:
    """A project with a name, ports and a configuration (in `directory`) of its own; with the profile `wordpress`, if wanted.

    Skips the test when this machine cannot run it.
    """
    need_engine()
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and _succeeds([*command, "version"], limit_s=60):
            break
    else:
        pytest.skip("no Docker Compose on this machine (Debian: apt-get install docker-compose)")
    environment = dict(os.environ)
    environment["LB_MYSQL_IMAGE"] = _mysql_image(environment.get("LB_MYSQL_IMAGE"))
    need_image(BASE_IMAGE)
    if not _succeeds(["docker", "buildx", "version"], limit_s=60):
        # Debian's docker.io is without buildx; the newer clients then refuse to build unless told so.
        environment |= {"DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}
    port, api_port, wordpress_port, wordpress_api_port = free_port(), free_port(), free_port(), free_port()
    # Readable for the balancer's user in its container, which owns nothing here.
    directory.chmod(0o755)
    configuration = directory / "lb.yaml"
    shutil.copyfile(ROOT / "compose" / "lb.yaml", configuration)
    configuration.chmod(0o644)
    environment |= {"LB_PORT": str(port), "LB_API_PORT": str(api_port), "LB_CONFIG_DIR": str(directory)}
    environment |= {"LB_WORDPRESS_PORT": str(wordpress_port), "LB_WORDPRESS_API_PORT": str(wordpress_api_port)}
    return Composition(
        command,
        f"local-alb-test-{os.getpid()}",
        port,
        api_port,
        wordpress_port,
        configuration,
        environment,
        profiles=("wordpress",) if wordpress else (),
        services=(*SERVICES, *WORDPRESS_SERVICES) if wordpress else SERVICES,
    )


def need_engine() -> None:
    """Skips the test when no Docker engine answers."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command on this machine (Debian: apt-get install docker.io docker-compose)")
    if not _succeeds(["docker", "version"], limit_s=60):
        pytest.skip("no Docker engine answers (as root, tests/docker/engine.sh start starts one)")


def need_image(image: str) -> None:
    """Skips the test when the image is not here and cannot be pulled."""
    if not _have_image(image) and not _succeeds(["docker", "pull", "--quiet", image], limit_s=PULL_LIMIT_S):
        pytest.skip(f"the image {image} is not here and cannot be pulled ({STAND_INS})")


def wait_for(condition: Callable[[], bool], limit_s: float, what: str, more: Callable[[], str] = str) -> None:
    """Returns as soon as `condition` holds; fails, with `what` and what `more` tells, when it does not in time."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:.0f} s: {what}\n{more()}")
        time.sleep(0.2)


def _mysql_image(wanted: str | None) -> str:
    if wanted is None and not _have_image(MYSQL_IMAGE) and _have_image(MYSQL_STAND_IN):
        return MYSQL_STAND_IN
    image = wanted or MYSQL_IMAGE
    need_image(image)
    return image


def _have_image(image: str) -> bool:
    return _succeeds(["docker", "image", "inspect", image], limit_s=60)


def _succeeds(command: Sequence[str], *, limit_s: float) -> bool:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=STEP_LIMIT_S).stdout
