"""Numbers in sentences: one day is a day, and a length says its interval."""

from datetime import date

import pytest

from analytics.experiments.results import metric_label
from analytics.pages.lengths import in_days, in_hours_or_days, said_length
from analytics.pages.overview import flows_sentence
from analytics.sorting import StageRef
from analytics.stages import Flow
from analytics.survival import Length
from clm.lib.periods import days
from clm.lib.templatetags.numbers import number


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (Length(number=9, ended=7, median=1, low=1, high=3), "1 day (1 to 3)"),
        (Length(number=9, ended=7, median=12, low=8, high=None), "12 days (8 to open)"),
        (Length(number=9, ended=7, median=12, low=None, high=20), "12 days (? to 20)"),
        (Length(number=9, ended=2, median=None, low=None, high=None), "n/a: less than half so far"),
        (Length(number=0, ended=0, median=None, low=None, high=None), "n/a: nobody began"),
    ],
)
def test_a_length_in_days_says_its_median_and_its_interval(length: Length, said: str) -> None:
    assert said_length(length, unit=in_days, ends=number, nobody="nobody began") == said


@pytest.mark.parametrize(("hours", "said"), [(1, "1 h"), (47, "47 h"), (48, "2 d"), (24 * 1_200, "1,200 d")])
def test_a_length_in_hours_is_told_in_days_from_two_days_on(hours: int, said: str) -> None:
    assert in_hours_or_days(hours) == said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "conversion", "days": 1}, "ordered within 1 day"),
        ({"kind": "revenue", "days": 30}, "net revenue per customer within 30 days"),
        ({"kind": "reached", "segment": "vip", "days": 1}, "entered the segment vip within 1 day"),
        (
            {"kind": "reached", "stage": "retention", "model": "seven", "days": 2},
            "reached retention (seven) within 2 days",
        ),
    ],
)
def test_a_metric_of_one_day_speaks_of_a_day(document: dict[str, object], said: str) -> None:
    assert metric_label(document) == said


@pytest.mark.parametrize(("customers", "said"), [(1, "1 customer changed stage"), (2, "2 customers changed stage")])
def test_a_chart_of_one_move_speaks_of_a_customer(customers: int, said: str) -> None:
    stage = StageRef(key="retention", name="Retention", position=1, is_exit=False)
    march = days(start=date(2026, 3, 1), until=date(2026, 4, 1), zone="UTC")
    sentence = flows_sentence(flows=[Flow(source=None, target=stage, moves=3, customers=customers)], period=march)
    assert said in sentence
    assert sentence.endswith(f"Largest moves: New → Retention: {customers}.")
