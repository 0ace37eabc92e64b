"""What is told of a change, to whom it is news, and in which order it is read."""

from datetime import datetime, timedelta

import pytest
from django.db import connection

from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Cause, Merge, Stale, Trait
from lifecycle.announce import SEQUENCE_STEP, sequence
from lifecycle.models import Announcement, Due, Standing, Transition
from lifecycle.replay import replay_all
from lifecycle.tick import tick

from .conftest import Side
from .making import (
    ago,
    check_standings,
    customer_of,
    happened,
    installed,
    new_version,
    settle,
    stage,
    stands,
    tell,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("transactional_db" if "side" in request.fixturenames else "db")
    installed()


def told(person: str, subject: str = "seven") -> list[tuple[str | None, str, str, bool]]:
    """From stage, stage, kind and whether it was news, in the order of telling."""
    rows = Announcement.objects.filter(customer=customer_of(person), subject__key=subject).order_by("pk")
    return [
        (row.from_stage.key if row.from_stage else None, row.stage.key, str(row.kind), row.is_news)
        for row in rows.select_related("from_stage", "stage")
    ]


def news() -> int:
    return Announcement.objects.filter(is_news=True).count()


def later(days: float) -> None:
    """Let time pass: everything that is stored happened so much longer ago."""
    moves = {
        "customers_customer": ("created_at",),
        "customers_touchpoint": ("occurred_at", "received_at"),
        "customers_propertyvalue": ("occurred_at",),
        "lifecycle_transition": ("entered_at", "recorded_at", "superseded_at"),
        "lifecycle_standing": ("since", "told_until"),
        "lifecycle_due": ("due_at",),
        "lifecycle_announcement": ("entered_at", "told_at"),
    }
    with connection.cursor() as cursor:
        for table, columns in moves.items():
            assigned = ", ".join(f"{column} = {column} - %(by)s" for column in columns)
            cursor.execute(f"UPDATE {table} SET {assigned}", {"by": timedelta(days=days)})


def test_a_sign_up_and_an_onboarding_step_in_one_batch_are_both_told_in_order() -> None:
    tell(
        happened("a", "Onboarding Step Completed", ago(minutes=5)),
        happened("a", "Page Viewed", ago(minutes=20)),
        happened("a", "Signed Up", ago(minutes=10)),
    )
    settle()
    assert told("a") == [
        (None, "awareness", "transition", True),
        ("awareness", "acquisition", "transition", True),
        ("acquisition", "onboarding", "transition", True),
    ]


def test_nothing_is_told_twice() -> None:
    tell(happened("a", "Signed Up", ago(minutes=10)))
    settle()
    before = Announcement.objects.count()
    tell(happened("a", "Signed Up", ago(minutes=10)))  # the same message again
    tell(happened("a", "Signed Up", ago(minutes=3)))  # and one that changes nothing
    settle()
    replay_all()
    assert Announcement.objects.count() == before


def test_an_old_order_file_is_no_news() -> None:
    tell(*[happened("a", "Order Completed", ago(days=days), amount=900) for days in (300, 250, 3)], cause=Cause.IMPORT)
    settle()
    assert stage(customer_of("a")) == "retention"
    assert Announcement.objects.count() == 0  # the first computation by an import is silent
    tell(happened("a", "Order Completed", ago(days=2)), cause=Cause.IMPORT)
    tell(happened("a", "Referral Made", ago(hours=1)), cause=Cause.IMPORT)
    settle()
    assert told("a") == [("retention", "advocacy", "correction", False)]
    assert news() == 0


def test_old_touchpoints_sent_late_by_a_library_are_no_news() -> None:
    tell(happened("a", "Signed Up", ago(days=3)))
    settle()
    assert told("a") == [(None, "acquisition", "transition", False)]
    assert set(Transition.objects.values_list("cause", flat=True)) == {Cause.LATE}


def test_after_a_restored_dump_older_than_the_window_nothing_is_news() -> None:
    tell(happened("a", "Signed Up", ago(minutes=10)))
    settle()
    tell(happened("a", "Referral Made", ago(minutes=5)))
    before = news()
    later(days=40)  # the dump, with its waiting row, is put back forty days on
    settle()
    assert told("a")[1:] == [
        ("acquisition", "advocacy", "transition", False),
    ]
    assert news() == before
    later(days=150)
    settle()
    assert told("a")[2:] == [("advocacy", "lapsed", "transition", False)]
    assert news() == before


def test_three_days_without_workers_tell_only_what_happened_within_the_window_as_news() -> None:
    tell(happened("before", "Signed Up", ago(minutes=1)))
    later(days=3)
    tell(happened("within", "Signed Up", ago(hours=20)))
    settle()
    assert told("before") == [(None, "acquisition", "transition", False)]
    assert told("within") == [(None, "acquisition", "transition", True)]


def test_three_days_without_workers_and_time_alone() -> None:
    for person, days in (("long ago", 178), ("just now", 180 - 0.5)):
        tell(happened(person, "Order Completed", ago(days=days)), cause=Cause.IMPORT)
    settle()
    later(days=3)
    settle()
    assert told("long ago") == [("acquisition", "lapsed", "transition", False)]
    assert told("just now") == [("acquisition", "lapsed", "transition", False)]


def test_time_alone_makes_news_within_the_window() -> None:
    tell(happened("a", "Order Completed", ago(days=179.9)), cause=Cause.IMPORT)
    settle()
    later(days=0.5)
    done = settle()
    assert told("a") == [("acquisition", "lapsed", "transition", True)]
    assert Announcement.objects.latest("pk").cause == Cause.TIME
    assert (done.written.rows, done.written.rows_by_time > 0) == (0, True)


def test_the_news_window_is_the_installations() -> None:
    installed(news_hours=2)
    tell(happened("a", "Signed Up", ago(hours=3)), happened("b", "Signed Up", ago(hours=1)))
    settle()
    assert (told("a")[0][-1], told("b")[0][-1]) == (False, True)


def test_a_late_event_that_changes_the_present_stage_gives_one_correction() -> None:
    tell(happened("a", "Order Completed", ago(minutes=30), amount=900))
    settle()
    tell(happened("a", "Order Completed", ago(days=9), amount=900))  # bought before: established all along
    settle()
    # Two days with purchases began with the one already told, at the same instant: the stage there is another one.
    assert told("a") == [
        (None, "acquisition", "transition", True),
        ("acquisition", "retention", "correction", False),
    ]
    settle()
    assert len(told("a")) == 2


def test_a_late_event_that_changes_only_the_past_is_not_told() -> None:
    tell(happened("a", "Referral Made", ago(minutes=30)), happened("a", "Signed Up", ago(minutes=40)))
    settle()
    before = told("a")
    tell(happened("a", "Page Viewed", ago(days=30)))
    settle()
    assert told("a") == before
    assert Transition.objects.filter(customer=customer_of("a"), entered_at__lt=ago(days=29)).exists()


def test_a_live_touchpoint_that_happened_before_what_was_told_last_corrects_as_news() -> None:
    tell(happened("a", "Signed Up", ago(minutes=30)))
    settle()
    tell(happened("a", "Referral Made", ago(minutes=40)))
    settle()
    assert told("a")[-1] == ("acquisition", "advocacy", "correction", True)


def test_a_membership_that_never_was_is_taken_back_with_one_correction() -> None:
    new_version("open", {"since": {"role": "cart"}, "until": {"role": "checkout"}})
    tell(happened("a", "Product Added", ago(minutes=30)))
    settle()
    # Told before it was known that both happened at the same instant.
    tell(happened("a", "Checkout Started", customer_touchpoint("a")))
    settle()
    assert "open" not in stands(customer_of("a"))
    assert told("a", "open") == [(None, "in", "transition", True), ("in", "out", "correction", True)]
    settle()
    assert len(told("a", "open")) == 2
    check_standings()


def test_what_was_told_may_turn_out_to_have_begun_later_and_is_not_told_again() -> None:
    new_version("open", {"since": {"role": "cart"}, "until": {"role": "checkout"}})
    first, second = ago(minutes=30), ago(minutes=20)
    tell(happened("a", "Product Added", first))
    settle()
    tell(happened("a", "Checkout Started", first), happened("a", "Product Added", second))
    settle()
    assert Standing.objects.get(customer=customer_of("a"), subject__key="open").since == second
    assert told("a", "open") == [(None, "in", "transition", True)]
    # What comes to light between what was told and where it stands now is told in order.
    tell(happened("a", "Product Added", ago(minutes=28)), happened("a", "Checkout Started", ago(minutes=26)))
    settle()
    assert told("a", "open")[1:] == [("in", "out", "transition", True), ("out", "in", "transition", True)]


def customer_touchpoint(person: str) -> datetime:
    return Transition.objects.filter(customer=customer_of(person)).latest("entered_at").entered_at


def test_the_first_cause_among_the_rows_read_is_everybodys() -> None:
    tell(happened("a", "Page Viewed", ago(days=3)), cause=Cause.IMPORT)
    tell(happened("a", "Signed Up", ago(days=2)))  # late
    tell(happened("a", "Referral Made", ago(minutes=5)))  # live
    Stale.objects.create(profile_id=Stale.objects.latest("pk").profile_id, cause=Cause.ENGINE)
    settle()
    assert set(Announcement.objects.values_list("cause", flat=True)) == {Cause.LIVE}
    assert set(Transition.objects.values_list("cause", flat=True)) == {Cause.LIVE}
    assert told("a") == [
        (None, "awareness", "transition", False),
        ("awareness", "acquisition", "transition", False),
        ("acquisition", "advocacy", "transition", True),
    ]


def test_a_trait_told_late_beside_an_old_touchpoint_does_not_make_it_live() -> None:
    tell(happened("a", "Signed Up", ago(days=3), traits={"plan": "free"}))
    settle()
    assert Trait.objects.count() == 1
    assert set(Transition.objects.values_list("cause", flat=True)) == {Cause.LATE}


def test_a_first_computation_by_replay_is_silent_and_what_follows_is_told() -> None:
    tell(happened("a", "Signed Up", ago(minutes=5)))
    settle()
    Announcement.objects.all().delete()
    for table in (Standing, Transition, Due):
        table.objects.all().delete()
    replay_all()
    assert Announcement.objects.count() == 0
    tell(happened("a", "Referral Made", ago()))
    settle()
    assert told("a") == [("acquisition", "advocacy", "transition", True)]


def test_a_merge_tells_history_of_the_survivor_and_nothing_of_the_absorbed() -> None:
    tell(happened("a", "Page Viewed", ago(hours=9)))
    settle()
    tell(happened("b", "Signed Up", ago(hours=8)))
    settle()
    absorbed = customer_of("b")
    before = Announcement.objects.filter(customer=absorbed).count()
    merge(customers=(customer_of("a"), absorbed), now=clock())
    settle()
    assert told("a")[-1] == ("awareness", "acquisition", "transition", False)
    assert Announcement.objects.latest("pk").cause == Cause.MERGE
    assert Announcement.objects.filter(customer=absorbed).count() == before
    unmerge(merge=Merge.objects.get().pk, now=clock())
    settle()
    assert told("a")[-1] == ("acquisition", "awareness", "correction", False)
    assert Announcement.objects.filter(customer=absorbed).count() == before
    tell(happened("b", "Referral Made", ago()))
    settle()
    assert told("b")[-1] == ("acquisition", "advocacy", "transition", True)


def test_places_are_given_without_gaps_in_the_order_of_commits(side: Side, other_side: Side) -> None:
    add = (
        "INSERT INTO lifecycle_announcement (customer_id, subject_id, version_id, stage_id, kind, entered_at, told_at,"
        " cause, is_news) VALUES (%s, 1, 1, 1, 'transition', now(), now(), 1, true)"
    )
    with other_side.holding("SELECT 1"):
        other_side.ask(add, [1])  # takes the smaller id, and does not commit yet
        side.ask(add, [2])
        assert sequence() == 1
        side.ask(add, [3])
        assert sequence() == 1
        other_side.ask("COMMIT")
        other_side.ask("BEGIN")
    assert sequence() == 1
    placed = Announcement.objects.filter(customer__lt=4).order_by("sequence").values_list("customer", "sequence")
    first = placed[0][1]
    assert list(placed) == [(2, first), (3, first + 1), (1, first + 2)]
    ids = dict(Announcement.objects.values_list("customer", "id"))
    assert ids[1] < ids[2] < ids[3]
    assert sequence() == 0


def test_one_sequencer_at_a_time_and_the_others_do_not_wait(side: Side) -> None:
    tell(happened("a", "Signed Up", ago()))
    settle()
    with side.holding("SELECT pg_advisory_xact_lock(7305, 0)"):
        assert sequence() == 0
    assert sequence() > 0


def test_a_tick_gives_every_announcement_its_place() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO lifecycle_announcement (customer_id, subject_id, version_id, stage_id, kind, entered_at,"
            " told_at, cause, is_news) SELECT n, 1, 1, 1, 'transition', now(), now(), 1, true"
            " FROM generate_series(1, %s) AS n",
            [SEQUENCE_STEP + 1],
        )
    tick()
    assert not Announcement.objects.filter(sequence=None).exists()
    places = list(Announcement.objects.order_by("pk").values_list("sequence", flat=True))
    assert places == list(range(places[0], places[0] + len(places)))
