"""What calls through boto3 begin with: one balancer with listeners, a rule, a target group and a trust store, shared.

A test that changes something makes its own; names and ports are counted, so that tests do not meet.
"""

import itertools
from typing import Any, Final

from lb.resources.records import Kind, Record
from tests.api.aws_call import ACCOUNT, REGION, SUBNETS, VPC
from tests.support.aws_endpoint import Endpoint
from tests.support.balancer import free_port

ARN: Final = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
NO_BALANCER: Final = f"{ARN}:loadbalancer/app/no/0123456789abcdef"
NO_LISTENER: Final = f"{ARN}:listener/app/no/0123456789abcdef/0123456789abcdef"
NO_RULE: Final = f"{ARN}:listener-rule/app/no/0123456789abcdef/0123456789abcdef/0123456789abcdef"
NO_GROUP: Final = f"{ARN}:targetgroup/no/0123456789abcdef"
NO_STORE: Final = f"{ARN}:truststore/no/0123456789abcdef"
CERTIFICATES: Final = tuple(f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{number}" for number in range(3))
PAGE: Final[dict[str, Any]] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
BUNDLE: Final = {"CaCertificatesBundleS3Bucket": "certs", "CaCertificatesBundleS3Key": "ca.pem"}
LIST: Final = {"S3Bucket": "certs", "S3Key": "list.crl"}


class World:
    """One account behind an endpoint. `elb` is boto3's client."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.elb = endpoint.client()
        self._numbers = itertools.count(1)
        endpoint.put(*(Record(Kind.CERTIFICATE, arn, REGION, ACCOUNT, {"Status": "ISSUED"}) for arn in CERTIFICATES))
        self.balancer = self.new_balancer()
        self.group = self.new_group()
        self.http = self.new_listener()
        self.rule = self.new_rule(self.http)
        self.store = self.new_store()
        self.https = self.new_https(MutualAuthentication={"Mode": "verify", "TrustStoreArn": self.store})

    def name(self) -> str:
        """One that nobody has."""
        return f"made-{next(self._numbers)}"

    def new_balancer(self, **params: Any) -> str:
        """The ARN of a load balancer in two zones."""
        made = self.elb.create_load_balancer(**{"Name": self.name(), "Subnets": list(SUBNETS[:2]), **params})
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def new_listener(self, **params: Any) -> str:
        """The ARN of a listener that answers 200, of the shared balancer where no other is named."""
        given = {"LoadBalancerArn": self.balancer, "Protocol": "HTTP", "Port": free_port(), "DefaultActions": [PAGE]}
        return str(self.elb.create_listener(**{**given, **params})["Listeners"][0]["ListenerArn"])

    def new_https(self, **params: Any) -> str:
        """The ARN of an HTTPS listener."""
        return self.new_listener(Protocol="HTTPS", Certificates=[{"CertificateArn": CERTIFICATES[0]}], **params)

    def new_rule(self, listener: str, **params: Any) -> str:
        """The ARN of a rule for a path."""
        condition = {"Field": "path-pattern", "Values": ["/a"]}
        given = {"Conditions": [condition], "Priority": next(self._numbers), "Actions": [PAGE]}
        return str(self.elb.create_rule(ListenerArn=listener, **{**given, **params})["Rules"][0]["RuleArn"])

    def new_group(self, **params: Any) -> str:
        """The ARN of a target group of IP addresses."""
        given = {"Name": self.name(), "Protocol": "HTTP", "Port": 80, "VpcId": VPC, "TargetType": "ip"}
        return str(self.elb.create_target_group(**{**given, **params})["TargetGroups"][0]["TargetGroupArn"])

    def new_store(self) -> str:
        """The ARN of a trust store."""
        return str(self.elb.create_trust_store(Name=self.name(), **BUNDLE)["TrustStores"][0]["TrustStoreArn"])
