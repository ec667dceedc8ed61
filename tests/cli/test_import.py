"""`lb import`: what the AWS CLI describes of a production balancer, brought up here, and what is said to be lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lb_process import free_port, get, run_lb, web_servers
from tests.support.rich_balancer import balancer_process, make_rich, told

ACCOUNT = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012"
BALANCER = f"{ACCOUNT}:loadbalancer/app/shop/50dc6c495c0c9188"
WEB, API = f"{ACCOUNT}:targetgroup/web/73e2d6bc24d8a067", f"{ACCOUNT}:targetgroup/api/83e2d6bc24d8a068"
HTTP, HTTPS = (
    f"{ACCOUNT}:listener/app/shop/50dc6c495c0c9188/{end}" for end in ("f2f7dc8efc522ab2", "0467ef3c8400ae65")
)
RULE = f"{ACCOUNT}:listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/"


def group(arn, **more):
    return {
        "TargetGroupArn": arn,
        "TargetGroupName": arn.split("/")[1],
        "Protocol": "HTTP",
        "Port": 80,
        "VpcId": "vpc-3ac0fb5f",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/health.php",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [BALANCER],
        "TargetType": "instance",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
        **more,
    }


def forward(*groups):
    tuples = [{"TargetGroupArn": arn, "Weight": 1} for arn in groups]
    config = {"TargetGroups": tuples, "TargetGroupStickinessConfig": {"Enabled": False}}
    lone = {"TargetGroupArn": groups[0]} if len(groups) == 1 else {}
    return {"Type": "forward", **lone, "Order": 2, "ForwardConfig": config}


LOGIN = {
    "Type": "authenticate-cognito",
    "Order": 1,
    "AuthenticateCognitoConfig": {"UserPoolArn": "arn:x", "UserPoolClientId": "y", "UserPoolDomain": "z"},
}
TO_HTTPS = {
    "Type": "redirect",
    "RedirectConfig": {
        "Protocol": "HTTPS",
        "Port": "443",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    },
}


def rule(name, priority, actions, path):
    values = {"Values": [path]}
    conditions = [{"Field": "path-pattern", **values, "PathPatternConfig": values}] if path else []
    return {
        "RuleArn": RULE + name,
        "Priority": priority,
        "Conditions": conditions,
        "Actions": actions,
        "IsDefault": priority == "default",
    }


def targets(*names):
    described = [
        {"Target": {"Id": name, "Port": 8080}, "HealthCheckPort": "8080", "TargetHealth": {"State": "healthy"}}
        for name in names
    ]
    gone = {"Target": {"Id": "i-0dead", "Port": 8080}, "TargetHealth": {"State": "draining"}}
    return {"TargetHealthDescriptions": [*described, gone]}


def attributes(**values):
    return {"Attributes": [{"Key": key.replace("__", "."), "Value": value} for key, value in values.items()]}


DOCUMENTS = {
    "load-balancers": {
        "LoadBalancers": [
            {
                "LoadBalancerArn": BALANCER,
                "DNSName": "shop-1.ap-northeast-2.elb.amazonaws.com",
                "LoadBalancerName": "shop",
                "Scheme": "internet-facing",
                "VpcId": "vpc-3ac0fb5f",
                "State": {"Code": "active"},
                "Type": "application",
                "AvailabilityZones": [
                    {"ZoneName": f"ap-northeast-2{zone}", "SubnetId": f"subnet-{zone}", "LoadBalancerAddresses": []}
                    for zone in "ac"
                ],
                "SecurityGroups": ["sg-5943793c"],
                "IpAddressType": "ipv4",
            },
            {"LoadBalancerArn": f"{ACCOUNT}:loadbalancer/net/tcp/1", "LoadBalancerName": "tcp", "Type": "network"},
        ]
    },
    "listeners": {
        "Listeners": [
            {
                "ListenerArn": HTTP,
                "LoadBalancerArn": BALANCER,
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [TO_HTTPS],
            },
            {
                "ListenerArn": HTTPS,
                "LoadBalancerArn": BALANCER,
                "Port": 443,
                "Protocol": "HTTPS",
                "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
                "Certificates": [{"CertificateArn": "arn:aws:acm:ap-northeast-2:123456789012:certificate/x"}],
                "DefaultActions": [LOGIN, forward(WEB)],
                "MutualAuthentication": {"Mode": "off"},
            },
        ]
    },
    "rules": {
        "Rules": [
            rule("2", "20", [forward(f"{ACCOUNT}:targetgroup/gone/1")], "/gone"),
            rule("1", "10", [forward(API)], "/info"),
            rule("9", "default", [LOGIN, forward(WEB)], ""),
        ]
    },
    "target-groups": {
        "TargetGroups": [group(WEB), group(API, TargetType="ip", Protocol="HTTPS", HealthCheckPort="9999")]
    },
    "target-health-web": targets("i-0abc", "i-0def"),
    "target-health-api": targets("10.0.1.5"),
    "attributes-of-web": attributes(deregistration_delay__timeout_seconds="30", stickiness__enabled="false"),
    "attributes-of-shop": attributes(
        deletion_protection__enabled="true", idle_timeout__timeout_seconds="90", from__the_future="yes"
    ),
    "tags": {
        "TagDescriptions": [
            {
                "ResourceArn": BALANCER,
                "Tags": [{"Key": "team", "Value": "shop"}, {"Key": "aws:cloudformation:stack-id", "Value": "x"}],
            }
        ]
    },
}


@pytest.fixture
def production(tmp_path):
    """A folder with a file for each answer of the AWS CLI."""
    folder = tmp_path / "production"
    folder.mkdir()
    for name, document in DOCUMENTS.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder


def bring_up(*arguments, cwd):
    return run_lb("import", "production", *arguments, cwd=cwd)


def moved(http, https):
    return ("--port", f"80={http}", "--port", f"443={https}")


def test_a_production_balancer_carries_traffic_to_local_servers(production, tmp_path):
    http, https = free_port(), free_port()
    with balancer_process(tmp_path / "lb") as (api, _), web_servers(1, 2, 3) as ports:
        result = bring_up(
            *moved(http, https),
            *("--map", f"i-0abc=127.0.0.1:{ports[1]}", "--map", f"i-0def:8080=localhost:{ports[2]}"),
            *("--map-group", f"api=127.0.0.1:{ports[3]}", "--api", api),
            cwd=tmp_path,
        )
        assert result.returncode == 0, result.stderr
        assert [line.split("  arn:")[0] for line in result.stdout.splitlines()] == [
            "made target group web",
            "made target group api",
            "made load balancer shop",
            f"made listener HTTP:{http}",
            f"made listener HTTP:{https}",
            "made rule 10",
        ]
        assert "arn:aws:elasticloadbalancing:ap-northeast-2:" in result.stdout
        ready = run_lb("wait", "web", "--healthy", 2, "--region", "ap-northeast-2", "--api", api, cwd=tmp_path)
        assert ready.returncode == 0, ready.stderr
        pages = [get(https)[1] for _ in range(4)]
        assert sorted(["Web Server 1" in page for page in pages]) == [False, False, True, True]
        assert "Web Server 3" in get(https, "/info")[1]
        assert get(http)[0] == 301


def test_every_loss_is_a_line(production, tmp_path):
    result = bring_up("--dry-run", "--port", "443=8443", "--map", "i-0abc=127.0.0.1:8081", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines() == [
        "note: target group web: the target i-0def:8080 has no place here (--map, --map-group, --instances)",
        "note: target group api: its targets are asked by HTTP, not HTTPS",
        "note: target group api: health checks go to the port of the traffic, not to 9999",
        "note: target group api: no file has its attributes, so they are ELB's defaults",
        "note: target group api: the target 10.0.1.5:8080 has no place here (--map, --map-group, --instances)",
        "note: load balancer shop: the default security group stands for sg-5943793c",
        "note: load balancer shop: the attribute from.the_future is unknown here and left out",
        "note: load balancer shop: deletion protection is off",
        "note: load balancer tcp: left out, network load balancers carry no traffic here",
        "note: listener HTTP:80 of shop: port 80 needs root; without, it is 8080 (or say --port 80=PORT)",
        "note: listener HTTP:80 of shop: no file has its rules, so it has its default action only",
        "note: default action of listener HTTP:80 of shop: redirects to HTTP in the place of HTTPS",
        "note: listener HTTPS:443 of shop: becomes HTTP:8443, without certificates and without encryption",
        "note: default action of listener HTTPS:443 of shop: authenticate-cognito needs HTTPS; requests pass without it",
        "note: rule 20 of HTTPS:443 of shop: the target group targetgroup/gone/1 is not here",
        "note: rule 20 of HTTPS:443 of shop: left out, nothing of it can be carried",
        "note: loadbalancer/app/shop/50dc6c495c0c9188: the tag aws:cloudformation:stack-id is reserved for AWS and left out",
    ]
    assert result.stdout.splitlines()[-1] == "would make rule 10"


def test_a_dry_run_needs_no_balancer_and_tells_the_same_as_json(production, tmp_path):
    nobody = ("--api", f"http://127.0.0.1:{free_port()}")
    told_ = json.loads(bring_up("--dry-run", "--json", *nobody, cwd=tmp_path).stdout)
    assert (told_["dry_run"], told_["region"]) == (True, "ap-northeast-2")
    assert {"what": "load balancer shop", "arn": ""} in told_["made"]
    assert any("tag aws:cloudformation" in note for note in told_["notes"])
    assert bring_up(*nobody, cwd=tmp_path).returncode == 3


def test_settings_come_along(production, tmp_path):
    with balancer_process(tmp_path / "lb") as (api, _):
        result = bring_up(*moved(free_port(), free_port()), "--region", "us-east-1", "--api", api, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        text = run_lb("export", "terraform", "--api", api, cwd=tmp_path).stdout
    for line in ("idle_timeout       = 90", "deregistration_delay = 30", '"team" = "shop"', 'values = ["/info"]'):
        assert line in text, text


def test_embedded_web_servers_stand_for_targets_without_a_place(production, tmp_path):
    https = free_port()
    with balancer_process(tmp_path / "lb") as (api, _):
        result = bring_up(*moved(free_port(), https), "--instances", "--api", api, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert "note: target group web: embedded web servers stand for i-0abc, i-0def;" in result.stderr
        ready = run_lb("wait", "web", "--healthy", 2, "--region", "ap-northeast-2", "--api", api, cwd=tmp_path)
        assert ready.returncode == 0, ready.stderr
        assert len({get(https)[1] for _ in range(4)}) == 2


def test_what_was_made_is_taken_back_when_a_call_fails(production, tmp_path):
    port = free_port()
    with balancer_process(tmp_path / "lb") as (api, elb):
        arguments = (*moved(port, port), "--region", "us-east-1", "--api", api)
        result = bring_up(*arguments, cwd=tmp_path)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith(
            "Error: CreateListener: The redirect configuration is not valid"
        )
        assert "left behind" not in result.stderr
        assert elb.describe_load_balancers()["LoadBalancers"] == []
        assert elb.describe_target_groups()["TargetGroups"] == []


def test_a_name_in_use_is_refused_before_anything_is_made(production, tmp_path):
    with balancer_process(tmp_path / "lb") as (api, elb):
        arguments = ("--region", "us-east-1", "--api", api)
        assert bring_up(*moved(free_port(), free_port()), *arguments, cwd=tmp_path).returncode == 0
        again = bring_up(*moved(free_port(), free_port()), *arguments, cwd=tmp_path)
        assert again.returncode == 1
        assert "there is a load balancer 'shop' here already: delete it" in again.stderr
        assert len(elb.describe_load_balancers()["LoadBalancers"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--map", "i-0abc"), 2, "'i-0abc' has no '='"),
        (("--map", "i-0abc=web:80"), 2, "'web:80' is not HOST:PORT, such as 127.0.0.1:8081"),
        (("--map", "i-0abc=127.0.0.1:0"), 2, "is not HOST:PORT"),
        (("--map", "i-0typo=127.0.0.1:80"), 2, "no target 'i-0typo' in the files"),
        (("--map-group", "wbe=127.0.0.1:80"), 2, "no target group 'wbe' in the files; they have api, web"),
        (("--port", "443=70000"), 2, "is not two ports"),
        (("--port", "444=8443"), 2, "no listener on port 444"),
        (("nothing.json",), 2, "nothing.json"),
    ],
)
def test_wrong_usage_is_one_clear_line(production, tmp_path, arguments, code, words):
    result = bring_up("--dry-run", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "production/bad.json: cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "bad: is not a JSON object"),
        ('{"Reservations": []}', "bad: has Reservations; this is no answer of"),
        ('{"Listeners": {}}', "bad: Listeners must be lists"),
        ('{"Listeners": [{"ListenerArn": "x"}]}', "an item has no 'LoadBalancerArn'"),
        ('{"Listeners": ["x"]}', "not what 'aws elbv2 describe-...' prints|an item has no"),
        ('{"TargetHealthDescriptions": []}', "end the name of the file in that, such as '...-web.json'"),
        ('{"Attributes": [{"Key": "x", "Value": "y"}]}', "those of no load balancer, listener or target group"),
        (json.dumps({"Listeners": [{"ListenerArn": "x", "LoadBalancerArn": BALANCER}]}), "not what 'aws elbv2"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(production, tmp_path, text, words):
    (production / "bad.json").write_text(text)
    result = bring_up("--dry-run", cwd=tmp_path)
    assert result.returncode == 1
    assert any(word in result.stderr for word in words.split("|")), result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


COLLECT = """\
set -euo pipefail
mkdir -p production && cd production
aws elbv2 describe-load-balancers > load-balancers.json
aws elbv2 describe-target-groups > target-groups.json
for arn in $(aws elbv2 describe-load-balancers --query 'LoadBalancers[].LoadBalancerArn' --output text); do
  name=$(cut -d/ -f3 <<< "$arn")
  aws elbv2 describe-load-balancer-attributes --load-balancer-arn "$arn" > "attributes-$name.json"
  aws elbv2 describe-listeners --load-balancer-arn "$arn" > "listeners-$name.json"
  aws elbv2 describe-tags --resource-arns "$arn" > "tags-$name.json"
  aws elbv2 describe-listeners --load-balancer-arn "$arn" --query 'Listeners[].[ListenerArn,Port]' --output text |
    while read -r listener port; do
      aws elbv2 describe-rules --listener-arn "$listener" > "rules-$name-$port.json"
      aws elbv2 describe-listener-attributes --listener-arn "$listener" > "attributes-$name-$port.json"
    done
done
for arn in $(aws elbv2 describe-target-groups --query 'TargetGroups[].TargetGroupArn' --output text); do
  name=$(cut -d/ -f2 <<< "$arn")
  aws elbv2 describe-target-health --target-group-arn "$arn" > "target-health-$name.json"
  aws elbv2 describe-target-group-attributes --target-group-arn "$arn" > "group-attributes-$name.json"
  aws elbv2 describe-tags --resource-arns "$arn" > "tags-group-$name.json"
done
"""


def test_the_docs_have_the_script_that_is_tested_here():
    text = (Path(__file__).parents[2] / "docs" / "export-import.md").read_text()
    assert COLLECT in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_what_the_aws_command_describes_of_one_balancer_makes_the_same_elsewhere(tmp_path):
    with balancer_process(tmp_path / "first") as (api, elb):
        make_rich(elb)
        before = told(elb)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
        environment = {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": api, **keys}
        ran = subprocess.run(
            ["bash"], input=COLLECT, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240
        )
        assert ran.returncode == 0, ran.stderr
    with balancer_process(tmp_path / "second") as (api, elb):
        keep = ("--map", "127.0.0.1=127.0.0.1:8081", "--map", "10.0.0.5=10.0.0.5:80")
        result = bring_up(*keep, "--api", api, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert comparable(told(elb)) == comparable(before)


def comparable(everything):
    """Without what is not read (tags of listeners and rules) and what an import changes: zones of targets."""
    balancers, listeners, groups, attributes_, tags, targets_, rules = everything
    kept = {arn: each for arn, each in tags.items() if ":listener" not in arn}
    places = {arn: [(target["Id"], target["Port"]) for target in each] for arn, each in targets_.items()}
    return balancers, listeners, groups, attributes_, kept, places, rules


def test_several_answers_in_one_file_are_read(tmp_path):
    text = "\n".join(json.dumps(DOCUMENTS[name]) for name in ("load-balancers", "listeners", "rules", "target-groups"))
    (tmp_path / "all.json").write_text(text)
    result = run_lb("import", "all.json", "--dry-run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "would make rule 10" in result.stdout
