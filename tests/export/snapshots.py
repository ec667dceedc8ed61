"""Snapshots for the tests of exports, as small as they can be."""

from lb.export.snapshot import Snapshot

ARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000"
BALANCER = f"{ARN}:loadbalancer/app/web/50dc6c495c0c9188"
LISTENER = f"{ARN}:listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2"
GROUP = f"{ARN}:targetgroup/servers/73e2d6bc24d8a067"
FORWARD = {"Type": "forward", "TargetGroupArn": GROUP}
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/"


def balancer(**more):
    zones = [
        {"ZoneName": f"us-east-1{zone}", "SubnetId": f"subnet-{zone}", "LoadBalancerAddresses": []} for zone in "ab"
    ]
    return {
        "LoadBalancerArn": BALANCER,
        "LoadBalancerName": "web",
        "Type": "application",
        "Scheme": "internet-facing",
        "IpAddressType": "ipv4",
        "AvailabilityZones": zones,
        **more,
    }


def listener(*actions, **more):
    place = {"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER, "Port": 80, "Protocol": "HTTP"}
    return {**place, "DefaultActions": list(actions) or [FORWARD], **more}


def group(**more):
    return {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "servers",
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "Port": 80,
        "VpcId": "vpc-1",
        "TargetType": "ip",
        "IpAddressType": "ipv4",
        "HealthCheckEnabled": True,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        **more,
    }


def rule(priority, *actions, conditions=(), **more):
    arn = f"{LISTENER.replace(':listener/', ':listener-rule/')}/{priority}"
    shape = {"RuleArn": arn, "Priority": str(priority), "IsDefault": False, "Actions": list(actions)}
    return {**shape, "Conditions": list(conditions), **more}


def snapshot(**more):
    parts = {"load_balancers": (balancer(),), "listeners": (listener(),), "target_groups": (group(),)}
    return Snapshot(**{**parts, **more})
