"""Checks of what exists and how it is: instances, images, security groups, load balancers, target groups, the database.

Each takes a snapshot and the parameters of a lesson's file, and returns what is still missing, None for nothing.
"""

from collections.abc import Sequence

from lb.lessons.snapshot import Snapshot, Target
from lb.lessons.text import Text
from lb.model.rules import Forward
from lb.resources import security
from lb.resources.databases import blocks_database
from lb.resources.defaults import LOOPBACK_BLOCK
from lb.resources.records import Kind, Record
from lb.resources.rules import rule_of


def server_state(seen: Snapshot, *, server: str, state: str) -> Text | None:
    """The instance is there, and in this state."""
    record = seen.server(server)
    if record is None:
        return _no_server(server)
    now = seen.instances.get(record.id, "pending")
    if now == state:
        return None
    return Text(
        en=f"{server} ({record.id}) is {now}, not {state}",
        ko=f"{server} 인스턴스({record.id})가 {state} 상태여야 하는데 지금은 {now} 상태입니다",
    )


def image_of(seen: Snapshot, *, server: str) -> Text | None:
    """There is an image of the instance, and it is available."""
    record = seen.server(server)
    if record is None:
        return _no_server(server)
    images = _images_of(seen, record)
    if not images:
        return Text(
            en=f"there is no image (AMI) of {server} ({record.id}) yet",
            ko=f"{server} 인스턴스({record.id})로 만든 이미지(AMI)가 아직 없습니다",
        )
    if any(seen.images.get(each.id) == "available" for each in images):
        return None
    state = seen.images.get(images[-1].id, "pending")
    return Text(
        en=f"the image {images[-1].id} is {state}: wait until it is available",
        ko=f"이미지 {images[-1].id}의 상태가 {state}입니다. available이 될 때까지 기다리세요",
    )


def launched_from_image_of(seen: Snapshot, *, server: str, original: str) -> Text | None:
    """The instance was launched from an image of another one."""
    record, source = seen.server(server), seen.server(original)
    if record is None:
        return _no_server(server)
    if source is not None and record.shape["ImageId"] in {each.id for each in _images_of(seen, source)}:
        return None
    return Text(
        en=f"{server} was launched from {record.shape['ImageId']}, which is no image of {original}",
        ko=f"{server} 인스턴스는 {record.shape['ImageId']}(으)로 시작되었는데, 이것은 {original}의 이미지가 아닙니다",
    )


def page_says(seen: Snapshot, *, server: str, text: str) -> Text | None:
    """The front page of the instance has this text on it."""
    record = seen.server(server)
    if record is None:
        return _no_server(server)
    page = seen.pages.get(record.id)
    if page is None:
        return Text(
            en=f"{server} ({record.id}) does not answer with a page",
            ko=f"{server} 인스턴스({record.id})가 페이지를 보내지 않습니다",
        )
    if text in page:
        return None
    return Text(
        en=f"the page of {server} does not say '{text}' but: {page[:80].strip()}",
        ko=f"{server} 인스턴스의 페이지에 '{text}' 문구가 없습니다. 지금 내용: {page[:80].strip()}",
    )


def load_balancer_in_zones(seen: Snapshot, *, load_balancer: str, at_least: int) -> Text | None:
    """The load balancer exists and has subnets in enough Availability Zones."""
    record = seen.load_balancer(load_balancer)
    if record is None:
        return _no_load_balancer(load_balancer)
    zones = [zone["ZoneName"] for zone in record.shape["AvailabilityZones"]]
    if len(zones) >= at_least:
        return None
    return Text(
        en=f"the load balancer {load_balancer} is in {len(zones)} zone(s) of {at_least}: {', '.join(zones)}",
        ko=f"로드 밸런서 {load_balancer}에 가용 영역이 {at_least}개 필요한데 {len(zones)}개뿐입니다: {', '.join(zones)}",
    )


def admits_clients(seen: Snapshot, *, load_balancer: str, port: int) -> Text | None:
    """A security group of the load balancer lets clients of this machine in to the port."""
    record = seen.load_balancer(load_balancer)
    if record is None:
        return _no_load_balancer(load_balancer)
    groups = record.shape.get("SecurityGroups", ())
    if security.admits(seen.records, groups, port, (), (LOOPBACK_BLOCK,)):
        return None
    names = ", ".join(_group_name(seen, each) for each in groups)
    return Text(
        en=f"no security group of {load_balancer} ({names}) has an inbound rule for TCP port {port} from anywhere",
        ko=f"{load_balancer}의 보안 그룹({names})에 TCP {port} 포트를 어디서나 허용하는 인바운드 규칙이 없습니다",
    )


def target_group_exists(seen: Snapshot, *, group: str) -> Text | None:
    """The target group is there."""
    return _no_group(group) if seen.target_group(group) is None else None


def registered(seen: Snapshot, *, group: str, servers: Sequence[str]) -> Text | None:
    """The instances are targets of the group."""
    record = seen.target_group(group)
    if record is None:
        return _no_group(group)
    there = {target.id for target in seen.targets.get(record.id, ()) if target.state != "draining"}
    absent = [name for name in servers if (server := seen.server(name)) is None or server.id not in there]
    if not absent:
        return None
    return Text(
        en=f"the target group {group} has {len(servers) - len(absent)} target(s) of {len(servers)}: "
        f"{_and(absent, 'en')} {'is' if len(absent) == 1 else 'are'} not registered",
        ko=f"대상 그룹 {group}에 대상이 {len(servers)}개 필요한데 {len(servers) - len(absent)}개입니다. "
        f"등록되지 않은 서버: {_and(absent, 'ko')}",
    )


def healthy(seen: Snapshot, *, group: str, servers: Sequence[str]) -> Text | None:
    """The instances are healthy targets of the group."""
    if (missing := registered(seen, group=group, servers=servers)) is not None:
        return missing
    states = _states(seen, group)
    ill = [(name, states[name]) for name in servers if states[name].state != "healthy"]
    if not ill:
        return None
    count = f"{len(servers) - len(ill)}"
    return Text(
        en=f"the target group {group} has {count} healthy target(s) of {len(servers)}: "
        + "; ".join(f"{name} is {_state(target)}" for name, target in ill),
        ko=f"대상 그룹 {group}의 정상(healthy) 대상이 {len(servers)}개 중 {count}개입니다. "
        + "; ".join(f"{name}: {_state(target)}" for name, target in ill),
    )


def not_healthy(seen: Snapshot, *, group: str, servers: Sequence[str]) -> Text | None:
    """The instances are targets of the group, and none of them is healthy any more, or is waiting for its first checks."""
    if (missing := registered(seen, group=group, servers=servers)) is not None:
        return missing
    states = _states(seen, group)
    still = [(name, states[name]) for name in servers if states[name].state in ("healthy", "initial")]
    if not still:
        return None
    return Text(
        en="; ".join(f"{name} is still {_state(target)}" for name, target in still),
        ko="; ".join(f"{name}: 아직 {_state(target)}" for name, target in still),
    )


def health_check_path(seen: Snapshot, *, group: str, path: str) -> Text | None:
    """The health check asks for this path."""
    record = seen.target_group(group)
    if record is None:
        return _no_group(group)
    now = record.shape.get("HealthCheckPath", "")
    if now == path:
        return None
    return Text(
        en=f"the health check path of {group} is {now}, not {path}",
        ko=f"{group}의 상태 확인 경로가 {path}이어야 하는데 지금은 {now}입니다",
    )


def forwards(seen: Snapshot, *, load_balancer: str, weights: dict[str, int]) -> Text | None:
    """A listener's default action forwards to these target groups (names), with these weights where there are several."""
    record = seen.load_balancer(load_balancer)
    if record is None:
        return _no_load_balancer(load_balancer)
    listeners = list(seen.records.children(Kind.LISTENER, record.id))
    if not listeners:
        return Text(
            en=f"the load balancer {load_balancer} has no listener",
            ko=f"로드 밸런서 {load_balancer}에 리스너가 없습니다",
        )
    found = [_weights(seen, each) for each in listeners]
    if weights in found or (len(weights) == 1 and any(each.keys() == weights.keys() for each in found)):
        return None
    return Text(
        en=f"the listener of {load_balancer} forwards to {_shares(found[0])}, not to {_shares(weights)}",
        ko=f"{load_balancer}의 리스너가 {_shares(weights)}(으)로 전달해야 하는데, 지금은 {_shares(found[0])}입니다",
    )


def group_attribute(seen: Snapshot, *, group: str, key: str, value: str) -> Text | None:
    """An attribute of the target group has this value."""
    record = seen.target_group(group)
    if record is None:
        return _no_group(group)
    return _wrong_attribute(record, group, key, value)


def load_balancer_attribute(seen: Snapshot, *, load_balancer: str, key: str, value: str) -> Text | None:
    """An attribute of the load balancer has this value."""
    record = seen.load_balancer(load_balancer)
    if record is None:
        return _no_load_balancer(load_balancer)
    return _wrong_attribute(record, load_balancer, key, value)


def database_answered(seen: Snapshot, *, outcome: str) -> Text | None:
    """The web server's last attempt to reach the database ended like this."""
    if not seen.database:
        return Text(
            en="the web server has not asked the database since this step began",
            ko="이 단계를 시작한 뒤로 웹 서버가 데이터베이스에 접속해 보지 않았습니다",
        )
    last = seen.database[-1]
    if last.outcome == outcome:
        return None
    return Text(
        en=f"the last attempt ended with '{last.outcome}', not '{outcome}': {last.message}",
        ko=f"마지막 시도의 결과가 '{outcome}'이어야 하는데 '{last.outcome}'입니다: {last.message}",
    )


def lets_in(seen: Snapshot, *, database: str, server: str, opened: bool) -> Text | None:
    """The security groups of the DB instance let the instance in; or they, and those of all other DB instances, do not."""
    record, instance = seen.db_instance(database), seen.server(server)
    if instance is None:
        return _no_server(server)
    if record is None or seen.database_port is None:
        return Text(en=f"there is no DB instance {database}", ko=f"DB 인스턴스 {database}이(가) 없습니다")
    if blocks_database(seen.records, instance, seen.database_port) is not opened:
        return None
    groups = ", ".join(_group_name(seen, each["VpcSecurityGroupId"]) for each in record.shape["VpcSecurityGroups"])
    port = seen.database_port
    if opened:
        return Text(
            en=f"no security group of {database} ({groups}) has an inbound rule for TCP port {port} from {server}",
            ko=f"{database}의 보안 그룹({groups})에 {server}에서 오는 TCP {port} 포트 인바운드 규칙이 없습니다",
        )
    return Text(
        en=f"a security group of {database} ({groups}), or of another DB instance, still lets {server} in to TCP port {port}",
        ko=f"{database}의 보안 그룹({groups})이나 다른 DB 인스턴스의 보안 그룹이 아직 {server}에서 오는 "
        f"TCP {port} 포트를 허용합니다",
    )


def _images_of(seen: Snapshot, server: Record) -> list[Record]:
    return [each for each in seen.records.all(Kind.IMAGE) if each.more.get("source_instance") == server.id]


def _states(seen: Snapshot, group: str) -> dict[str, Target]:
    """The targets of a group by name of their instance."""
    record = seen.target_group(group)
    targets = seen.targets.get(record.id, ()) if record is not None else ()
    return {seen.server_name(target.id): target for target in targets if target.state != "draining"}


def _state(target: Target) -> str:
    return f"{target.state} ({target.reason}: {target.description})" if target.reason else target.state


def _weights(seen: Snapshot, listener: Record) -> dict[str, int]:
    """The target groups (names) that the default action forwards to, with their weights; none for another action."""
    default = next(rule for rule in seen.records.children(Kind.RULE, listener.id) if rule.shape["IsDefault"])
    action = rule_of(default).action
    if not isinstance(action, Forward):
        return {}
    names = {each.id: each.shape["TargetGroupName"] for each in seen.records.all(Kind.TARGET_GROUP)}
    return {names.get(group.arn, group.arn): group.weight for group in action.target_groups}


def _shares(weights: dict[str, int]) -> str:
    return ", ".join(f"{name}: {weight}" for name, weight in weights.items()) or "-"


def _wrong_attribute(record: Record, name: str, key: str, value: str) -> Text | None:
    now = record.attributes.get(key)
    if now == value:
        return None
    return Text(
        en=f"the attribute {key} of {name} is {now or 'at its default'}, not {value}",
        ko=f"{name}의 속성 {key} 값이 {value}이어야 하는데 지금은 {now or '기본값'}입니다",
    )


def _group_name(seen: Snapshot, group_id: str) -> str:
    record = seen.records.get(Kind.SECURITY_GROUP, group_id)
    return record.shape["GroupName"] if record is not None else group_id


def _and(names: Sequence[str], language: str) -> str:
    return (" and " if language == "en" else ", ").join(names)


def _no_server(name: str) -> Text:
    return Text(en=f"there is no instance with the tag Name={name}", ko=f"Name 태그가 '{name}'인 인스턴스가 없습니다")


def _no_load_balancer(name: str) -> Text:
    return Text(en=f"there is no load balancer {name}", ko=f"이름이 '{name}'인 로드 밸런서가 없습니다")


def _no_group(name: str) -> Text:
    return Text(en=f"there is no target group {name}", ko=f"이름이 '{name}'인 대상 그룹이 없습니다")
