"""The AWS CLI: the walk-throughs of the documentation and of the lesson, as shell scripts."""

from pathlib import Path

SCRIPTS = Path(__file__).parent


def test_a_load_balancer_is_made_changed_and_deleted(endpoint, targets):
    done = endpoint.run(["bash", SCRIPTS / "aws_cli.sh", endpoint.port, *targets], within_s=480)
    assert done.returncode == 0, done.stdout + done.stderr


def test_instances_are_launched_cloned_stopped_and_kept_out(endpoint):
    done = endpoint.run(["bash", SCRIPTS / "aws_cli_instances.sh", endpoint.port], within_s=600)
    assert done.returncode == 0, done.stdout + done.stderr
