"""A description as Terraform configuration for the provider hashicorp/aws.

Source: aws_lb, aws_lb_listener, aws_lb_listener_rule and aws_lb_target_group in the provider's documentation (5.100; for
transforms and regular expressions 6.19).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from lb.export.description import Description, Given, Listener, LoadBalancer, Properties, Resource, TargetGroup
from lb.export.hcl import Block, Code, block, write
from lb.export.names import Ref, one_line
from lb.export.terraform_refs import TYPES, code, label
from lb.export.terraform_rules import NoArgumentError, actions, condition, configs, transform

_OLDEST: Final = ">= 5.100"
_WITH_TRANSFORMS: Final = ">= 6.19"
# Attribute to argument.
_LOAD_BALANCER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "idle_timeout.timeout_seconds": "idle_timeout",
        "client_keep_alive.seconds": "client_keep_alive",
        "deletion_protection.enabled": "enable_deletion_protection",
        "load_balancing.cross_zone.enabled": "enable_cross_zone_load_balancing",
        "dns_record.client_routing_policy": "dns_record_client_routing_policy",
        "routing.http.desync_mitigation_mode": "desync_mitigation_mode",
        "routing.http.drop_invalid_header_fields.enabled": "drop_invalid_header_fields",
        "routing.http.preserve_host_header.enabled": "preserve_host_header",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "enable_tls_version_and_cipher_suite_headers",
        "routing.http.xff_client_port.enabled": "enable_xff_client_port",
        "routing.http.xff_header_processing.mode": "xff_header_processing_mode",
        "routing.http2.enabled": "enable_http2",
        "waf.fail_open.enabled": "enable_waf_fail_open",
        "zonal_shift.config.enabled": "enable_zonal_shift",
    }
)
_TARGET_GROUP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "deregistration_delay.timeout_seconds": "deregistration_delay",
        "deregistration_delay.connection_termination.enabled": "connection_termination",
        "lambda.multi_value_headers.enabled": "lambda_multi_value_headers_enabled",
        "load_balancing.algorithm.type": "load_balancing_algorithm_type",
        "load_balancing.algorithm.anomaly_mitigation": "load_balancing_anomaly_mitigation",
        "load_balancing.cross_zone.enabled": "load_balancing_cross_zone_enabled",
        "preserve_client_ip.enabled": "preserve_client_ip",
        "proxy_protocol_v2.enabled": "proxy_protocol_v2",
        "slow_start.duration_seconds": "slow_start",
    }
)
_LOGS: Final = ("access_logs", "connection_logs")
_HEALTH: Final = "target_group_health."


def configuration(description: Description) -> str:
    """The whole configuration. What it is given is a variable with this balancer's value as its default."""
    return _Writing().configuration(description)


class _Writing:
    """One walk over a description."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._needs = _OLDEST

    def configuration(self, description: Description) -> str:
        blocks = [*self._resources(description), *_outputs(description)]
        needs = Block("required_providers", (), (("aws", {"source": "hashicorp/aws", "version": self._needs}),))
        first = [Block("terraform", (), (needs,)), *map(_variable, description.given)]
        notes = "".join(f"# Note: {one_line(note)}\n" for note in (*description.notes, *self._notes))
        return "\n".join([*([notes] if notes else []), *map(write, [*first, *blocks])])

    def _resources(self, description: Description) -> Iterator[Block]:
        for group in description.target_groups:
            yield self._group(group)
            for number, target in enumerate(group.targets, start=1):
                yield _attachment(group, number, target)
        for balancer in description.load_balancers:
            yield self._balancer(balancer)
            for listener in balancer.listeners:
                yield from self._or_nothing(listener.ref, partial(self._listener_with_rules, listener))

    def _or_nothing(self, ref: Ref, make: Callable[[], Iterable[Block]]) -> list[Block]:
        try:
            return list(make())
        except NoArgumentError as error:
            self._notes.append(f"{TYPES[ref.kind]} {ref.name} is left out: the provider has no argument for {error}")
            return []

    def _note(self, resource: Resource, keys: Iterable[str]) -> None:
        for key in keys:
            self._notes.append(
                f"{TYPES[resource.ref.kind]} {resource.ref.name}: the provider has no argument for {key}"
                f" = {resource.attributes[key]} as it stands"
            )

    # Load balancers

    def _balancer(self, balancer: LoadBalancer) -> Block:
        given, attributes = balancer.properties, balancer.attributes
        logs = [log for log in _LOGS if any(key.startswith(f"{log}.s3.") for key in attributes)]
        known = {f"{log}.s3.{part}" for log in logs for part in ("enabled", "bucket", "prefix")} | _LOAD_BALANCER.keys()
        self._note(balancer, attributes.keys() - known)
        return _resource(
            balancer,
            name=given["Name"],
            load_balancer_type=given["Type"],
            internal=given["Scheme"] == "internal" if "Scheme" in given else None,
            ip_address_type=given["IpAddressType"],
            subnets=_values(given.get("Subnets", [])),
            security_groups=_values(given.get("SecurityGroups", [])),
            **_arguments(_LOAD_BALANCER, attributes),
            subnet_mapping=[_mapping(each) for each in given.get("SubnetMappings", [])],
            logs=[_log(log, attributes) for log in logs],
        )

    # Listeners and rules

    def _listener_with_rules(self, listener: Listener) -> Iterator[Block]:
        yield self._listener(listener)
        for number, certificate in enumerate(listener.certificates, start=1):
            yield block(
                "resource",
                "aws_lb_listener_certificate",
                f"{label(listener.ref)}_{number}",
                listener_arn=code(listener.ref),
                certificate_arn=code(certificate),
            )
        for rule in listener.rules:
            yield from self._or_nothing(rule.ref, partial(self._rule, listener, rule))

    def _listener(self, listener: Listener) -> Block:
        given = listener.properties
        certificates = [each["CertificateArn"] for each in given.get("Certificates", [])]
        mutual = given.get("MutualAuthentication")
        return _resource(
            listener,
            load_balancer_arn=code(given["LoadBalancerArn"]),
            port=given.get("Port"),
            protocol=given.get("Protocol"),
            ssl_policy=given.get("SslPolicy"),
            certificate_arn=code(certificates[0]) if certificates else None,
            alpn_policy=given["AlpnPolicy"][0] if "AlpnPolicy" in given else None,
            **{key.replace(".", "_"): _plain(value) for key, value in listener.attributes.items()},
            mutual_authentication=_mutual_authentication(mutual) if mutual else None,
            default_action=actions("default_action", given["DefaultActions"]),
        )

    def _rule(self, listener: Listener, rule: Resource) -> Iterator[Block]:
        given = rule.properties
        transforms = given.get("Transforms", [])
        if transforms or any("RegexValues" in config for each in given["Conditions"] for config in configs(each)):
            self._needs = _WITH_TRANSFORMS
        yield _resource(
            rule,
            listener_arn=code(listener.ref),
            priority=given["Priority"],
            condition=list(map(condition, given["Conditions"])),
            action=actions("action", given["Actions"]),
            transform=list(map(transform, transforms)),
        )

    # Target groups

    def _group(self, group: TargetGroup) -> Block:
        given, attributes = group.properties, group.attributes
        sticky = _stickiness(attributes)
        thresholds = {key for key in attributes if key.startswith(_HEALTH)}
        kind = attributes.get("stickiness.type", "lb_cookie")
        held = {"stickiness.enabled", "stickiness.type", f"stickiness.{kind}.duration_seconds"}
        held |= {"stickiness.app_cookie.cookie_name"} if kind == "app_cookie" else set()
        self._note(group, attributes.keys() - _TARGET_GROUP.keys() - thresholds - held)
        return _resource(
            group,
            name=given["Name"],
            target_type=given["TargetType"],
            protocol=given.get("Protocol"),
            protocol_version=given.get("ProtocolVersion"),
            port=given.get("Port"),
            vpc_id=code(given["VpcId"]) if "VpcId" in given else None,
            ip_address_type=given.get("IpAddressType") if given["TargetType"] != "lambda" else None,
            **_arguments(_TARGET_GROUP, attributes),
            health_check=_health_check(given),
            stickiness=sticky,
            target_group_health=_group_health(attributes) if thresholds else None,
        )


def _resource(resource: Resource, **arguments: Any) -> Block:
    made = block("resource", TYPES[resource.ref.kind], label(resource.ref), **arguments)
    return Block(made.kind, made.labels, (*made.body, ("tags", dict(resource.tags) or None)))


def _values(values: Sequence[Any]) -> list[Any]:
    return list(map(code, values))


def _plain(text: str) -> Any:
    """An attribute's value with the type that the provider has for it."""
    return {"true": True, "false": False}.get(text, int(text) if text.isdecimal() else text)


def _arguments(table: Mapping[str, str], attributes: Mapping[str, str]) -> dict[str, Any]:
    return {argument: _plain(attributes[key]) for key, argument in table.items() if key in attributes}


def _variable(given: Given) -> Block:
    return block(
        "variable",
        f"{given.ref.kind}_{given.ref.name}",
        type=Code("string"),
        description=one_line(given.what),
        default=given.value,
        sensitive=True if given.ref.kind == "client_secret" else None,
    )


def _outputs(description: Description) -> Iterator[Block]:
    for balancer in description.load_balancers:
        name = label(balancer.ref)
        yield block("output", f"{name}_dns_name", value=Code(f"aws_lb.{name}.dns_name"))


def _log(log: str, attributes: Mapping[str, str]) -> Block:
    return block(
        log,
        enabled=attributes.get(f"{log}.s3.enabled") == "true",
        bucket=attributes.get(f"{log}.s3.bucket", ""),
        prefix=attributes.get(f"{log}.s3.prefix"),
    )


def _mapping(given: Properties) -> Block:
    return block(
        "subnet_mapping",
        subnet_id=code(given["SubnetId"]),
        allocation_id=code(given.get("AllocationId")),
        private_ipv4_address=code(given.get("PrivateIPv4Address")),
        ipv6_address=code(given.get("IPv6Address")),
    )


def _mutual_authentication(given: Properties) -> Block:
    return block(
        "mutual_authentication",
        mode=given["Mode"],
        trust_store_arn=code(given.get("TrustStoreArn")),
        ignore_client_certificate_expiry=given.get("IgnoreClientCertificateExpiry"),
        advertise_trust_store_ca_names=given.get("AdvertiseTrustStoreCaNames"),
    )


def _attachment(group: TargetGroup, number: int, target: Properties) -> Block:
    return block(
        "resource",
        "aws_lb_target_group_attachment",
        f"{label(group.ref)}_{number}",
        target_group_arn=code(group.ref),
        target_id=code(target["Id"]),
        port=target.get("Port"),
        availability_zone=target.get("AvailabilityZone"),
    )


def _health_check(given: Properties) -> Block:
    matcher = given.get("Matcher", {})
    return block(
        "health_check",
        enabled=given["HealthCheckEnabled"],
        protocol=given.get("HealthCheckProtocol"),
        port=given.get("HealthCheckPort"),
        path=given.get("HealthCheckPath"),
        matcher=matcher.get("HttpCode", matcher.get("GrpcCode")),
        interval=given["HealthCheckIntervalSeconds"],
        timeout=given["HealthCheckTimeoutSeconds"],
        healthy_threshold=given["HealthyThresholdCount"],
        unhealthy_threshold=given["UnhealthyThresholdCount"],
    )


def _stickiness(attributes: Mapping[str, str]) -> Block | None:
    if not any(key.startswith("stickiness.") for key in attributes):
        return None
    kind = attributes.get("stickiness.type", "lb_cookie")
    duration = attributes.get(f"stickiness.{kind}.duration_seconds")
    return block(
        "stickiness",
        enabled=attributes.get("stickiness.enabled") == "true",
        type=kind,
        cookie_duration=int(duration) if duration else None,
        cookie_name=attributes.get("stickiness.app_cookie.cookie_name") if kind == "app_cookie" else None,
    )


def _group_health(attributes: Mapping[str, str]) -> Block:
    def thresholds(action: str) -> Block | None:
        keys = {part: f"{_HEALTH}{action}.minimum_healthy_targets.{part}" for part in ("count", "percentage")}
        values = {f"minimum_healthy_targets_{part}": attributes.get(key) for part, key in keys.items()}
        return block(action, **values) if any(values.values()) else None

    return block(
        "target_group_health",
        dns_failover=thresholds("dns_failover"),
        unhealthy_state_routing=thresholds("unhealthy_state_routing"),
    )
