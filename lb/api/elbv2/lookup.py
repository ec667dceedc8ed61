"""ELBv2 resources by the ARN that a client gave, refused as ELB refuses an ARN it does not know (fact sheet 11.4)."""

from typing import Final

from lb.api.call import ApiError, Call
from lb.resources.records import Kind, Record

_WORDS: Final = {
    Kind.LOAD_BALANCER: ("loadbalancer", "load balancer", "LoadBalancerNotFound"),
    Kind.LISTENER: ("listener", "listener", "ListenerNotFound"),
    Kind.RULE: ("listener-rule", "rule", "RuleNotFound"),
    Kind.TARGET_GROUP: ("targetgroup", "target group", "TargetGroupNotFound"),
    Kind.TRUST_STORE: ("truststore", "trust store", "TrustStoreNotFound"),
}


def check_arn(call: Call, kind: Kind, arn: str) -> None:
    """Raises ApiError for a text that is no ARN of this kind in the account and region of the call."""
    part, words, _ = _WORDS[kind]
    if not arn.startswith(f"arn:aws:elasticloadbalancing:{call.region}:{call.account}:{part}/"):
        raise ApiError("ValidationError", f"'{arn}' is not a valid {words} ARN")


def find(call: Call, kind: Kind, arn: str) -> Record:
    """The resource. Raises ApiError for a text that is no ARN of this kind, and for one that names nothing."""
    check_arn(call, kind, arn)
    record = call.tx.get(kind, arn)
    if record is None:
        _, words, code = _WORDS[kind]
        raise ApiError(code, f"One or more {words}s not found")
    return record
