"""Containers as instances: what the records say after looking at them."""

from dataclasses import replace
from typing import Any

from lb.api.ec2.adopting import adopt
from lb.resources.containers import Container
from lb.resources.places import Placing
from lb.resources.records import Kind, Record
from tests.api.aws_call import Aws

GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1"
WEB = Container("c1", "shop-web-1", running=True, address="172.18.0.3", target_group="web", port=8080)


def look(aws: Aws, *containers: Container) -> None:
    call = aws.call()
    adopt(call, containers)
    aws.commit(call)


def group(aws: Aws, **shape: Any) -> None:
    given = {"TargetGroupName": "web", "TargetType": "instance", "Protocol": "HTTP", **shape}
    aws.put(Record(Kind.TARGET_GROUP, GROUP, "us-east-1", "000000000000", given))


def instances(aws: Aws) -> list[Record]:
    return list(aws.records.all(Kind.INSTANCE))


def targets(aws: Aws) -> list[Record]:
    return list(aws.records.children(Kind.TARGET, GROUP))


def test_a_container_becomes_an_instance_at_its_own_place_and_a_target_of_its_group(aws: Aws) -> None:
    group(aws)
    look(aws, WEB)
    (instance,) = instances(aws)
    assert instance.tags == {"Name": "shop-web-1"}
    place = Placing().place(instance)
    assert (place.address, place.http_port) == ("172.18.0.3", 8080)
    assert [target.shape for target in targets(aws)] == [{"Id": instance.id, "Port": 80}]


def test_looking_again_changes_nothing(aws: Aws) -> None:
    group(aws)
    look(aws, WEB)
    call = aws.call()
    adopt(call, [WEB])
    assert call.tx.changes == ()


def test_it_is_registered_as_soon_as_its_group_is_there_and_not_again_after_somebody_took_it_out(aws: Aws) -> None:
    look(aws, WEB)
    assert not targets(aws)
    group(aws)
    look(aws, WEB)
    (target,) = targets(aws)
    call = aws.call()
    call.tx.delete(*target.key)
    aws.commit(call)
    look(aws, WEB)
    assert not targets(aws)


def test_a_group_of_addresses_takes_no_containers(aws: Aws) -> None:
    group(aws, TargetType="ip")
    look(aws, WEB)
    assert not targets(aws)


def test_a_container_that_has_moved_keeps_its_instance(aws: Aws) -> None:
    look(aws, WEB)
    look(aws, replace(WEB, running=False, address=""))
    look(aws, replace(WEB, address="172.18.0.9"))
    (instance,) = instances(aws)
    assert instance.more["address"] == "172.18.0.9"


def test_a_container_that_is_gone_takes_its_instance_and_target_along(aws: Aws) -> None:
    group(aws)
    look(aws, WEB)
    look(aws)
    assert not instances(aws)
    assert not targets(aws)


def desired(aws: Aws) -> str:
    (instance,) = instances(aws)
    return str(instance.more["desired"])


def wish(aws: Aws, state: str) -> None:
    """What stop-instances and start-instances do."""
    (instance,) = instances(aws)
    call = aws.call()
    call.tx.put(replace(instance, more={**instance.more, "desired": state}))
    aws.commit(call)


def test_who_starts_or_stops_a_container_by_hand_is_followed(aws: Aws) -> None:
    look(aws, WEB)
    look(aws, replace(WEB, running=False, address=""))
    assert desired(aws) == "stopped"
    look(aws, WEB)
    assert desired(aws) == "running"


def test_a_container_found_stopped_is_a_stopped_instance(aws: Aws) -> None:
    look(aws, replace(WEB, running=False, address=""))
    assert desired(aws) == "stopped"


def test_a_wish_that_is_still_being_carried_out_stays(aws: Aws) -> None:
    stopped = replace(WEB, running=False, address="")
    look(aws, WEB)
    wish(aws, "stopped")
    look(aws, WEB)
    assert desired(aws) == "stopped"
    look(aws, stopped)
    wish(aws, "running")
    look(aws, stopped)
    assert desired(aws) == "running"


def test_a_terminated_instance_stays_terminated_when_its_container_is_started(aws: Aws) -> None:
    look(aws, WEB)
    wish(aws, "terminated")
    look(aws, replace(WEB, running=False, address=""))
    look(aws, WEB)
    assert desired(aws) == "terminated"
