"""Per-second counters: exact, in fixed memory, and right whatever the clock does."""

import pytest

from lb.observe.seconds import COUNTERS, KEPT_S, LATENCIES, MOST_SERIES, Seconds
from lb.observe.target_names import TargetNames
from tests.observe.metrics.made import BALANCER, finished
from tests.observe.test_request_filter import ARN, CUT

NAMES = TargetNames()


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seconds(clock):
    return Seconds(clock)


def only(picture, kind):
    (series,) = [each for each in picture["series"] if each["kind"] == kind]
    return series


def test_a_second_is_told_once_it_is_complete(clock, seconds):
    seconds.see([finished(), finished(status=502, target_status=0), finished(status=404, target_status=404)])
    assert seconds.picture(NAMES)["series"] == []
    clock.now += 1
    picture = seconds.picture(NAMES)
    assert (picture["from_s"], picture["until_s"]) == (1_800_000_000, 1_800_000_000)
    for kind in ("load_balancer", "target_group", "target"):
        told = only(picture, kind)
        assert {name: told[name] for name in COUNTERS} == {
            "requests": [3],
            "2xx": [1],
            "3xx": [0],
            "4xx": [1],
            "5xx": [1],
            "own_errors": [1],
        }
        assert told["p50_ms"] == told["max_ms"] == [pytest.approx(10, rel=1e-3)]
    assert only(picture, "target")["target_id"] == "127.0.0.1"


def test_a_cut_answer_is_the_balancers_error(clock, seconds):
    seconds.see([finished(trouble=CUT), finished()])
    clock.now += 1
    told = only(seconds.picture(NAMES), "target")
    assert (told["requests"], told["own_errors"], told["2xx"]) == ([2], [1], [2])


def test_what_no_target_answered_belongs_to_the_load_balancer_alone(clock, seconds):
    seconds.see([finished(group=None, target="", status=301, target_status=0, sent=False, action="redirect")])
    clock.now += 1
    (told,) = seconds.picture(NAMES)["series"]
    assert (told["kind"], told["3xx"], told["p50_ms"]) == ("load_balancer", [1], [None])


def test_percentiles_are_those_of_all_targets_of_a_group(clock, seconds):
    one = [finished(took_s=0.001 * number, target="127.0.0.1:1") for number in range(1, 51)]
    two = [finished(took_s=0.001 * number, target="127.0.0.1:2") for number in range(51, 101)]
    seconds.see(one + two)
    clock.now += 1
    group = only(seconds.picture(NAMES), "target_group")
    assert [round(group[name][0]) for name in LATENCIES] == [50, 90, 99, 100]


def test_quiet_seconds_are_zeros_and_old_ones_go(clock, seconds):
    for _ in range(KEPT_S + 50):
        seconds.see([finished()])
        clock.now += 2
    picture = seconds.picture(NAMES)
    assert picture["until_s"] - picture["from_s"] == KEPT_S - 1
    told = only(picture, "load_balancer")
    assert all(len(told[name]) == KEPT_S for name in (*COUNTERS, *LATENCIES))
    assert told["requests"] == [1, 0] * (KEPT_S // 2)
    clock.now += KEPT_S
    assert seconds.picture(NAMES)["series"] == []


def test_only_what_is_new_is_told_when_asked(clock, seconds):
    for _ in range(10):
        seconds.see([finished()])
        clock.now += 1
    first = seconds.picture(NAMES)
    assert only(first, "target")["requests"] == [1] * 10
    seconds.see([finished(), finished()])
    clock.now += 1
    more = seconds.picture(NAMES, since=first["until_s"])
    assert (more["from_s"], only(more, "target")["requests"]) == (first["until_s"] + 1, [2])
    assert only(seconds.picture(NAMES, since=more["until_s"]), "target")["requests"] == []


def test_only_what_is_named_is_told(clock, seconds):
    seconds.see([finished(), finished(balancer="app/other/1", group="targetgroup/pay/2")])
    clock.now += 1
    assert {each["load_balancer"] for each in seconds.picture(NAMES, load_balancer="web")["series"]} == {BALANCER}
    assert {each["target_group"] for each in seconds.picture(NAMES, target_group="shop")["series"]} == {ARN}
    assert len(seconds.picture(NAMES)["series"]) == 6


def test_counters_stay_exact_when_latencies_are_sampled(clock, seconds):
    seconds.see([finished(status=200 + 300 * (number % 4 == 0)) for number in range(5000)])
    clock.now += 1
    told = only(seconds.picture(NAMES), "target")
    assert (told["requests"], told["2xx"], told["5xx"]) == ([5000], [3750], [1250])
    assert told["p99_ms"] == [pytest.approx(10, rel=1e-3)]


def test_a_clock_that_is_set_back_begins_anew(clock, seconds):
    seconds.see([finished()])
    clock.now += 1
    assert seconds.picture(NAMES)["series"]
    clock.now -= 3600
    assert seconds.picture(NAMES)["series"] == []
    seconds.see([finished()])
    clock.now += 1
    assert only(seconds.picture(NAMES), "target")["requests"] == [1]


def test_the_number_of_series_has_a_bound_and_load_balancers_come_first(clock, seconds):
    seconds.see([finished(target=f"10.0.{number // 256}.{number % 256}:80") for number in range(MOST_SERIES + 100)])
    clock.now += 1
    series = seconds.picture(NAMES)["series"]
    assert len(series) == MOST_SERIES
    assert [each["kind"] for each in series[:2]] == ["load_balancer", "target_group"]
    assert series[0]["requests"] == [MOST_SERIES + 100]
    clock.now += KEPT_S + 1
    seconds.see([finished(target="192.0.2.1:80")])
    clock.now += 1
    assert only(seconds.picture(NAMES), "target")["target"] == "192.0.2.1:80"
