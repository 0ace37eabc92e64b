"""Whoever adds a measurement tells how it is run and what it asks; medians and percentiles are what they say."""

import re
import subprocess
from pathlib import Path

import pytest

from bench.measuring import Measured, Refused, measured, need_touchpoints, percentile, report

PROJECT = Path(__file__).resolve().parents[2]
SCRIPTS = {path.stem for path in (PROJECT / "bench").glob("*.py") if "__main__" in path.read_text()}


def test_every_script_is_in_the_table_and_nothing_else_is():
    table = re.findall(r"^\| `python bench/(\w+)\.py", (PROJECT / "bench" / "README.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(SCRIPTS)


def test_make_bench_runs_every_script():
    said = subprocess.run(["make", "-n", "bench"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    (names,) = re.findall(r"for name in ([\w ]+); do", said)
    assert set(names.split()) == SCRIPTS


def test_the_median_is_the_middle_run_and_what_prepares_a_run_is_not_on_the_clock():
    order = []
    result = measured("it", lambda: order.append("run"), before=lambda: order.append("before"), repeats=3)
    assert order == ["before", "run"] * 3
    assert Measured("it", (3.0, 1.0, 10.0)).median == 3.0
    assert Measured("it", (3.0, 1.0, 10.0)).spread == 3.0
    assert result.median < 1


def test_a_percentile_is_a_value_that_was_seen():
    seen = [float(one) for one in range(1, 101)]
    assert [percentile(seen, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50.0, 95.0, 99.0, 100.0]
    assert percentile([7.0], 0.95) == 7.0
    assert percentile([1.0, 2.0], 0.5) == 1.0


def test_a_report_is_a_table_with_the_ratio_to_the_floor(capsys):
    floor = Measured("COPY", (2.0, 2.0, 2.0), rows=20_000_000, unit="touchpoints")
    report("Replay", [floor, Measured("replay", (3.0, 3.0, 3.3), rows=20_000_000, unit="touchpoints")], floor=floor)
    assert capsys.readouterr().out.splitlines()[-3:-1] == [
        "| COPY | 2 s | 3 | 0% | 10.0 million touchpoints/s | 1.00 |",
        "| replay | 3 s | 3 | 10% | 6.7 million touchpoints/s | 1.50 |",
    ]


@pytest.mark.django_db
def test_a_database_that_is_too_small_is_refused_with_what_fills_it():
    with pytest.raises(Refused, match=r"needs 1,000 touchpoints and finds .*bench/load.py"):
        need_touchpoints(1000)
