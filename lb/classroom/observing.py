"""The snapshot that checks look at, taken from a running balancer."""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from lb.api.call import Live
from lb.api.calls import Calls
from lb.http.outcomes import Failure
from lb.http.record import RequestRecord
from lb.lessons.snapshot import Answered, Target
from lb.model.config import Place
from lb.resources.records import Kind, Record, Records

PlaceOf = Callable[[Record], Place]
_STICKY: Final = re.compile(rb"\r\ncookie:[^\r]*\bAWSALB=", re.IGNORECASE)
_PAGE_WITHIN_S: Final = 1.0
_MOST_OF_PAGE: Final = 64 * 1024


def targets_of(calls: Calls, records: Records) -> dict[str, list[Target]]:
    """What DescribeTargetHealth answers for every target group, by its ARN."""
    return {
        group.id: [
            Target(
                each["Target"]["Id"],
                each["Target"].get("Port", 0),
                each["TargetHealth"]["State"],
                each["TargetHealth"].get("Reason", ""),
                each["TargetHealth"].get("Description", ""),
            )
            for each in calls.read("elbv2", "DescribeTargetHealth", group.region, TargetGroupArn=group.id)[
                "TargetHealthDescriptions"
            ]
        ]
        for group in records.all(Kind.TARGET_GROUP)
    }


def instance_states(live: Live, records: Records) -> dict[str, str]:
    """By id."""
    return {record.id: live.instance_state(record.id) for record in records.all(Kind.INSTANCE)}


def image_states(live: Live, records: Records) -> dict[str, str]:
    """Of the account's own images, by id."""
    return {record.id: live.image_state(record.id) for record in records.all(Kind.IMAGE)}


def answered(finished: Iterable[RequestRecord], records: Records, place: PlaceOf) -> list[Answered]:
    """Finished requests as checks see them."""
    servers = {}
    for record in records.all(Kind.INSTANCE):
        where = place(record)
        servers[f"{where.address}:{where.http_port}"] = record.id
    return [_answered(each, servers) for each in finished]


def _answered(request: RequestRecord, servers: Mapping[str, str]) -> Answered:
    trouble = request.trouble
    return Answered(
        request.created_s,
        request.origin.load_balancer.split("/")[1],
        request.status,
        request.ended_at - request.arrived_at,
        servers.get(request.target, ""),
        request.target_group_arn,
        sticky=request.head is not None and _STICKY.search(request.head.block) is not None,
        idle_closed=trouble is not None and trouble.failure is Failure.TARGET_CLOSED and trouble.idle_s is not None,
    )


async def front_pages(live: Live, records: Records, place: PlaceOf) -> dict[str, str]:
    """The front page of every running instance that answers with one."""
    running = [record for record in records.all(Kind.INSTANCE) if live.instance_state(record.id) == "running"]
    pages = await asyncio.gather(*(_front_page(place(record)) for record in running))
    return {record.id: page for record, page in zip(running, pages, strict=True) if page is not None}


async def _front_page(where: Place) -> str | None:
    try:
        async with asyncio.timeout(_PAGE_WITHIN_S):
            reader, writer = await asyncio.open_connection(where.address, where.http_port)
            try:
                writer.write(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.read(_MOST_OF_PAGE)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    return body.decode("utf-8", "replace") if head.split(b" ", 2)[1:2] == [b"200"] else None
