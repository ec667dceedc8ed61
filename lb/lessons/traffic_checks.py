"""Checks of the requests that ended since the step began: who answered them, and how.

Each takes a snapshot and the parameters of a lesson's file, and returns what is still missing, None for nothing.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from lb.lessons.snapshot import Answered, Snapshot
from lb.lessons.text import Text


def alternate(seen: Snapshot, *, load_balancer: str, times: int) -> Text | None:
    """The last answers came from two or more servers in turn, never twice in a row from one."""
    last = _with_server(seen, load_balancer)[-times:]
    if len(last) < times:
        return _too_few(load_balancer, len(last), times)
    repeated = next((one.server for one, two in pairwise(last) if one.server == two.server), None)
    if repeated is None:
        return None
    name = seen.server_name(repeated)
    return Text(
        en=f"of the last {times} requests to {load_balancer}, two in a row were answered by {name}",
        ko=f"{load_balancer}(으)로 보낸 마지막 요청 {times}개 가운데 {name}이(가) 연달아 두 번 응답했습니다",
    )


def each_answers(seen: Snapshot, *, load_balancer: str, servers: Sequence[str], at_least: int = 1) -> Text | None:
    """Each of the servers has answered some requests, with a status below 500."""
    counts = _counts(seen, load_balancer)
    silent = [name for name in servers if counts[name] < at_least]
    if not silent:
        return None
    return Text(
        en=f"requests to {load_balancer} answered by {_counted(silent, counts)}; each must answer {at_least} or more",
        ko=f"{load_balancer}(으)로 보낸 요청에 응답한 횟수: {_counted(silent, counts)}. 각각 {at_least}번 이상이어야 합니다",
    )


def only_answers(seen: Snapshot, *, load_balancer: str, server: str, times: int) -> Text | None:
    """The last requests were all answered by one server."""
    last = _with_server(seen, load_balancer)[-times:]
    if len(last) < times:
        return _too_few(load_balancer, len(last), times)
    others = sorted({name for each in last if (name := seen.server_name(each.server)) != server})
    if not others:
        return None
    return Text(
        en=f"of the last {times} requests to {load_balancer}, some were answered by {', '.join(others)}",
        ko=f"{load_balancer}(으)로 보낸 마지막 요청 {times}개 가운데 {', '.join(others)}이(가) 응답한 것이 있습니다",
    )


def sticks(seen: Snapshot, *, load_balancer: str, times: int) -> Text | None:
    """The last requests that brought the load balancer's cookie all went to one server."""
    last = [each for each in _with_server(seen, load_balancer) if each.sticky][-times:]
    if len(last) < times:
        return Text(
            en=f"{len(last)} of {times} requests to {load_balancer} brought the cookie AWSALB along",
            ko=f"{load_balancer}(으)로 보낸 요청 가운데 AWSALB 쿠키가 있는 요청이 {times}개 필요한데 {len(last)}개입니다",
        )
    servers = sorted({seen.server_name(each.server) for each in last})
    if len(servers) == 1:
        return None
    return Text(
        en=f"the last {times} requests with a cookie went to {' and '.join(servers)}, not to one server",
        ko=f"쿠키가 있는 마지막 요청 {times}개가 한 서버가 아니라 {', '.join(servers)}(으)로 나뉘어 갔습니다",
    )


def group_share(
    seen: Snapshot, *, load_balancer: str, group: str, at_least: int, lowest: int, highest: int
) -> Text | None:
    """Of enough requests, a target group got between `lowest` and `highest` percent."""
    requests = [each for each in seen.requests_of(load_balancer) if each.target_group]
    record = seen.target_group(group)
    got = sum(record is not None and each.target_group == record.id for each in requests)
    return _share(load_balancer, group, len(requests), got, at_least, lowest, highest)


def server_share(
    seen: Snapshot, *, load_balancer: str, server: str, at_least: int, lowest: int, highest: int
) -> Text | None:
    """Of enough requests, a server got between `lowest` and `highest` percent."""
    requests = _with_server(seen, load_balancer)
    got = sum(seen.server_name(each.server) == server for each in requests)
    return _share(load_balancer, server, len(requests), got, at_least, lowest, highest)


def idle_connection_closed(seen: Snapshot, *, load_balancer: str) -> Text | None:
    """A request was answered 502, as the target closed the kept-alive connection that it was sent on."""
    requests = seen.requests_of(load_balancer)
    if any(each.status == 502 and each.idle_closed for each in requests):
        return None
    return Text(
        en=f"of {len(requests)} requests to {load_balancer}, none ended with 502 on a reused connection that was idle before",
        ko=f"{load_balancer}(으)로 보낸 요청 {len(requests)}개 가운데, 쉬고 있던 연결을 다시 쓰다가 502가 된 것이 없습니다",
    )


def without_errors(seen: Snapshot, *, load_balancer: str, times: int, apart_s: float = 0.0) -> Text | None:
    """The last requests were all answered below 500; each came `apart_s` after the one before, or later."""
    last = seen.requests_of(load_balancer)[-times:]
    if len(last) < times:
        return _too_few(load_balancer, len(last), times)
    wrong = [str(each.status) for each in last if each.status >= 500]
    if wrong:
        return Text(
            en=f"{len(wrong)} of the last {times} requests to {load_balancer} failed: {', '.join(wrong)}",
            ko=f"{load_balancer}(으)로 보낸 마지막 요청 {times}개 중 {len(wrong)}개가 실패했습니다: {', '.join(wrong)}",
        )
    if all(two.at_s - one.at_s >= apart_s for one, two in pairwise(last)):
        return None
    return Text(
        en=f"the last {times} requests to {load_balancer} must come {apart_s:g} s or more after each other",
        ko=f"{load_balancer}(으)로 보내는 요청 {times}개는 {apart_s:g}초 이상 간격을 두어야 합니다",
    )


def avoids_busy(seen: Snapshot, *, load_balancer: str, times: int, longer_than_s: float) -> Text | None:
    """While one server was busy with a long request, the other requests went elsewhere; there were enough of them."""
    requests = _with_server(seen, load_balancer)
    slow = [each for each in requests if each.lasted_s > longer_than_s]
    if not slow:
        return Text(
            en=f"no request to {load_balancer} took longer than {longer_than_s:g} s",
            ko=f"{load_balancer}(으)로 보낸 요청 가운데 {longer_than_s:g}초 넘게 걸린 것이 없습니다",
        )
    busy = slow[-1]
    meanwhile = [each for each in requests if each is not busy and busy.at_s < each.at_s < busy.at_s + busy.lasted_s]
    if len(meanwhile) < times:
        return Text(
            en=f"{len(meanwhile)} of {times} requests came while {seen.server_name(busy.server)} was busy",
            ko=f"{seen.server_name(busy.server)}이(가) 바쁜 동안 보낸 요청이 {times}개 필요한데 {len(meanwhile)}개입니다",
        )
    same = sum(each.server == busy.server for each in meanwhile)
    if not same:
        return None
    return Text(
        en=f"{same} of {len(meanwhile)} requests went to {seen.server_name(busy.server)} while it was busy",
        ko=f"{seen.server_name(busy.server)}이(가) 바쁜 동안에도 요청 {len(meanwhile)}개 중 {same}개가 그 서버로 갔습니다",
    )


def _with_server(seen: Snapshot, load_balancer: str) -> list[Answered]:
    return [each for each in seen.requests_of(load_balancer) if each.server]


def _counts(seen: Snapshot, load_balancer: str) -> Counter[str]:
    return Counter(seen.server_name(each.server) for each in _with_server(seen, load_balancer) if each.status < 500)


def _counted(names: Sequence[str], counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {counts[name]}" for name in names)


def _too_few(load_balancer: str, count: int, wanted: int) -> Text:
    return Text(
        en=f"{count} of {wanted} requests have gone through {load_balancer} to a server since this step began",
        ko=f"이 단계를 시작한 뒤로 {load_balancer}을(를) 거쳐 서버에 도착한 요청이 {wanted}개 필요한데 {count}개입니다",
    )


def _share(
    load_balancer: str, name: str, count: int, got: int, at_least: int, lowest: int, highest: int
) -> Text | None:
    if count < at_least:
        return _too_few(load_balancer, count, at_least)
    percent = 100 * got / count
    if lowest <= percent <= highest:
        return None
    return Text(
        en=f"{name} got {got} of {count} requests ({percent:.0f} %); it should be {lowest} to {highest} %",
        ko=f"{name}이(가) 요청 {count}개 중 {got}개({percent:.0f} %)를 받았습니다. {lowest}~{highest} %여야 합니다",
    )
