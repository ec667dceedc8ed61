"""ARNs that `lb.model.names` has no shape for: those of other load balancer types and of trust stores."""

from typing import Final

from lb.api.call import Call
from lb.model import names

_PARTS: Final = {"application": "app", "network": "net", "gateway": "gwy"}


def load_balancer_arn(call: Call, balancer_type: str, name: str, resource_id: str) -> str:
    """ARN of a load balancer of a `Type`."""
    arn = names.load_balancer_arn(call.region, call.account, name, resource_id)
    return arn.replace(":loadbalancer/app/", f":loadbalancer/{_PARTS[balancer_type]}/", 1)


def trust_store_arn(call: Call, name: str, resource_id: str) -> str:
    """ARN of a trust store."""
    return f"arn:aws:elasticloadbalancing:{call.region}:{call.account}:truststore/{name}/{resource_id}"
