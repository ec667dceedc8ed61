"""Terraform and its AWS provider: a load balancer is applied, planned again without a difference, changed and destroyed.

Nothing is downloaded: the provider comes from a folder of this machine, laid out as Terraform's filesystem mirrors are.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from lb.compute.website import front_page
from tests.flows.endpoint import Endpoint

CONFIGURATION = Path(__file__).parent / "terraform_balancer.tf"
PROVIDER = "registry.terraform.io/hashicorp/aws"
# Folders that Terraform looks in by itself, and where machines without network have them.
MIRRORS = ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt/*")
# aws_lb waits 30 s after creation and 30 s after its attributes before it looks for the first time.
APPLY_LIMIT_S = 480


def find_mirror() -> Path | None:
    """The plugins folder that has the AWS provider."""
    given = os.environ.get("TF_PLUGIN_MIRROR_DIR")
    for pattern in (given,) if given else MIRRORS:
        path = Path(pattern).expanduser()
        for found in path.parent.glob(path.name):
            if (found / PROVIDER).is_dir():
                return found
    return None


class Terraform:
    """`terraform` in a folder of its own with the configuration of the test."""

    def __init__(self, endpoint: Endpoint, mirror: Path) -> None:
        self._endpoint = endpoint
        self._folder = endpoint.folder / "terraform"
        self._folder.mkdir()
        shutil.copy(CONFIGURATION, self._folder)
        self._settings = self._folder / "terraform.rc"
        self._settings.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n', encoding="utf-8"
        )

    def run(self, *arguments: str, **variables: object) -> str:
        """What it says; fails unless it exits with 0."""
        (self._folder / "terraform.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        done = self._endpoint.run(
            ["terraform", f"-chdir={self._folder}", *arguments, "-no-color", "-input=false"],
            within_s=APPLY_LIMIT_S,
            TF_CLI_CONFIG_FILE=str(self._settings),
            TF_IN_AUTOMATION="1",
            CHECKPOINT_DISABLE="1",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def terraform(endpoint):
    """Terraform, ready to plan."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    mirror = find_mirror()
    if mirror is None:
        pytest.skip("no folder of this machine has Terraform's AWS provider (TF_PLUGIN_MIRROR_DIR names one)")
    made = Terraform(endpoint, mirror)
    made.run("init")
    return made


@pytest.mark.where_present
def test_applied_planned_changed_and_destroyed(endpoint, terraform, targets):
    shape = {
        "listener_port": endpoint.port,
        "target_ports": {"blue": targets[0], "green": targets[1]},
        "weights": {"blue": 1, "green": 0},
    }
    applied = terraform.run("apply", "-auto-approve", **shape)
    assert "9 added, 0 changed, 0 destroyed" in applied
    endpoint.until_healthy("terraform-blue", 1)
    assert [endpoint.page()[1] for _ in range(3)] == [front_page(1)] * 3
    assert endpoint.page("/lost/page") == (410, "gone")
    asked = {"Host": "old.example.com", "X-Version": "1.4"}
    assert [endpoint.page("/?page=2", **asked)[0], endpoint.page("/?side=2", **asked)[0]] == [302, 200]

    # With this option a plan that would change anything exits with 2.
    terraform.run("plan", "-detailed-exitcode", **shape)
    changed = {**shape, "weights": {"blue": 0, "green": 5}, "message": "gone for good"}
    assert "0 added, 2 changed, 0 destroyed" in terraform.run("apply", "-auto-approve", **changed)
    assert [endpoint.page()[1] for _ in range(3)] == [front_page(2)] * 3
    assert endpoint.page("/gone") == (410, "gone for good")

    assert "9 destroyed" in terraform.run("destroy", "-auto-approve", **changed)
    with endpoint.client("elbv2") as elbv2, endpoint.client("ec2") as ec2:
        assert elbv2.describe_load_balancers()["LoadBalancers"] == []
        assert elbv2.describe_target_groups()["TargetGroups"] == []
        assert [group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]
    with pytest.raises(ConnectionRefusedError):
        endpoint.page()
