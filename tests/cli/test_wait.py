"""`lb wait` against running balancers: what it waits for, what it says, and its exit codes."""

import json
import signal
import socket
import subprocess

import pytest

from lb.resources.records import Kind
from tests.support.lb_process import command, free_port, lb, run_lb, web_servers
from tests.support.rich_balancer import balancer_process, of_network


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with balancer_process(tmp_path_factory.mktemp("wait")) as (api, elb):
        yield api, elb


def waiting(api, *arguments):
    """`lb wait` in the background."""
    words = command("wait", *arguments, "--api", api)
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_of(process, within_s=60):
    with process:
        try:
            out, err = process.communicate(timeout=within_s)
        finally:
            process.kill()
    return process.returncode, out, err


def group_of(elb, name, *ports):
    (vpc,) = of_network(Kind.VPC)
    made = elb.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=80,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    if ports:
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": port} for port in ports])
    return arn


def balancer_of(elb, name, port, group):
    made = elb.create_load_balancer(Name=name, Subnets=of_network(Kind.SUBNET))
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    action = {"Type": "forward", "TargetGroupArn": group}
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=[action])


def test_it_waits_for_a_balancer_that_is_started_meanwhile(tmp_path):
    port = free_port()
    process = waiting(f"http://127.0.0.1:{port}")
    assert process.stderr.readline().startswith("no balancer answers at ")
    with lb("up", "--api-port", port, "--store", "memory", cwd=tmp_path):
        code, out, err = end_of(process)
    assert (code, out, err) == (0, f"the balancer at http://127.0.0.1:{port} answers\n", "")


def test_it_waits_for_a_load_balancer_that_is_made_meanwhile(running):
    api, elb = running
    process = waiting(api, "later")
    assert process.stderr.readline() == "no load balancer or target group is called 'later' in us-east-1\n"
    balancer_of(elb, "later", free_port(), group_of(elb, "of-later"))
    code, out, _ = end_of(process)
    assert (code, out) == (0, "load balancer later: active\n")


def test_it_waits_for_as_many_healthy_targets_as_it_is_told(running):
    api, elb = running
    with web_servers(1, 2) as ports:
        group = group_of(elb, "pair", ports[1])
        balancer_of(elb, "of-pair", free_port(), group)
        one = run_lb("wait", "pair", "--api", api, cwd=".")
        assert (one.returncode, one.stdout) == (0, "target group pair: 1 of 1 targets healthy, 1 wanted\n")
        process = waiting(api, "pair", "--healthy", 2)
        assert process.stderr.readline() == "target group pair: 1 of 1 targets healthy, 2 wanted\n"
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": ports[2]}])
        code, out, _ = end_of(process)
    assert (code, out) == (0, "target group pair: 2 of 2 targets healthy, 2 wanted\n")


def test_a_timeout_says_what_is_missing_and_why(running):
    api, elb = running
    balancer_of(elb, "of-dead", free_port(), group_of(elb, "dead", free_port()))
    result = run_lb("wait", "dead", "--timeout", 0.5, "--api", api, cwd=".")
    assert result.returncode == 1
    assert "Error: not within 0.5 s: target group dead: 0 of 1 targets healthy, 1 wanted; " in result.stderr
    told = run_lb("wait", "dead", "--timeout", 0, "--api", api, "--json", cwd=".")
    assert told.returncode == 1
    assert told.stderr == ""
    assert json.loads(told.stdout)["reached"] is False


def test_a_load_balancer_that_has_failed_ends_the_waiting_at_once(running):
    api, elb = running
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        balancer_of(elb, "blocked", port, group_of(elb, "of-blocked"))
        result = run_lb("wait", "blocked", "--timeout", 60, "--api", api, cwd=".")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: load balancer blocked: failed (")
    assert str(port) in result.stderr


def test_no_balancer_is_exit_code_3(tmp_path):
    api = f"http://127.0.0.1:{free_port()}"
    for name in ((), ("web",)):
        result = run_lb("wait", *name, "--timeout", 0, "--api", api, cwd=tmp_path)
        assert result.returncode == 3
        assert f"Error: no balancer answers at {api}" in result.stderr
        assert "Traceback" not in result.stderr


def test_ctrl_c_ends_it(running):
    api, _ = running
    process = waiting(api, "never")
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, _, err = end_of(process)
    assert code == 1
    assert "Traceback" not in err


def test_healthy_needs_a_name(tmp_path):
    result = run_lb("wait", "--healthy", 2, cwd=tmp_path)
    assert result.returncode == 2
    assert "--healthy goes with the NAME" in result.stderr
