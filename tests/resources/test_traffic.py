"""The configuration that records make: whatever changes, it is what somebody would make who sees them for the first time."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lb.model.config import Config, Place
from lb.resources.places import Placing
from lb.resources.records import Change, Kind, Record, Records, Transaction
from lb.resources.traffic import Traffic
from lb.routing.plan import Compiler, compile_plan

REGION, ACCOUNT = "us-east-1", "000000000000"
LBS, GROUPS, INSTANCES = ("lb-0", "lb-1"), ("tg-0", "tg-1", "tg-2"), ("i-0", "i-1")
ADDRESSES = {f"10.0.0.{number}": (f"10.0.0.{number}",) for number in range(3)}
PLACING = Placing(http_port=8000)


def record(
    kind: Kind, record_id: str, parent: str = "", /, attributes: dict[str, str] | None = None, **shape: Any
) -> Record:
    return Record(kind, record_id, REGION, ACCOUNT, shape, parent, attributes or {})


def balancer(name: str, idle_s: int, groups: tuple[str, ...]) -> Record:
    return record(
        Kind.LOAD_BALANCER,
        f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/{name}/0",
        attributes={"idle_timeout.timeout_seconds": str(idle_s)},
        LoadBalancerName=name,
        DNSName=f"{name}.local",
        Type="application",
        AvailabilityZones=[{"ZoneName": "a", "SubnetId": "subnet-0"}],
        SecurityGroups=list(groups),
    )


def listener(lb: Record, port: int) -> Record:
    return record(Kind.LISTENER, f"{lb.id}/{port}", lb.id, Port=port, Protocol="HTTP")


def rule(of: Record, priority: int | None, group: str) -> Record:
    shape = {
        "Priority": "default" if priority is None else str(priority),
        "IsDefault": priority is None,
        "Conditions": [] if priority is None else [{"Field": "path-pattern", "Values": [f"/{priority}"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    }
    return record(Kind.RULE, f"{of.id}/{priority}", of.id, **shape)


def group(arn: str, path: str = "/") -> Record:
    return record(
        Kind.TARGET_GROUP,
        arn,
        TargetGroupName=arn,
        TargetType="instance",
        Protocol="HTTP",
        Port=80,
        HealthCheckPath=path,
        HealthCheckIntervalSeconds=30,
        HealthCheckTimeoutSeconds=5,
        HealthyThresholdCount=5,
        UnhealthyThresholdCount=2,
        HealthCheckPort="traffic-port",
    )


def target(of: str, name: str) -> Record:
    return record(Kind.TARGET, f"{of}/{name}", of, Id=name, Port=80)


def instance(name: str, desired: str, zone: str) -> Record:
    shape = {"Placement": {"AvailabilityZone": zone}, "SecurityGroups": [{"GroupId": "sg-web"}]}
    more = {"desired": desired, "address": f"127.16.0.{name[-1]}", "number": 1}
    return Record(Kind.INSTANCE, name, REGION, ACCOUNT, shape, more=more)


def ingress(number: int, group_id: str, source: str) -> Record:
    """`source` is a block or a security group."""
    admits = {"ReferencedGroupInfo": {"GroupId": source}} if source.startswith("sg-") else {"CidrIpv4": source}
    shape = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 80, "ToPort": 90, **admits}
    return record(Kind.SECURITY_GROUP_RULE, f"sgr-{group_id}-{number}", group_id, **shape)


LB_RECORDS = [balancer(name, 60, ("sg-lb",)) for name in LBS]
LISTENERS = [listener(LB_RECORDS[0], 80), listener(LB_RECORDS[0], 81), listener(LB_RECORDS[1], 82)]
START = [
    record(Kind.SUBNET, "subnet-0", CidrBlock="172.31.0.0/20"),
    *LB_RECORDS,
    *LISTENERS,
    *(rule(each, None, GROUPS[0] if each.parent == LB_RECORDS[0].id else GROUPS[1]) for each in LISTENERS),
    *map(group, GROUPS),
    *(instance(name, "running", "a") for name in INSTANCES),
    ingress(0, "sg-web", "sg-lb"),
    *(target(GROUPS[0], name) for name in INSTANCES),
]

PUTS: st.SearchStrategy[Record] = st.one_of(
    st.builds(balancer, st.sampled_from(LBS), st.integers(1, 3), st.sampled_from([(), ("sg-lb",), ("sg-web",)])),
    st.builds(rule, st.sampled_from(LISTENERS), st.none() | st.integers(1, 4), st.sampled_from(GROUPS)),
    st.builds(group, st.sampled_from(GROUPS), st.sampled_from(["/", "/health"])),
    st.builds(target, st.sampled_from(GROUPS), st.sampled_from([*ADDRESSES, *INSTANCES])),
    st.builds(
        instance, st.sampled_from(INSTANCES), st.sampled_from(["running", "stopped"]), st.sampled_from(["a", "b"])
    ),
    st.builds(
        ingress,
        st.integers(0, 2),
        st.sampled_from(["sg-web", "sg-lb"]),
        st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "sg-lb"]),
    ),
    st.builds(
        lambda block: record(Kind.SUBNET, "subnet-0", CidrBlock=block),
        st.sampled_from(["10.1.0.0/16", "172.31.0.0/20"]),
    ),
)
# What can go without leaving anything that points to it.
GOES = (Kind.RULE, Kind.TARGET, Kind.SECURITY_GROUP_RULE, Kind.INSTANCE)


def changed(records: Records, draw: st.DataObject) -> list[Change]:
    gone = [each for kind in GOES for each in records.all(kind) if not each.shape.get("IsDefault")]
    if gone and draw.draw(st.integers(0, 3)) == 0:
        return [Change(draw.draw(st.sampled_from(gone)).key, None)]
    return [Change(each.key, each) for each in draw.draw(st.lists(PUTS, min_size=1, max_size=3))]


def details(config: Config) -> list[Any]:
    """What the equality of targets leaves out."""
    return [(each, each.zone, each.place, each.blocked) for tg in config.target_groups for each in tg.targets]


def with_changes(records: Records, changes: list[Change]) -> Transaction:
    transaction = Transaction(records)
    for change in changes:
        if change.record is not None:
            transaction.put(change.record)
        else:
            transaction.delete(*change.key)
    return transaction


@settings(max_examples=150)
@given(st.data())
def test_a_configuration_and_its_plan_are_those_of_the_records_after_any_changes(data):
    records, traffic, compiler = Records(START), Traffic(PLACING, security_groups=True), Compiler()
    for _ in range(data.draw(st.integers(1, 6))):
        changes = changed(records, data)
        # Some are not carried out: what was built for them must leave no trace.
        given_up = data.draw(st.booleans())
        made = traffic.config_of(with_changes(records, changes), lambda _: False)
        plan = compiler.compile(made, ADDRESSES)
        fresh = Traffic(PLACING, security_groups=True).config_of(with_changes(records, changes), lambda _: False)
        wanted = compile_plan(fresh, ADDRESSES)
        assert made == fresh
        assert details(made) == details(fresh)
        assert plan.groups == wanted.groups
        assert [(each.arn, each.admitted, each.idle_timeout_s) for each in plan.listeners] == [
            (each.arn, each.admitted, each.idle_timeout_s) for each in wanted.listeners
        ]
        for ours, theirs in zip(plan.listeners, wanted.listeners, strict=True):
            assert (ours.rules.rules, ours.rules.default) == (theirs.rules.rules, theirs.rules.default)
        if not given_up:
            records.apply(changes)


def test_what_has_not_changed_is_the_same_object_again():
    records, traffic = Records(START), Traffic(PLACING, security_groups=True)
    before = traffic.config_of(Transaction(records), lambda _: False)
    new = rule(LISTENERS[0], 1, GROUPS[0])
    after = traffic.config_of(with_changes(records, [Change(new.key, new)]), lambda _: False)
    assert after.load_balancers[1] is before.load_balancers[1]
    assert after.load_balancers[0].listeners[1] is before.load_balancers[0].listeners[1]
    assert after.load_balancers[0].listeners[0].rules[0] is before.load_balancers[0].listeners[0].rules[0]
    assert all(old is now for old, now in zip(before.target_groups, after.target_groups, strict=True))


def test_targets_are_where_their_instances_run_and_none_where_those_are_stopped():
    records = Records([*START, instance("i-1", "stopped", "b")])
    made = Traffic(PLACING, security_groups=True).config_of(Transaction(records), lambda _: False)
    (only,) = made.target_groups[0].targets
    assert (only.id, only.zone, only.place, only.blocked) == ("i-0", "a", Place("127.16.0.0", 8000), False)


def test_what_is_no_application_load_balancer_or_no_http_listener_carries_nothing():
    network = balancer("net", 60, ())
    network = Record(network.kind, "net", REGION, ACCOUNT, {**network.shape, "Type": "network"})
    secure = record(Kind.LISTENER, "secure", LB_RECORDS[0].id, Port=443, Protocol="HTTPS")
    made = Traffic(PLACING, security_groups=True).config_of(
        Transaction(Records([*START, network, secure])), lambda _: False
    )
    assert [(each.name, [one.port for one in each.listeners]) for each in made.load_balancers] == [
        ("lb-0", [80, 81]),
        ("lb-1", [82]),
    ]


def test_what_the_file_defines_is_left_out():
    made = Traffic(PLACING, security_groups=True).config_of(
        Transaction(Records(START)), lambda each: each.id == GROUPS[0]
    )
    assert [each.arn for each in made.target_groups] == list(GROUPS[1:])
