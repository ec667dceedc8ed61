"""ARNs, ids and DNS names, in the shapes that ELB clients match on.

Ids of resources that come from a configuration file are derived from their names, so that they are the same after
every restart; nothing here draws random numbers.
"""

import hashlib
from typing import Final

DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT_ID = "000000000000"
_LOAD_BALANCER_KINDS: Final = {"application": "app", "network": "net", "gateway": "gwy"}


def derived_id(*parts: str) -> str:
    """16 lower-case hex digits that depend only on `parts`."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16]


def load_balancer_arn(
    region: str, account_id: str, name: str, resource_id: str, balancer_type: str = "application"
) -> str:
    """ARN of a load balancer of a `Type`."""
    kind = _LOAD_BALANCER_KINDS[balancer_type]
    return f"arn:aws:elasticloadbalancing:{region}:{account_id}:loadbalancer/{kind}/{name}/{resource_id}"


def target_group_arn(region: str, account_id: str, name: str, resource_id: str) -> str:
    """ARN of a target group."""
    return f"arn:aws:elasticloadbalancing:{region}:{account_id}:targetgroup/{name}/{resource_id}"


def trust_store_arn(region: str, account_id: str, name: str, resource_id: str) -> str:
    """ARN of a trust store."""
    return f"arn:aws:elasticloadbalancing:{region}:{account_id}:truststore/{name}/{resource_id}"


def listener_arn(load_balancer: str, resource_id: str) -> str:
    """ARN of a listener, from the ARN of its load balancer."""
    return f"{load_balancer.replace(':loadbalancer/', ':listener/')}/{resource_id}"


def load_balancer_label(arn: str) -> str:
    """`app/NAME/ID`: the load balancer as CloudWatch dimensions and access logs name it."""
    return arn.split(":loadbalancer/", 1)[1]


def target_group_label(arn: str) -> str:
    """`targetgroup/NAME/ID`: the target group as CloudWatch dimensions name it."""
    return arn.rsplit(":", 1)[1]


def dns_name(name: str, region: str, resource_id: str) -> str:
    """DNS name of a load balancer; `*.localhost` resolves to loopback without any DNS server (RFC 6761 6.3)."""
    digits = int(resource_id, 16) % 10**10
    return f"{name}-{digits:010d}.{region}.elb.localhost"
