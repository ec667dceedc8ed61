"""The tables and the JSON document of a run."""

import datetime
import json

from bench.report import Metadata, Section, cell, largest, median, median_ratio, render, to_json


def _metadata(**changes):
    values = {
        "started_at": datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC),
        "kernel": "Linux 6.1",
        "machine": "x86_64",
        "cores": 2,
        "load_before": 0.1,
        "pinning": "proxy on core 1",
        "versions": {"nginx": "1.22.1"},
        "configs": {"nginx": "daemon off;"},
        "missing": {},
        "differences": {},
        "options": {"pairs": 5},
    }
    return Metadata(**{**values, **changes})


SECTION = Section(
    name="small",
    title="48-byte body",
    columns=("peer", "requests/s"),
    rows=(("nginx", "40,000"), ("lb [x]", "20,000")),
    remarks=("a remark",),
    data={"samples": [{"peer": "nginx"}]},
)


def _text(metadata):
    written = []
    render([SECTION], metadata, written.append, 120)
    return "".join(written)


def test_the_ratio_is_the_median_of_the_ratios_of_each_pair_not_the_ratio_of_the_medians():
    mine = {1: 10.0, 2: 30.0, 3: 50.0}
    baseline = {1: 100.0, 2: 60.0, 3: 50.0}
    assert median_ratio(mine, baseline) == 0.5


def test_a_pair_that_one_side_lacks_is_left_out():
    assert median_ratio({1: 10.0, 2: 1.0}, {1: 20.0}) == 0.5
    assert median_ratio({2: 1.0}, {1: 20.0}) is None


def test_what_was_not_measured_is_left_out_of_medians_and_shown_as_a_dash():
    assert median([3.0, None, 1.0]) == 2.0
    assert median([None]) is None
    assert largest([None, -1.0]) == -1.0
    assert largest([]) is None
    assert cell(None, ".2f") == "-"
    assert cell(1234.5, ",.1f") == "1,234.5"


def test_the_table_names_scenario_peers_and_remarks():
    text = _text(_metadata())
    for expected in ("small: 48-byte body", "nginx", "40,000", "lb [x]", "a remark", "Linux 6.1", "nginx 1.22.1"):
        assert expected in text


def test_what_is_missing_and_what_differs_is_said_under_the_table():
    text = _text(_metadata(missing={"caddy": "not installed"}, differences={"lb": ["writes no log"], "nginx": []}))
    assert "not measured: caddy: not installed" in text
    assert "not the same work: lb writes no log" in text


def test_a_machine_that_was_busy_is_mentioned():
    assert "busy" not in _text(_metadata(load_before=0.1))
    assert "busy before the run (load average 2.5)" in _text(_metadata(load_before=2.5))


def test_the_document_holds_data_and_circumstances():
    document = json.loads(to_json([SECTION], _metadata(missing={"caddy": "why"})))
    assert document["schema"] == 1
    assert document["started_at"] == "2026-01-02T03:04:00+00:00"
    assert document["machine"]["kernel"] == "Linux 6.1"
    assert document["configs"] == {"nginx": "daemon off;"}
    assert document["missing"] == {"caddy": "why"}
    assert document["scenarios"] == {"small": {"samples": [{"peer": "nginx"}]}}
