"""The scenario `rules`: what 100 rules, sticky clients, access log and metrics cost the balancer, in one closed loop.

nginx and three balancers take turns: a node with one rule whose records nobody takes, `lb` with one rule, and `lb` with
100 rules and stickiness. All get the same request, which only the hundredth rule matches, with the sticky cookies of a
first answer: a client that comes back.
"""

import http.client
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bench import closed
from bench.guard import loopback_address
from bench.peers import BASELINE, Balancer, BalancerWithRules, NodeAlone, Peer
from bench.report import Section, cell, median_ratio
from bench.rig import Rig, RunningPeer
from bench.ruleset import COUNT, HEADERS, PATH
from bench.wrk import WrkLoad

PEERS: Final = (BASELINE, Balancer.name)
"""Who takes part besides the variants."""

_CLIENTS: Final = 64
_TIMEOUT_S: Final = 5.0


def variants() -> tuple[Peer, ...]:
    """The balancers that take part in this scenario only."""
    return (NodeAlone(), BalancerWithRules())


def measure(
    rig: Rig, peers: Sequence[RunningPeer], *, seconds: int, pairs: int, progress: Callable[[str], None]
) -> Section:
    """Let `peers` take turns as `bench.closed.measure` does. Without a balancer with rules among them: an empty table."""
    port = next((peer.port for peer in peers if peer.name == BalancerWithRules.name), None)
    if port is None:
        return closed.section(_cell(""), [], [f"{BalancerWithRules.name} does not run, so there is nothing to compare"])
    try:
        load = _cell(sticky_cookies(port))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return closed.section(_cell(""), [], [f"{BalancerWithRules.name} cannot be measured: {error}"])
    return with_ratios(closed.measure(rig, peers, load, seconds=seconds, pairs=pairs, progress=progress))


def _cell(cookies: str) -> closed.Cell:
    title = f"the request of the last of {COUNT} rules, with sticky cookies, {_CLIENTS} keep-alive clients"
    return closed.Cell("rules", title, WrkLoad(PATH, _CLIENTS, headers=(*HEADERS, ("Cookie", cookies))))


def sticky_cookies(port: int) -> str:
    """The Cookie header of a client that has had one answer from the balancer on `port`.

    Raises OSError or http.client.HTTPException when it does not answer, ValueError when the answer sets no sticky cookies.
    """
    connection = http.client.HTTPConnection(loopback_address("127.0.0.1"), port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", PATH, headers=dict(HEADERS))
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    cookies = [line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", [])]
    if {cookie.partition("=")[0] for cookie in cookies} != {"AWSALB", "AWSALBCORS"}:
        raise ValueError(f"its answer ({answer.status}) sets no sticky cookies: {cookies}")
    return "; ".join(cookies)


def with_ratios(table: Section) -> Section:
    """The table with a remark, and data, on how the balancer with rules compares with each of the others."""
    samples = table.data["samples"]
    mine = BalancerWithRules.name
    ratios = {
        other: {
            "requests_per_s": median_ratio(_speeds(samples, mine), _speeds(samples, other)),
            "cpu_us": median_ratio(_cpu(samples, mine), _cpu(samples, other)),
        }
        for other in (NodeAlone.name, Balancer.name, BASELINE)
    }
    remarks = tuple(
        f"{mine} / {other}: {cell(each['requests_per_s'], '.2f')} requests/s, {cell(each['cpu_us'], '.2f')} CPU per request"
        for other, each in ratios.items()
    )
    return replace(table, remarks=(*table.remarks, *remarks), data={**table.data, "ratios": ratios})


def _speeds(samples: Iterable[Mapping[str, Any]], peer: str) -> dict[int, float]:
    return {sample["pair"]: sample["requests_per_s"] for sample in samples if sample["peer"] == peer}


def _cpu(samples: Iterable[Mapping[str, Any]], peer: str) -> dict[int, float]:
    return {
        sample["pair"]: sample["cpu_user_us"] + sample["cpu_system_us"]
        for sample in samples
        if sample["peer"] == peer and sample["cpu_user_us"] is not None
    }
