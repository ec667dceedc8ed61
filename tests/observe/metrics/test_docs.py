"""docs/metrics.md lists the same metrics as the table, with the same units, dimensions and names."""

import re
from pathlib import Path

from lb.model.metric_table import BY_NAME, TABLE, Dimensions
from lb.observe.metrics.prometheus import exposed, prometheus_name

DOC = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text()
SETS = {"L": Dimensions.L, "AL": Dimensions.AL, "T": Dimensions.T, "AT": Dimensions.AT, "{TG}": Dimensions.TG}


def rows(title):
    section = DOC.split(f"## {title}\n")[1].split("\n## ")[0]
    cells = [re.split(r" *\| *", line.strip("| ")) for line in section.splitlines() if line.startswith("| `")]
    assert cells
    return cells


def test_every_metric_is_documented_as_it_is():
    documented = [
        (name.strip("`"), unit, tuple(SETS[each] for each in sets.split()), statistics, reported, exposition.strip("`"))
        for name, unit, sets, statistics, reported, exposition in rows("The metrics")
    ]
    assert documented == [
        (
            metric.name,
            metric.unit,
            metric.dimensions,
            ", ".join(metric.statistics),
            metric.reported.value,
            prometheus_name(metric) if metric in exposed() else "-",
        )
        for metric in TABLE
    ]


def test_no_metric_is_both_kept_and_left_out():
    left_out = {name.strip("`") for names, _ in rows("Left out") for name in names.split()}
    assert not left_out & BY_NAME.keys()
    assert len(BY_NAME) == len(TABLE)


def test_every_metric_named_in_the_rules_exists():
    named = set(re.findall(r"`([A-Z][A-Za-z0-9_]*(?:Count|Bytes|Time|PerTarget))`", DOC))
    left_out = {name.strip("`") for names, _ in rows("Left out") for name in names.split()}
    patterns = {"HTTPCode_Target_nXX_Count", "HTTPCode_ELB_nXX_Count", "SampleCount"}
    assert named - left_out - patterns <= BY_NAME.keys()
