"""A running `lb up` as clients see it: the endpoint of the AWS APIs, and what its load balancers answer."""

import contextlib
import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.support.lb_process import LbProcess, free_port, lb, until

REGION = "us-east-1"
# Whatever the machine has set for AWS, Terraform or proxies must reach neither the clients nor the endpoint.
_FOREIGN = re.compile(r"AWS_|TF_|ANSIBLE_|LB_|(https?|all|no)_proxy", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the APIs are, the one port that the test's load balancers may listen on, and a folder for clients."""

    process: LbProcess
    folder: Path
    api_port: int
    port: int

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is set to."""
        return f"http://127.0.0.1:{self.api_port}"

    def environment(self) -> dict[str, str]:
        """The environment of a client: this Python's tools, this endpoint, and nothing else that AWS's tools look at."""
        kept = {name: value for name, value in os.environ.items() if _FOREIGN.match(name) is None}
        return {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def run(self, command: Sequence[object], within_s: float, **more: str) -> "subprocess.CompletedProcess[str]":
        """Runs a client to its end, in the folder of the test."""
        return subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env={**self.environment(), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
        )

    @contextlib.contextmanager
    def client(self, service: str, key: str = "test", secret: str = "test", region: str = REGION) -> Iterator[Any]:
        """A boto3 client, closed at the end."""
        session = boto3.Session(key, secret, region_name=region)
        with contextlib.closing(session.client(service, endpoint_url=self.url)) as client:
            yield client

    def until_healthy(self, target_group: str, count: int) -> None:
        """Waits until `count` targets of a target group are healthy, and no other is registered."""

        def states() -> list[str]:
            arn = elbv2.describe_target_groups(Names=[target_group])["TargetGroups"][0]["TargetGroupArn"]
            described = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            return [each["TargetHealth"]["State"] for each in described]

        with self.client("elbv2") as elbv2:
            until(lambda: states() == ["healthy"] * count, f"{target_group} with {count} healthy targets", within_s=90)

    def page(self, path: str = "/", **headers: str) -> tuple[int, str]:
        """Status and body of a GET through the load balancer on `port`."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def post(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer to a call made by hand, without a signature."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=30)) as connection:
            connection.request("POST", "/", body, {**form, **headers})
            response = connection.getresponse()
            return response.status, response.read()


@contextlib.contextmanager
def running_endpoint(folder: Path, **environment: str) -> Iterator[Endpoint]:
    """Runs `lb up` with its data in `folder`; it must end well when it is told to, and have no traceback to show."""
    api_port = free_port()
    with lb("up", "--api-port", api_port, "--data", folder / "data", cwd=folder, **environment) as process:
        process.says("AWS APIs and console on")
        yield Endpoint(process, folder, api_port, free_port())
        process.ctrl_c()
        assert process.ended() == 0, process.err
        assert "Traceback" not in process.err, process.err
