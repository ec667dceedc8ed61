"""Ansible's modules for load balancers and target groups: made once, nothing to do the second time, then taken away."""

import re
from pathlib import Path

from lb.compute.website import front_page

PLAYBOOK = Path(__file__).parent / "ansible_balancer.yml"


def changes(endpoint, targets, **variables):
    """How many tasks of the playbook changed something; fails unless every task succeeded."""
    (settings := endpoint.folder / "ansible.cfg").touch()
    given = {"listener_port": endpoint.port, "target_1": targets[0], "target_2": targets[1], **variables}
    done = endpoint.run(
        [*("ansible-playbook", "--extra-vars", " ".join(f"{name}={value}" for name, value in given.items())), PLAYBOOK],
        within_s=480,
        # Neither the machine's settings nor its home folder.
        ANSIBLE_CONFIG=str(settings),
        ANSIBLE_HOME=str(endpoint.folder / "ansible"),
        ANSIBLE_LOCAL_TEMP=str(endpoint.folder / "ansible-tmp"),
        ANSIBLE_NOCOLOR="1",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    recap = re.search(r"changed=(\d+) +unreachable=0 +failed=0", done.stdout)
    assert recap is not None, done.stdout
    return int(recap[1])


def test_the_second_run_of_a_playbook_changes_nothing(endpoint, targets):
    assert changes(endpoint, targets) == 3
    endpoint.until_healthy("ansible-targets", 2)
    assert {endpoint.page()[1], endpoint.page()[1]} == {front_page(1), front_page(2)}
    assert endpoint.page("/gone") == (410, "gone")
    assert changes(endpoint, targets) == 0

    assert changes(endpoint, targets, state="absent") == 2
    with endpoint.client("elbv2") as elbv2:
        assert elbv2.describe_load_balancers()["LoadBalancers"] == []
        assert elbv2.describe_target_groups()["TargetGroups"] == []
