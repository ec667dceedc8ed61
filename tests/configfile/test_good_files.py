"""What a valid file becomes: values, defaults, ids."""

import pytest

from lb.configfile.reader import read_config
from lb.model.config import Config, HealthCheck, Target, TargetGroup
from lb.model.matcher import parse_matcher
from lb.model.rules import Forward, WeightedGroup

SMALLEST = """\
load_balancers:
  web:
    listeners:
      - port: 8080
        forward: web-servers
target_groups:
  web-servers:
    health_check: {path: /health.php, interval: 5, healthy_threshold: 2}
    targets: ["web1:80", "web2:80"]
"""


def group_of(settings: str) -> TargetGroup:
    """The target group `g` of a file, with these settings as a flow mapping."""
    text = "load_balancers: {web: {listeners: [{port: 8080, forward: g}]}}\n" + f"target_groups: {{g: {settings}}}\n"
    (group,) = read_config(text, "lb.yaml").target_groups
    return group


def check_of(settings: str) -> HealthCheck:
    return group_of(f"{{health_check: {settings}}}").health_check


def test_the_smallest_file_works():
    config = read_config(SMALLEST, "lb.yaml")
    (load_balancer,) = config.load_balancers
    (listener,) = load_balancer.listeners
    (group,) = config.target_groups
    assert (load_balancer.name, listener.port) == ("web", 8080)
    (default,) = listener.rules
    assert (default.priority, default.conditions) == (None, ())
    assert default.action == Forward((WeightedGroup(group.arn),))
    assert load_balancer.zones == ()
    assert group.name == "web-servers"
    assert group.targets == (Target("web1", 80), Target("web2", 80))
    assert group.health_check == HealthCheck("/health.php", 5.0, 4.0, 2, 2, parse_matcher("200"), None)


def test_defaults_are_elbs():
    group = group_of("{}")
    assert (group.port, group.targets, dict(group.attributes)) == (80, (), {})
    assert group.health_check == HealthCheck("/", 30.0, 5.0, 5, 2, parse_matcher("200"), None)


def test_arns_have_elbs_shape_and_depend_only_on_names():
    first = read_config(SMALLEST, "lb.yaml")
    moved = read_config(SMALLEST.replace("web1:80", "elsewhere:81"), "other.yaml")
    arn = first.load_balancers[0].arn
    assert arn.startswith("arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/")
    assert first.load_balancers[0].listeners[0].arn.startswith(arn.replace(":loadbalancer/", ":listener/") + "/")
    assert first.load_balancers[0].dns_name.endswith(".us-east-1.elb.localhost")
    assert arns_of(first) == arns_of(moved)


def arns_of(config: Config) -> list[str]:
    listeners = [listener.arn for each in config.load_balancers for listener in each.listeners]
    return [each.arn for each in (*config.load_balancers, *config.target_groups)] + listeners


def test_two_files_with_other_names_have_other_ids():
    renamed = read_config(SMALLEST.replace("web", "api"), "lb.yaml")
    assert not set(arns_of(renamed)) & set(arns_of(read_config(SMALLEST, "lb.yaml")))


@pytest.mark.parametrize(
    ("settings", "timeout_s"),
    [
        ("{}", 5.0),
        ("{interval: 6}", 5.0),
        ("{interval: 5.1}", 5.0),
        ("{interval: 5}", 4.0),
        ("{interval: 3}", 2.4),
        ("{interval: 0.5}", 0.4),
        ("{interval: 0.1}", 0.08),
        ("{interval: 5, timeout: 4.9}", 4.9),
        ("{interval: 300, timeout: 120}", 120.0),
    ],
)
def test_timeout_defaults_to_five_or_less_for_short_intervals(settings: str, timeout_s: float):
    check = check_of(settings)
    assert check.timeout_s == timeout_s
    assert check.timeout_s < check.interval_s
    assert isinstance(check.interval_s, float)
    assert isinstance(check.timeout_s, float)


@pytest.mark.parametrize("path", ["/var/www/html", "/health.php?deep=1", "/", "/%20", "/" + "a" * 1023])
def test_legal_health_check_paths(path: str):
    assert check_of(f'{{path: "{path}"}}').path == path


@pytest.mark.parametrize(("written", "port"), [("traffic-port", None), ("8081", 8081), ("1", 1), ("65535", 65535)])
def test_health_check_ports(written: str, port: int | None):
    assert check_of(f"{{port: {written}}}").port == port


@pytest.mark.parametrize(
    ("written", "text", "passing"),
    [("200", "200", 200), ('"200,202"', "200,202", 202), ("200-299", "200-299", 250), ("302", "302", 302)],
)
def test_matchers_are_numbers_or_text(written: str, text: str, passing: int):
    matcher = check_of(f"{{matcher: {written}}}").matcher
    assert matcher.text == text
    assert passing in matcher
    assert 404 not in matcher


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("web1:8080", Target("web1", 8080)),
        ("web1", Target("web1", 81)),
        ("my_service", Target("my_service", 81)),
        ("10.0.0.1", Target("10.0.0.1", 81)),
        ("10.0.0.1:65535", Target("10.0.0.1", 65535)),
        ("[::1]:8080", Target("::1", 8080)),
        ("[::1]", Target("::1", 81)),
        ("::1", Target("::1", 81)),
        ("web1.example.com.:80", Target("web1.example.com.", 80)),
    ],
)
def test_targets_without_a_port_get_the_target_groups(written: str, target: Target):
    assert group_of(f'{{port: 81, targets: ["{written}"]}}').targets == (target,)


def test_targets_may_have_a_zone():
    group = group_of('{port: 81, targets: [web1, {target: "web2:80", zone: us-east-1a}, {target: web3}]}')
    assert [(str(target), target.zone) for target in group.targets] == [
        ("web1:81", None),
        ("web2:80", "us-east-1a"),
        ("web3:81", None),
    ]
    (anywhere,) = group_of('{targets: [{target: "[::1]:80", zone: all}]}').targets
    assert (anywhere.id, anywhere.zone) == ("::1", "all")


def test_a_load_balancer_has_the_zones_that_are_named():
    text = """\
load_balancers:
  web: {zones: [us-east-1a, use1-az2], listeners: [{port: 80, forward: a}]}
target_groups: {a: {}}
"""
    assert read_config(text, "lb.yaml").load_balancers[0].zones == ("us-east-1a", "use1-az2")


def test_the_same_host_may_be_registered_with_several_ports():
    targets = group_of('{targets: ["web1:80", "web1:81", "[::1]:80"]}').targets
    assert targets == (Target("web1", 80), Target("web1", 81), Target("::1", 80))


def test_attributes_become_wire_text():
    text = """\
load_balancers:
  web:
    attributes:
      idle_timeout.timeout_seconds: 4000
      client_keep_alive.seconds: "60"
      routing.http.xff_client_port.enabled: true
      routing.http.preserve_host_header.enabled: False
      routing.http.desync_mitigation_mode: strictest
    listeners:
      - {port: 8080, forward: g, attributes: {routing.http.response.server.enabled: "false"}}
target_groups:
  g: {attributes: {deregistration_delay.timeout_seconds: 0}}
"""
    config = read_config(text, "lb.yaml")
    (load_balancer,) = config.load_balancers
    assert load_balancer.attributes == {
        "idle_timeout.timeout_seconds": "4000",
        "client_keep_alive.seconds": "60",
        "routing.http.xff_client_port.enabled": "true",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.desync_mitigation_mode": "strictest",
    }
    assert load_balancer.listeners[0].attributes == {"routing.http.response.server.enabled": "false"}
    assert config.target_groups[0].attributes == {"deregistration_delay.timeout_seconds": "0"}


@pytest.mark.parametrize(
    ("key", "written", "text"),
    [
        ("load_balancing.algorithm.anomaly_mitigation", "on", "on"),
        ("load_balancing.algorithm.anomaly_mitigation", "off", "off"),
        ("slow_start.duration_seconds", "0", "0"),
        ("slow_start.duration_seconds", "30", "30"),
        ("stickiness.enabled", "true", "true"),
        ("load_balancing.cross_zone.enabled", "false", "false"),
        ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration", "use_load_balancer_configuration"),
        ("target_group_health.dns_failover.minimum_healthy_targets.count", "off", "off"),
        ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "50", "50"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "2", "2"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", "off"),
        ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "50", "50"),
    ],
)
def test_words_and_numbers_of_target_group_attributes(key: str, written: str, text: str):
    # What goes with some of the values; a pair of equal keys would be refused.
    also = "load_balancing.algorithm.type: weighted_random, " if written == "on" else ""
    group = group_of(f"{{attributes: {{{also}{key}: {written}}}}}")
    assert group.attributes[key] == text


def test_words_that_yaml_1_1_takes_for_booleans_and_numbers_are_names():
    text = """\
load_balancers:
  on: {listeners: [{port: 0080, forward: no}, {port: 81, forward: "404"}]}
target_groups: {no: {}, 404: {}}
"""
    config = read_config(text, "lb.yaml")
    assert config.load_balancers[0].name == "on"
    assert [listener.port for listener in config.load_balancers[0].listeners] == [80, 81]
    assert [group.name for group in config.target_groups] == ["no", "404"]


def test_aliases_repeat_values():
    text = """\
load_balancers: {web: {listeners: [{port: 80, forward: a}, {port: 81, forward: b}]}}
target_groups:
  a: {health_check: &check {path: /up}}
  b: {health_check: *check}
"""
    assert [group.health_check.path for group in read_config(text, "lb.yaml").target_groups] == ["/up", "/up"]


def test_an_unused_target_group_and_one_shared_within_a_load_balancer_are_fine():
    text = """\
load_balancers: {web: {listeners: [{port: 80, forward: a}, {port: 81, forward: a}]}}
target_groups: {a: {}, unused: {}}
"""
    config = read_config(text, "lb.yaml")
    assert [group.name for group in config.target_groups] == ["a", "unused"]
    first, second = config.load_balancers[0].listeners
    assert first.rules[-1].action == second.rules[-1].action
    assert first.rules[-1].arn != second.rules[-1].arn
    assert first.arn != second.arn


def test_the_largest_numbers_of_listeners_and_targets():
    listeners = ", ".join(f"{{port: {8000 + n}, forward: g}}" for n in range(50))
    targets = ", ".join(f'"web{n}"' for n in range(1000))
    text = f"load_balancers: {{web: {{listeners: [{listeners}]}}}}\ntarget_groups: {{g: {{targets: [{targets}]}}}}\n"
    config = read_config(text, "lb.yaml")
    assert len(config.load_balancers[0].listeners) == 50
    assert len(config.target_groups[0].targets) == 1000


def test_configurations_cannot_be_changed():
    config = read_config(SMALLEST, "lb.yaml")
    with pytest.raises(AttributeError):
        config.target_groups[0].port = 1
    with pytest.raises(TypeError):
        config.target_groups[0].attributes["x"] = "y"
