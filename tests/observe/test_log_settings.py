"""Which logs are delivered where, and whose target group is whose."""

import json

from lb.configfile.reader import read_config
from lb.model.config import Config
from lb.observe.log_files import LogKind, LogSource
from lb.observe.log_settings import Delivery, deliveries, load_balancers_of_groups

ON = {
    "access_logs.s3.enabled": True,
    "access_logs.s3.bucket": "web-logs",
    "connection_logs.s3.enabled": True,
    "connection_logs.s3.bucket": "connections",
    "connection_logs.s3.prefix": "a/b",
    "health_check_logs.s3.bucket": "not-enabled",
}


def config_of(**balancers):
    """Load balancers, each with its attributes and a target group `NAME-servers` that it forwards to."""
    file = {
        "load_balancers": {
            name: {"attributes": found, "listeners": [{"port": 8000 + at, "forward": f"{name}-servers"}]}
            for at, (name, found) in enumerate(balancers.items())
        },
        "target_groups": {f"{name}-servers": {"targets": ["127.0.0.1:1"]} for name in (*balancers, "unused")},
    }
    return read_config(json.dumps(file), "test.yaml")


def label(balancer):
    return balancer.arn.split(":loadbalancer/")[1]


def test_what_is_on_is_delivered():
    config = config_of(web=ON, quiet={})
    web = label(config.load_balancers[0])
    assert deliveries(config, "10.0.0.5") == [
        Delivery("web-logs", LogSource(LogKind.ACCESS, "000000000000", "us-east-1", web, "10.0.0.5")),
        Delivery("connections", LogSource(LogKind.CONNECTION, "000000000000", "us-east-1", web, "10.0.0.5", "a/b")),
    ]


def test_nothing_is_delivered_unless_it_is_on():
    assert deliveries(config_of(web={}), "10.0.0.5") == []
    assert deliveries(Config(), "10.0.0.5") == []


def test_target_groups_belong_to_who_forwards_to_them():
    config = config_of(web={}, api={})
    groups = {group.name: group.arn for group in config.target_groups}
    web, api = map(label, config.load_balancers)
    assert load_balancers_of_groups(config) == {groups["web-servers"]: web, groups["api-servers"]: api}
