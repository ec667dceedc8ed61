"""From samples to the tables of each scenario."""

import dataclasses

import pytest

from bench import closed, idle, rate
from bench.open_rate import RateResult
from bench.percentiles import Percentiles


def _closed(peer, pair, requests_per_s, **changes):
    sample = closed.Sample(
        peer=peer,
        pair=pair,
        requests=1000,
        seconds=2.0,
        requests_per_s=requests_per_s,
        body_mib_per_s=0.0,
        cpu_user_us=5.0,
        cpu_system_us=10.0,
        busy_share=0.95,
        p50_ms=1.0,
        p99_ms=2.0,
        failed=0,
        peak_growth_mib=None,
    )
    return dataclasses.replace(sample, **changes)


def _column(section, name):
    index = section.columns.index(name)
    return {row[0]: row[index] for row in section.rows}


def test_the_closed_table_shows_medians_ratio_and_cpu():
    (cell,) = closed.cells_of("small")
    samples = [
        _closed("nginx", 1, 100_000.0),
        _closed("lb", 1, 50_000.0, cpu_user_us=20.0),
        _closed("nginx", 2, 40_000.0),
        _closed("lb", 2, 30_000.0, failed=2),
        _closed("nginx", 3, 50_000.0),
        _closed("lb", 3, 30_000.0, failed=1),
    ]
    section = closed.section(cell, samples, ["said"])
    assert _column(section, "of nginx") == {"nginx": "1.00", "lb": "0.60"}
    assert _column(section, "requests/s") == {"nginx": "50,000", "lb": "30,000"}
    assert _column(section, "CPU us/request") == {"nginx": "15.0", "lb": "15.0"}
    assert _column(section, "user + system") == {"nginx": "5.0 + 10.0", "lb": "5.0 + 10.0"}
    assert _column(section, "busy") == {"nginx": "95%", "lb": "95%"}
    assert _column(section, "failed") == {"nginx": "0", "lb": "3"}
    assert section.remarks == ("said",)
    assert len(section.data["samples"]) == 6


def test_what_cannot_be_measured_here_is_a_dash():
    (cell,) = closed.cells_of("small")
    unknown = {"cpu_user_us": None, "cpu_system_us": None, "busy_share": None}
    section = closed.section(cell, [_closed("lb", 1, 50.0, **unknown)])
    assert _column(section, "CPU us/request") == {"lb": "-"}
    assert _column(section, "user + system") == {"lb": "- + -"}
    assert _column(section, "of nginx") == {"lb": "-"}


def test_body_tables_show_the_body_rate_and_the_largest_growth():
    cells = closed.cells_of("body")
    assert [cell.name for cell in cells] == [
        "body-64k-download",
        "body-64k-upload",
        "body-10m-download",
        "body-10m-upload",
    ]
    samples = [
        _closed("nginx", 1, 70.0, body_mib_per_s=700.0, peak_growth_mib=1.0),
        _closed("nginx", 2, 80.0, body_mib_per_s=800.0, peak_growth_mib=3.0),
    ]
    section = closed.section(cells[2], samples)
    assert _column(section, "body MiB/s") == {"nginx": "750"}
    assert _column(section, "peak growth MiB") == {"nginx": "3.0"}
    assert _column(section, "requests/s") == {"nginx": "75.0"}


def test_the_headers_scenario_sends_twelve_browser_headers():
    (cell,) = closed.cells_of("headers")
    assert len(cell.load.headers) == 12


def test_the_idle_table_shows_growth_and_what_was_held():
    samples = [
        idle.Sample("lb", 1, 2000, 2000, 50.0, 90.0),
        idle.Sample("lb", 2, 2000, 1900, 50.0, 88.0),
        idle.Sample("lb", 3, 2000, 2000, 51.0, 90.0),
        idle.Sample("nginx", 1, 2000, 2000, None, None),
    ]
    section = idle.section(samples)
    assert _column(section, "growth MiB") == {"lb": "39.0", "nginx": "-"}
    assert _column(section, "held") == {"lb": "1,900", "nginx": "2,000"}


def _rate(pair, share, corrected_ms, *, late=False, failed=None):
    uncorrected = Percentiles(1.0, 1.0, 1.0, 1.0, 1.0)
    corrected = None if corrected_ms is None else Percentiles(*[float(corrected_ms)] * 5)
    result = RateResult(
        rate_per_s=1000 * share,
        seconds=1.0,
        intended=100,
        sent=100,
        answered=100,
        failed=failed or {},
        uncorrected=uncorrected,
        corrected=corrected,
        late_p99_ms=0.1,
        generator_late=late,
        generator_cpu_share=0.2,
        failures=(),
    )
    return rate.Sample("lb", pair, share, 1000.0, result)


def test_the_rate_table_puts_uncorrected_and_corrected_side_by_side():
    section = rate.section([_rate(1, 0.1, 2), _rate(2, 0.1, 3), _rate(3, 0.1, 9)])
    (row,) = section.rows
    assert row == ("lb", "10%", "100", "1.00 / 3.00", "1.00 / 3.00", "1.00 / 3.00", "1.00 / 3.00", "1.00 / 9.00", "0")


def test_a_late_generator_is_marked_and_failures_are_summed():
    section = rate.section([_rate(1, 0.8, None, late=True, failed={"status 502": 3, "no answer": 1})])
    (row,) = section.rows
    assert row[2] == "800 *"
    assert row[3] == "1.00 / -"
    assert row[-1] == "4"
    assert any(remark.startswith("*") for remark in section.remarks)


def test_an_unknown_scenario_has_no_tables():
    with pytest.raises(KeyError):
        closed.cells_of("rate")
