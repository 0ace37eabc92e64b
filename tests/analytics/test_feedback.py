"""What customers say: scores by the last answer of each, whom they count, and what cannot be told."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.behind import customers_behind, refuse_unknown_group, said
from analytics.days.kept import kept
from analytics.feedback import (
    ASKED,
    KINDS,
    LEAST,
    Feedback,
    comments,
    feedback,
    group_name,
    month_scopes,
    score_of,
)
from analytics.scope import Scope
from analytics.sorting import segment, stage_model
from clm.lib.periods import days
from clm.lib.questions import QuestionError
from customers.merge import merge
from customers.models import TouchpointType
from tests.factories import day, make_model, make_transition
from tests.lifecycle.making import customer_of, happened, installed, tell

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def installation() -> Iterator[None]:
    installed(time_zone="UTC")
    yield


def asked(start: str = "2026-05-01", until: str = "2026-06-01", **more: Any) -> Scope:
    return Scope(days(start=day(start).date(), until=day(until).date(), zone="UTC"), NOW, **more)


def answer(person: str, at: str, **properties: Any) -> Any:
    return happened(person, "Survey Answered", day(at), properties=properties)


def told(found: Feedback, key: str) -> Any:
    return next(one for one in found.surveys if one.kind.key == key)


def test_the_last_answer_of_each_customer_in_the_period_counts() -> None:
    tell(
        answer("a", "2026-04-30T23:59", nps=0),
        answer("a", "2026-05-02", nps=3),
        answer("a", "2026-05-31T23:59", nps=10),
        answer("b", "2026-05-05", nps=7),
        answer("b", "2026-06-01", nps=0),
        answer("c", "2026-06-02", nps=0),
        happened("c", "Page Viewed", day("2026-05-05"), properties={"nps": 9}),  # no feedback
    )
    one = told(feedback(scope=asked()), "nps")
    assert one.counts == {10: 1, 7: 1}
    assert (one.score.answers, one.score.value) == (2, None)
    assert "2" in one.score.note
    assert str(LEAST) in one.score.note


def test_scores_have_the_published_intervals() -> None:
    nps = score_of(KINDS["nps"], {10: 70, 8: 20, 0: 10})
    assert (nps.value, nps.low, nps.high) == pytest.approx((0.6, 0.4527, 0.7124), abs=5e-5)
    csat = score_of(KINDS["csat"], {5: 10, 4: 20, 3: 10, 2: 5, 1: 5})
    assert csat.value == pytest.approx(0.6)
    assert (csat.low, csat.high) == pytest.approx((0.4618, 0.7239), abs=5e-5)
    ces = score_of(KINDS["ces"], {1: 10, 7: 20})
    assert ces.value == 5
    assert ces.low is not None
    assert ces.high is not None
    assert ces.low < 5 < ces.high
    same = score_of(KINDS["ces"], {7: 40})
    assert (same.value, same.low) == (7, None)
    assert same.note
    assert score_of(KINDS["nps"], {}).value is None


def test_an_answer_off_the_scale_counts_nowhere_and_is_said() -> None:
    tell(
        answer("a", "2026-05-02", csat=5),
        answer("a", "2026-05-03", csat=80),
        answer("b", "2026-05-03", csat="5"),
        answer("c", "2026-05-03", csat=4.5),
        answer("d", "2026-05-03", csat=None),
        answer("e", "2026-05-03", csat=1e300),
    )
    one = told(feedback(scope=asked()), "csat")
    assert one.counts == {5: 1}
    assert one.off_scale == 4


def test_of_those_who_were_asked_it_is_told_how_many_answered() -> None:
    TouchpointType.objects.update_or_create(name="Survey Sent", defaults={"role": "exposure"})

    def sent(person: str, at: str, kind: str = "nps") -> Any:
        return happened(person, "Survey Sent", day(at), properties={"survey": kind})

    tell(
        sent("a", "2026-05-02"),
        sent("a", "2026-05-10"),
        answer("a", "2026-05-03", nps=9),
        sent("b", "2026-05-02"),
        answer("b", "2026-05-01T12:00", nps=9),  # before it was asked
        sent("c", "2026-05-02", "NPS"),
        answer("c", "2026-05-03", csat=5),  # another survey
        sent("d", "2026-05-30"),
        answer("d", "2026-06-02", nps=1),  # after the period
        answer("e", "2026-05-03", nps=1),  # never asked
    )
    found = feedback(scope=asked())
    response = told(found, "nps").response
    assert (response.asked, response.answered) == (4, 1)
    assert float(response.rate) == 0.25
    assert told(found, "csat").response.rate is None
    assert "Survey Sent" in told(found, "csat").response.note
    for which, expected in (("asked", "abcd"), ("answered", "a"), ("silent", "bcd")):
        group = group_name("nps", which)
        assert customers_behind(scope=asked(), group=group) == sorted(customer_of(one) for one in expected)
        assert str(ASKED[which]) in said(group)


def test_every_number_is_that_many_customers_by_score_stage_and_month() -> None:
    chance = random.Random(3)
    model = make_model("made", ("a", "b", "gone"))
    events = []
    for number in range(60):
        for _ in range(chance.randint(1, 4)):
            at = day("2025-05-01") + timedelta(hours=chance.randint(0, 24 * 410))
            kind, low, high = chance.choice([("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7)])
            properties = {kind: chance.randint(low, high)}
            events.append(happened(f"p{number}", "Survey Answered", at, properties=properties))
    tell(*events)
    for number in range(60):
        for at in sorted(chance.sample(range(400), chance.randint(0, 3))):
            entered = day("2025-05-01") + timedelta(days=at)
            make_transition(model, customer_of(f"p{number}"), chance.choice(["a", "b"]), entered)
    scope = asked("2025-09-01", "2026-06-01", model=stage_model("made"))
    found = feedback(scope=scope)
    checked = 0
    for one in found.surveys:
        key = one.kind.key
        assert sum(one.counts.values()) == one.score.answers == sum(each.score.answers for each in one.stages)
        assert one.score.answers > 10
        for score, count in one.counts.items():
            assert len(customers_behind(scope=scope, group=group_name(key, str(score)))) == count
        for name in one.kind.groups:
            assert len(customers_behind(scope=scope, group=group_name(key, name))) == one.of_group(name)
        for each in one.stages:
            group = group_name(key, "answers", found.model, each.stage)
            assert len(customers_behind(scope=scope, group=group)) == each.score.answers
            assert said(group)
            checked += 1
        assert len(one.months) == 12
        for month in one.months:
            listed = customers_behind(scope=month.scope, group=group_name(key, "answers"))
            assert len(listed) == month.score.answers
    assert checked > 6


def test_the_stage_is_that_at_the_time_of_the_answer() -> None:
    model = make_model("made", ("a", "b", "gone"))
    tell(answer("x", "2026-05-10", nps=9), answer("y", "2026-05-10", nps=9))
    make_transition(model, customer_of("x"), "a", "2026-05-01")
    make_transition(model, customer_of("x"), "b", "2026-05-11")
    one = told(feedback(scope=asked(model=stage_model("made"))), "nps")
    assert [(each.stage.key if each.stage else None, each.score.answers) for each in one.stages] == [
        ("a", 1),
        (None, 1),
    ]


def test_months_are_whole_ones_up_to_the_end_of_the_period() -> None:
    months = month_scopes(asked("2026-05-10", "2026-05-20"))
    assert [str(one.period.start) for one in months][-2:] == ["2026-04-01", "2026-05-01"]
    assert months[-1].period.until_at == day("2026-06-01")
    assert len(months) == 12


def test_a_merged_customer_answers_once() -> None:
    tell(answer("a", "2026-05-02", nps=9), answer("b", "2026-05-05", nps=2))
    merge(customers=(customer_of("a"), customer_of("b")), now=NOW, reason="the same")
    assert told(feedback(scope=asked()), "nps").counts == {2: 1}


def test_a_segment_narrows_it() -> None:
    tell(answer("a", "2026-05-02", nps=9))
    assert told(feedback(scope=asked(segment=segment("active_customer"))), "nps").counts == {}


def test_moving_everything_by_a_whole_period_moves_the_scores() -> None:
    chance = random.Random(9)
    for shift in (0, 28):
        tell(
            *(
                happened(
                    f"s{shift}-{number}",
                    "Survey Answered",
                    day("2026-02-02") + timedelta(days=shift + number % 28),
                    properties={"ces": 1 + number % 7},
                )
                for number in range(chance.randint(40, 40))
            )
        )
    first = told(feedback(scope=asked("2026-02-02", "2026-03-02")), "ces")
    second = told(feedback(scope=asked("2026-03-02", "2026-03-30")), "ces")
    assert first.counts == second.counts
    assert first.score == second.score


def test_comments_come_newest_first_and_page_by_page() -> None:
    tell(
        *(answer(f"p{n}", f"2026-05-{n + 1:02}", nps=n % 11, comment=f"number {n}") for n in range(23)),
        answer("quiet", "2026-05-09", nps=3, comment="  "),
        answer("late", "2026-06-09", nps=3, comment="after the period"),
    )
    seen: list[str] = []
    cursor = None
    while True:
        found = comments(scope=asked(), kind="nps", cursor=cursor, most=5)
        seen += [one.text for one in found.comments]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == [f"number {n}" for n in reversed(range(23))]
    promoters = comments(scope=asked(), kind="nps", which="promoters").comments
    assert {one.score for one in promoters} == {9, 10}
    assert promoters[0].customer == customer_of("p21")
    assert comments(scope=asked(), kind="csat").comments == ()


@pytest.mark.parametrize(("kind", "which"), [("nsp", "answers"), ("nps", "asked"), ("nps", "11"), ("nps", "a:b:c")])
def test_what_cannot_be_asked_of_comments_is_refused(kind: str, which: str) -> None:
    with pytest.raises(QuestionError):
        comments(scope=asked(), kind=kind, which=which)


@pytest.mark.parametrize(
    "group",
    [
        "feedback:nsp:answers",
        "feedback:nps:happy",
        "feedback:nps",
        "feedback:nps:11",
        "feedback:nps:asked:seven:retention",
        "feedback:nps:answers:eight:retention",
        "feedback:nps:answers:seven:nowhere",
    ],
)
def test_a_group_that_is_none_is_refused(group: str) -> None:
    with pytest.raises(QuestionError) as refused:
        refuse_unknown_group(group)
    assert refused.value.field == "group"


def test_without_anything_nothing_is_told_and_why() -> None:
    found = feedback(scope=asked(kept=kept()))
    for one in found.surveys:
        assert (one.score.value, one.score.low, one.counts, one.stages) == (None, None, {}, ())
        assert "nobody answered" in one.score.note
        assert one.response.note
