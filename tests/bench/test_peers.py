"""Each peer really starts before real origin servers and does the agreed work."""

import pytest
import yaml

from bench import origins, rules
from bench.peers import BASELINE, Balancer, BalancerWithRules, NodeAlone, Site, all_peers
from bench.pinning import Pinning
from bench.rig import Rig
from bench.sameness import differences

NOT_PINNED = Pinning((), (), "tests")


@pytest.fixture
def rig():
    reason = origins.missing()
    if reason is not None:
        pytest.skip(reason)
    with Rig(NOT_PINNED, body_sizes=()) as rig:
        yield rig


def test_the_baseline_has_the_first_turn():
    assert all_peers()[0].name == BASELINE


@pytest.mark.parametrize("peer", all_peers(), ids=lambda peer: peer.name)
def test_a_peer_does_the_same_work_as_the_others(peer, rig):
    reason = peer.missing()
    if reason is not None:
        pytest.skip(reason)
    running = rig.start(peer)
    assert differences(running) == []
    assert peer.version()[0].isdigit()
    rig.stop(running)
    assert running.started.process.poll() is not None


@pytest.mark.parametrize(
    ("peer", "expected"), [(NodeAlone(), ["writes no access log file"]), (BalancerWithRules(), [])], ids=str
)
def test_the_balancers_of_the_rules_scenario_differ_in_nothing_else(peer, expected, rig):
    assert type(peer) in map(type, rules.variants())
    running = rig.start(peer)
    assert differences(running) == expected
    rig.stop(running)


def test_the_balancer_is_told_its_port_and_targets(tmp_path):
    launch = Balancer().prepare(Site(port=1111, spare_port=2222, origin_ports=(3333, 4444), directory=tmp_path))
    config = yaml.safe_load(launch.config)
    assert config["load_balancers"]["bench"]["listeners"] == [{"port": 1111, "forward": "origins"}]
    assert config["target_groups"]["origins"]["targets"] == ["127.0.0.1:3333", "127.0.0.1:4444"]
    assert launch.argv[-4:] == ["--api-port", "2222", "--data", str(tmp_path / "data")]
    assert (tmp_path / "lb.yaml").read_text() == launch.config
