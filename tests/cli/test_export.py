"""`lb export` of a running balancer, and what its output makes when it is really used: the same balancer again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.lb_process import free_port, run_lb
from tests.support.rich_balancer import balancer_process, make_rich, told

FILE = """\
load_balancers:
  web:
    listeners:
      - port: {port}
        forward: web-servers
target_groups:
  web-servers:
    health_check: {{path: /health.php, interval: 2, timeout: 1, healthy_threshold: 2}}
    targets: ["127.0.0.1:8081", "web2.example:8082"]
"""


def exported(form, api, folder):
    result = run_lb("export", form, "--api", api, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """What a balancer with everything tells, and its exports."""
    folder = tmp_path_factory.mktemp("rich")
    with balancer_process(folder) as (api, elb):
        make_rich(elb)
        forms = {form: exported(form, api, folder) for form in ("aws-cli", "cloudformation", "terraform")}
        return told(elb), forms


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same without what the Terraform provider of this machine may not know."""
    folder = tmp_path_factory.mktemp("plain")
    with balancer_process(folder) as (api, elb):
        make_rich(elb, transforms=False)
        return told(elb), exported("terraform", api, folder)


def environment_for(api):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    region = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}
    return {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": api, **keys, **region}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_script_makes_the_same_balancer_elsewhere(rich, tmp_path):
    before, forms = rich
    with balancer_process(tmp_path / "second") as (api, elb):
        empty = tmp_path / "empty"
        empty.mkdir()
        ran = subprocess.run(
            ["bash"],
            input=forms["aws-cli"],
            cwd=empty,
            env=environment_for(api),
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout == ""
        assert told(elb) == before
    assert list(empty.iterdir()) == []


def plugin_folder():
    """Arguments of `terraform init` that find the AWS provider without a registry; None where this machine has none."""
    if Path(os.environ.get("TF_CLI_CONFIG_FILE", "~/.terraformrc")).expanduser().is_file():
        return []
    places = [Path.home() / ".terraform.d/plugins", Path("/usr/local/share/terraform/plugins"), *Path("/opt").glob("*")]
    for place in places:
        if (place / "registry.terraform.io/hashicorp/aws").is_dir():
            return [f"-plugin-dir={place}"]
    return None


@pytest.mark.where_present
def test_terraform_makes_the_same_balancer_and_sees_no_difference(plain, tmp_path):
    folder = plugin_folder()
    if shutil.which("terraform") is None or folder is None:
        pytest.skip("terraform, or a folder with its AWS provider, is not on this machine")
    before, text = plain
    (tmp_path / "main.tf").write_text(text)
    (tmp_path / "provider.tf").write_text(PROVIDER)
    with balancer_process(tmp_path / "second") as (api, elb):
        environment = environment_for(api)
        if folder:
            environment.pop("TF_CLI_CONFIG_FILE", None)

        def terraform(*arguments):
            return subprocess.run(
                ["terraform", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
            )

        assert terraform("init", *folder).returncode == 0
        assert terraform("fmt", "-check", "main.tf").returncode == 0, "the text is laid out as terraform fmt does"
        applied = terraform("apply", "-auto-approve", "-no-color")
        assert applied.returncode == 0, applied.stderr
        planned = terraform("plan", "-detailed-exitcode", "-no-color")
        assert planned.returncode == 0, planned.stdout
        assert without_order(told(elb)) == without_order(before)


PROVIDER = """\
provider "aws" {
  skip_metadata_api_check = true
}
"""


def without_order(value):
    """Terraform's sets have no order, and it numbers lone actions."""
    match value:
        case dict():
            return {key: without_order(each) for key, each in value.items() if key != "Order"}
        case list():
            return sorted(map(without_order, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def test_cfn_lint_finds_nothing_in_the_template(rich, tmp_path):
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    if not cfn_lint.exists():
        pytest.skip("cfn-lint is not installed")
    (tmp_path / "template.yaml").write_text(rich[1]["cloudformation"])
    done = subprocess.run([cfn_lint, "template.yaml"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_the_template_has_everything_and_refers_to_what_is_in_it(rich):
    before, forms = rich
    template = yaml.safe_load(forms["cloudformation"])
    resources = template["Resources"]
    types = [each["Type"].rsplit("::", 1)[1] for each in resources.values()]
    assert {kind: types.count(kind) for kind in set(types)} == {
        "TargetGroup": 3,
        "LoadBalancer": 2,
        "Listener": 2,
        "ListenerRule": 5,
    }
    assert set(references(resources)) <= resources.keys() | template["Parameters"].keys()
    assert set(template["Parameters"]) <= set(references(resources)), "a parameter that nothing uses"
    assert "arn:aws" not in json.dumps(resources)
    tags = resources["TargetGroupWebServers"]["Properties"]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == next(iter(before[4].values()))


def references(value):
    match value:
        case {"Ref": name}:
            yield name
        case dict():
            for each in value.values():
                yield from references(each)
        case list():
            for each in value:
                yield from references(each)


def test_what_only_a_newer_provider_knows_asks_for_it(rich, plain):
    assert '"version" = ">= 6.19"' in rich[1]["terraform"]
    assert '"version" = ">= 5.100"' in plain[1]


@pytest.fixture(scope="module")
def from_file(tmp_path_factory):
    """The API of a balancer whose configuration is a file."""
    folder = tmp_path_factory.mktemp("file")
    (folder / "lb.yaml").write_text(FILE.format(port=free_port()))
    with balancer_process(folder, "lb.yaml") as (api, _):
        yield api


def test_what_a_file_defines_is_exported_and_what_elb_would_not_take_is_told(from_file, tmp_path):
    result = run_lb("export", "aws-cli", "-o", "web.sh", "--api", from_file, cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout == "web.sh: 1 load balancer, 1 listener, 0 rules, 1 target group\n"
    assert result.stderr.splitlines() == [
        "note: target group web-servers: HealthCheckIntervalSeconds is 2 here; ELB takes 5 to 300, so it is 5",
        "note: target group web-servers: HealthCheckTimeoutSeconds is 1 here; ELB takes 2 to 120, so it is 2",
        "note: target group web-servers: ELB takes no target such as web2.example",
    ]
    text = (tmp_path / "web.sh").read_text()
    assert "# Note: target group web-servers: ELB takes no target such as web2.example\n" in text
    assert ': "${TARGET_WEB_SERVERS_2:?must be set}"' in text
    assert "--health-check-interval-seconds 5 " in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_script_that_must_be_given_something_says_so_before_it_makes_anything(from_file, tmp_path):
    text = exported("aws-cli", from_file, tmp_path)
    with balancer_process(tmp_path / "second") as (api, elb):
        ran = subprocess.run(
            ["bash"], input=text, env=environment_for(api), capture_output=True, text=True, timeout=240
        )
        assert ran.returncode != 0
        assert "TARGET_WEB_SERVERS_2: must be set" in ran.stderr
        assert elb.describe_target_groups()["TargetGroups"] == []


def test_errors_are_one_line_with_their_exit_codes(from_file, tmp_path):
    cases = (
        (("terraform", "--api", f"http://127.0.0.1:{free_port()}"), 3, "no balancer answers at"),
        (("terraform", "--api", from_file, "--region", "eu-west-1"), 1, "eu-west-1 has no load balancers"),
        (("terraform", "--api", from_file, "-o", "no/such/folder.tf"), 1, "folder.tf: cannot be written"),
        (("terraform", "--api", "nonsense"), 2, "--api"),
        (("pulumi", "--api", from_file), 2, "pulumi"),
    )
    for arguments, code, words in cases:
        result = run_lb("export", *arguments, cwd=tmp_path)
        assert result.returncode == code, (arguments, result.stderr)
        assert words in result.stderr
        assert "Traceback" not in result.stderr
