"""A learner at a running balancer: types what the lesson's steps say into a shell, and looks at what is still missing."""

import contextlib
import json
import os
import random
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lb.resources.places import Placing
from tests.flows.endpoint import REGION
from tests.support.aws_endpoint import Endpoint, served
from tests.support.lb_process import free_port, until

_SHELL_S = 240.0


class Learner:
    """Learns one lesson. `folder` is where the shell is; the balancer's data folder is `lb-data` in it."""

    def __init__(
        self, endpoint: Endpoint, lesson: str, folder: Path, address: str, http_port: int, environment: dict[str, str]
    ) -> None:
        self.endpoint = endpoint
        self.lesson = lesson
        self._folder = folder
        self._http_port = http_port
        self._environment = environment
        self._home(address)

    def _home(self, address: str) -> None:
        """What `~/.curlrc` does here: the tests of several sessions cannot share 127.0.0.1:80."""
        (self._folder / ".curlrc").write_text(f'connect-to = ":80:{address}:80"\n')

    def login(self, user: str, password: str) -> None:
        """The database's login, as the shell's environment has it."""
        self._environment |= {"LB_DB_USER": user, "LB_DB_PASSWORD": password}

    def api(self, path: str, body: object = None, *, post: bool = False) -> tuple[int, Any]:
        """Status and JSON of a call of the balancer's own API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.endpoint.port}/_lb/lessons{path}",
            data=json.dumps(body).encode() if body is not None else None,
            method="POST" if post else "GET",
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def start(self) -> dict[str, Any]:
        """Begins the lesson."""
        status, told = self.api(f"/{self.lesson}/start", post=True)
        assert status == 200, told
        return told

    def look(self, lang: str = "en") -> dict[str, Any]:
        """The lesson as it is now."""
        status, told = self.api(f"/{self.lesson}?lang={lang}")
        assert status == 200, told
        return told

    def shell(self, script: str, *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs a script as a learner would; the commands stop at the first that fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SHELL_S,
        )
        assert not check or done.returncode == 0, (script, done.stdout, done.stderr)
        return done

    def solve(self, number: int, within_s: float = 90.0) -> None:
        """Does step `number` (from 0) as it says: red before, green after, and the next one red."""
        before = self.look()
        assert before["done"] == number, before
        step = before["steps"][number]
        assert step["state"] == "now"
        assert step["missing"], f"step {number} of lesson {self.lesson} is green before anything was done"
        assert len(self.look("ko")["steps"][number]["missing"]) == len(step["missing"])
        done = self.shell(step["cli"])
        until(lambda: self.look()["done"] > number, f"{step['title']}: {done.stdout}{done.stderr}", within_s=within_s)
        after = self.look()
        assert after["done"] == number + 1, "the next step is green before anything was done"
        assert after["steps"][number]["state"] == "done"

    def database_seen_by_the_server(self) -> str:
        """How the only running web server finds the database, on its page /info.php."""
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        (found,) = self.endpoint.client("ec2").describe_instances(Filters=running)["Reservations"]
        where = f"http://{found['Instances'][0]['PublicIpAddress']}:{self._http_port}/info.php?format=json"
        with urllib.request.urlopen(where, timeout=30) as answer:
            outcome: str = json.load(answer)["database"]["outcome"]
        return outcome

    def instance_states(self) -> set[str]:
        """Of all instances."""
        reservations = self.endpoint.client("ec2").describe_instances()["Reservations"]
        return {each["State"]["Name"] for reservation in reservations for each in reservation["Instances"]}

    def resources(self) -> dict[str, set[str]]:
        """What there is, beside what every account has; by kind."""
        elbv2, ec2, rds = map(self.endpoint.client, ("elbv2", "ec2", "rds"))
        instances = [
            instance
            for reservation in ec2.describe_instances()["Reservations"]
            for instance in reservation["Instances"]
            if instance["State"]["Name"] not in ("terminated", "shutting-down")
        ]
        return {
            "load balancers": {each["LoadBalancerName"] for each in elbv2.describe_load_balancers()["LoadBalancers"]},
            "target groups": {each["TargetGroupName"] for each in elbv2.describe_target_groups()["TargetGroups"]},
            "security groups": {each["GroupName"] for each in ec2.describe_security_groups()["SecurityGroups"]},
            "images": {each["Name"] for each in ec2.describe_images(Owners=["self"])["Images"]},
            "instances": {each["InstanceId"] for each in instances},
            "DB instances": {each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]},
        }


@contextlib.contextmanager
def learning(lesson: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[Learner]:
    """A learner of one lesson at a balancer of its own, on an address and ports that no other test uses."""
    address = f"127.0.{random.randrange(128, 250)}.{random.randrange(2, 250)}"
    port = free_port()
    monkeypatch.setattr("lb.app.find_placing", lambda: Placing(http_port=port))
    data = folder / "lb-data"
    data.mkdir(exist_ok=True)
    with served(data, host=address, **settings) as endpoint:
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "LB_"))}
        url = f"http://127.0.0.1:{endpoint.port}"
        environment = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "LB_API": url,
        }
        learner = Learner(endpoint, lesson, folder, address, port, environment)
        yield learner
        until(lambda: "shutting-down" not in learner.instance_states(), "instances that were terminated have ended")
