"""The figures of `lb top` from a balancer's answers (docs/local-api.md). Pure."""

from typing import Any, Final

Json = dict[str, Any]
WINDOW_S: Final = 10
"""Rates and shares are those of so many seconds, latencies those of the last second with an answer among them."""


def figures(status: Json, health: Json, seconds: Json, errors: Json) -> Json:
    """The picture of the moment, from `/_lb/status`, `/_lb/targets/health`, `/_lb/metrics/seconds` and `/_lb/requests`."""
    series = {(each["kind"], _whose(each)): each for each in seconds["series"]}
    of_group: dict[str, list[Json]] = {}
    for target in health["targets"]:
        of_group.setdefault(target["target_group"], []).append(target)
    return {
        "at_s": seconds["until_s"],
        "window_s": WINDOW_S,
        "load_balancers": [
            {
                **{name: each[name] for name in ("name", "arn", "dns_name", "state")},
                "listeners": [f"{listener['protocol']}:{listener['port']}" for listener in each["listeners"]],
                **_rates(series.get(("load_balancer", each["arn"].partition(":loadbalancer/")[2]))),
            }
            for each in status["load_balancers"]
        ],
        "target_groups": [
            {
                "name": group["name"],
                "arn": group["arn"],
                "in_use": group["in_use"],
                "fail_open": group["fail_open"],
                "targets": _targets(of_group.get(group["arn"], []), series),
            }
            for group in status["target_groups"]
        ],
        "errors": errors["requests"],
    }


def _targets(targets: list[Json], series: dict[tuple[str, str], Json]) -> list[Json]:
    found = [series.get(("target", f"{each['target_group']} {each['target']}")) for each in targets]
    rates = [_rates(each) for each in found]
    total = sum(each["requests_per_s"] for each in rates)
    return [
        {
            **{name: target[name] for name in ("target", "id", "port", "state", "in_flight")},
            "counter": target["counter"]["text"] if target["counter"] else None,
            "share": round(rate["requests_per_s"] / total, 3) if total else None,
            **rate,
        }
        for target, rate in zip(targets, rates, strict=True)
    ]


def _whose(series: Json) -> str:
    if series["kind"] == "load_balancer":
        return str(series["load_balancer"])
    return f"{series['target_group']} {series['target']}" if series["kind"] == "target" else str(series["target_group"])


def _rates(series: Json | None) -> Json:
    if series is None:
        return {"requests_per_s": 0.0, "errors_per_s": 0.0, "p50_ms": None, "p99_ms": None}
    errors = [four + five for four, five in zip(series["4xx"], series["5xx"], strict=True)]
    return {
        "requests_per_s": _per_s(series["requests"]),
        "errors_per_s": _per_s(errors),
        "p50_ms": _last(series["p50_ms"]),
        "p99_ms": _last(series["p99_ms"]),
    }


def _per_s(counts: list[int]) -> float:
    """A balancer that was started a moment ago has had fewer seconds."""
    window = counts[-WINDOW_S:]
    return round(sum(window) / len(window), 1) if window else 0.0


def _last(values: list[float | None]) -> float | None:
    return next((value for value in reversed(values[-WINDOW_S:]) if value is not None), None)
