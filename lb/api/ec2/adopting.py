"""Containers as instances: each that asks to be a target becomes a record, registered with the target group it names."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lb.api.call import Call
from lb.api.ec2.launching import run_instances
from lb.api.ec2.public_images import public_images
from lb.resources.containers import Container, container_of
from lb.resources.records import Kind, Record
from lb.resources.target_groups import target_id


def adopt(call: Call, containers: Sequence[Container]) -> None:
    """Makes the records of the region say what there is: new containers, moved ones, and those that are gone.

    A container is registered once, and only where its target group exists and is one of instances; deregistered by
    somebody, it stays so. A container that somebody started or stopped by hand is wished for as it is; what
    stop-instances and start-instances wish for, and is still being carried out, stays.
    """
    known = {name: each for each in call.tx.all(Kind.INSTANCE) if (name := container_of(each)) is not None}
    for container in containers:
        instance = known.pop(container.id, None) or _adopted(call, container)
        instance = _as_seen(call, instance, container)
        if not instance.more["registered"] and (group := _group(call, container)) is not None:
            _register(call, instance, container, group)
    for instance in known.values():
        _forget(call, instance)


def _adopted(call: Call, container: Container) -> Record:
    image = public_images(call.region)[0]
    launched = run_instances(call, {"ImageId": image.id, "MinCount": 1, "MaxCount": 1})
    (shape,) = launched["Instances"]
    instance = call.tx.get(Kind.INSTANCE, shape["InstanceId"])
    assert instance is not None
    own = {"container": container.id, "address": "", "registered": False, "ran": container.running}
    more = {**instance.more, **own, "desired": _state(container)}
    return replace(instance, tags={"Name": container.name}, more=more)


def _as_seen(call: Call, instance: Record, container: Container) -> Record:
    """The instance at the container's address; a stopped one keeps the address that it had.

    `ran` is what the last look saw: when that changes against what is wished for, nobody's wish was the cause.
    """
    more = {**instance.more, "port": container.port, "ran": container.running}
    if container.address:
        more["address"] = container.address
    if container.running != instance.more["ran"] and more["desired"] != "terminated":
        more["desired"] = _state(container)
    seen = replace(instance, more=more)
    if seen != call.tx.get(Kind.INSTANCE, instance.id):
        call.tx.put(seen)
    return seen


def _state(container: Container) -> str:
    return "running" if container.running else "stopped"


def _group(call: Call, container: Container) -> Record | None:
    groups: Iterable[Record] = call.tx.all(Kind.TARGET_GROUP, call.region)
    return next(
        (
            group
            for group in groups
            if group.shape["TargetGroupName"] == container.target_group and group.shape["TargetType"] == "instance"
        ),
        None,
    )


def _register(call: Call, instance: Record, container: Container, group: Record) -> None:
    # Port 80 of an instance is found at the port of its container.
    port = 80
    target = target_id(group.id, instance.id, port)
    shape = {"Id": instance.id, "Port": port}
    call.tx.put(Record(Kind.TARGET, target, call.region, call.account, shape, group.id))
    call.tx.put(replace(instance, more={**instance.more, "registered": True}))


def _forget(call: Call, instance: Record) -> None:
    for target in call.tx.all(Kind.TARGET):
        if target.shape["Id"] == instance.id:
            call.tx.delete(Kind.TARGET, target.id)
    call.tx.delete(Kind.INSTANCE, instance.id)
