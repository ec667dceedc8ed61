"""Which load balancers want which logs delivered, and where: read from their attributes. Pure.

A bucket is a folder here. The attributes' values have been checked: neither bucket nor prefix leads out of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lb.model import attributes, names
from lb.model.attributes import Scope
from lb.model.config import Config, LoadBalancer
from lb.observe.log_files import LogKind, LogSource

_ATTRIBUTES: Final = {
    LogKind.ACCESS: "access_logs",
    LogKind.CONNECTION: "connection_logs",
    LogKind.HEALTH_CHECK: "health_check_logs",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One log of one load balancer, wanted in `bucket`."""

    bucket: str
    source: LogSource


def deliveries(config: Config, node_ip: str) -> list[Delivery]:
    """The logs that are on. `node_ip` goes into their file names."""
    return [
        _delivery(balancer, kind, key, node_ip)
        for balancer in config.load_balancers
        for kind, key in _ATTRIBUTES.items()
        if attributes.is_on(Scope.LOAD_BALANCER, balancer.attributes, f"{key}.s3.enabled")
    ]


def _delivery(balancer: LoadBalancer, kind: LogKind, key: str, node_ip: str) -> Delivery:
    region, account_id = balancer.arn.split(":")[3:5]
    label = names.load_balancer_label(balancer.arn)
    bucket, prefix = (
        attributes.text_of(Scope.LOAD_BALANCER, balancer.attributes, f"{key}.s3.{part}")
        for part in ("bucket", "prefix")
    )
    return Delivery(bucket, LogSource(kind, account_id, region, label, node_ip, prefix))


def load_balancers_of_groups(config: Config) -> Mapping[str, str]:
    """Target group ARN -> the load balancer (`app/NAME/ID`) that forwards to it; groups that nobody uses are missing."""
    return {arn: names.load_balancer_label(balancer.arn) for arn, balancer in config.users.items()}
