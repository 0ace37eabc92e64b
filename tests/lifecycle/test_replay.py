"""A replay changes nothing that is true, repairs whatever is not, and reads only the index."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import F
from pytest_django import Settings

from clm.lib import sql
from clm.lib.processes import wait_until
from customers.models import Cause, Profile, Touchpoint
from lifecycle.ids import Ids
from lifecycle.models import Announcement, Due, Replay, ReplayBucket, Standing, Transition
from lifecycle.replay import progress, replay_all, replay_next, start_replay

from .conftest import Side
from .making import (
    ago,
    believed,
    check_standings,
    customer_of,
    everything,
    happened,
    installed,
    settle,
    stage,
    tell,
)

pytestmark = pytest.mark.django_db


def populate(count: int = 6) -> None:
    installed()
    for number in range(count):
        name = f"p{number}"
        tell(
            happened(name, "Signed Up", ago(days=300 + number)),
            happened(name, "Order Completed", ago(days=250 + number), amount=900),
            happened(name, "Order Completed", ago(days=40 + number), amount=900),
            happened(name, "Feedback Submitted", ago(days=5), properties={"nps": 3 * number}),
        )
    settle()


def shifted(table: str, columns: tuple[str, ...], by: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET " + ", ".join(f"{c} = {c} - %(by)s" for c in columns), {"by": by})


def test_a_replay_right_after_advance_changes_no_row() -> None:
    populate()
    before = everything()
    done = replay_all()
    assert (done.customers, done.touchpoints, done.rows_changed, done.rows_by_time) == (6, 24, 0, 0)
    assert everything() == before


def test_what_time_alone_changes_is_counted_apart() -> None:
    populate()
    for table, columns in {
        "customers_customer": ("created_at",),
        "customers_touchpoint": ("occurred_at", "received_at"),
        "customers_propertyvalue": ("occurred_at",),
        "lifecycle_transition": ("entered_at", "recorded_at"),
        "lifecycle_standing": ("since", "told_until"),
        "lifecycle_due": ("due_at",),
    }.items():
        shifted(table, columns, timedelta(days=200))
    done = replay_all()
    assert done.rows_changed == 0
    # Of everybody: one transition and one standing in each of the three models, two more for who bought last.
    assert done.rows_by_time >= 6 * 2 * 3
    assert {stage(customer_of(f"p{number}")) for number in range(6)} == {"lapsed"}
    assert settle().customers == 0
    again = replay_all()
    assert (again.rows_changed, again.rows_by_time) == (0, 0)
    fresh = Transition.objects.filter(stage__key="lapsed", recorded_at__gt=ago(days=1))
    assert set(fresh.values_list("cause", flat=True)) == {Cause.TIME}


def _lose_history() -> int:
    return Transition.objects.filter(customer=customer_of("p1")).delete()[0]


def _doubt_history() -> int:
    return Transition.objects.filter(customer=customer_of("p1")).update(superseded_at=F("recorded_at"))


def _move_history() -> int:
    one = Transition.objects.filter(customer=customer_of("p2")).latest("entered_at")
    Transition.objects.filter(pk=one.pk).update(entered_at=F("entered_at") - timedelta(hours=1))
    return 2  # one stops being believed, one is new


def _invent_history() -> int:
    one = Transition.objects.filter(customer=customer_of("p2")).latest("entered_at")
    one.pk, one.entered_at = None, one.entered_at + timedelta(hours=3)
    one.recorded_at = one.entered_at
    one.save(force_insert=True)
    return 1


def _change_stage_in_history() -> int:
    one = Transition.objects.filter(customer=customer_of("p3"), version__subject__key="seven").earliest("entered_at")
    last = Transition.objects.filter(customer=customer_of("p3"), version=one.version).latest("entered_at")
    Transition.objects.filter(pk=one.pk).update(stage=last.stage)
    return 2


def _lose_standings() -> int:
    return Standing.objects.filter(customer=customer_of("p4")).delete()[0]


def _change_standings() -> int:
    other = Standing.objects.filter(customer=customer_of("p5"), subject__key="seven").get().stage_id
    return Standing.objects.filter(customer=customer_of("p0"), subject__key="seven").update(
        stage=other, since=F("since") - timedelta(days=1)
    )


def _move_since() -> int:
    return Standing.objects.filter(customer=customer_of("p0")).update(since=F("since") + timedelta(minutes=1))


@pytest.mark.parametrize(
    "damage",
    [
        _lose_history,
        _doubt_history,
        _move_history,
        _invent_history,
        _change_stage_in_history,
        _lose_standings,
        _change_standings,
        _move_since,
    ],
)
def test_hidden_damage_is_repaired_and_counted_and_nobody_is_told(damage: Any) -> None:
    populate()
    history, told = believed(), Announcement.objects.count()
    dues = list(Due.objects.order_by("pk").values_list("pk", "due_at"))
    rows = damage()
    assert replay_all().rows_changed == rows
    assert believed() == history
    check_standings()
    assert list(Due.objects.order_by("pk").values_list("pk", "due_at")) == dues
    assert Announcement.objects.filter(is_news=True, cause=Cause.ENGINE).count() == 0
    assert Announcement.objects.count() == told
    assert replay_all().rows_changed == 0


@pytest.mark.parametrize("damage", ["lost", "too late"])
def test_a_due_date_that_was_lost_or_is_too_late_comes_back(damage: str) -> None:
    populate()
    dues = list(Due.objects.order_by("pk").values_list("pk", "due_at"))
    if damage == "lost":
        Due.objects.all().delete()
    else:
        Due.objects.update(due_at=F("due_at") + timedelta(days=300))
    replay_all()
    assert list(Due.objects.order_by("pk").values_list("pk", "due_at")) == dues


def test_what_waited_is_done_by_the_way_and_not_again(settings: Settings) -> None:
    settings.CLM_BUCKET_SIZE = 2
    populate()
    tell(happened("p1", "Referral Made", ago(hours=1)))
    done = replay_all()
    assert done.rows_changed > 0
    assert settle().customers == 0
    assert stage(customer_of("p1")) == "advocacy"
    last = Announcement.objects.filter(customer=customer_of("p1"), subject__key="seven").latest("pk")
    assert (last.cause, last.is_news, last.stage.key) == (Cause.LIVE, True, "advocacy")


def test_a_replay_is_resumed_with_its_progress(settings: Settings) -> None:
    settings.CLM_BUCKET_SIZE = 2
    populate()
    Standing.objects.all().delete()
    replay = start_replay()
    assert replay_next(replay=replay)
    half = progress(replay=replay)
    assert (half.done, half.rows_changed > 0) == (1, True)
    assert start_replay() == replay  # whoever comes takes it up
    done = replay_all()
    assert (done.done, done.buckets, done.customers) == (half.buckets, half.buckets, 6)
    assert Replay.objects.filter(cause=Cause.ENGINE).get().finished_at is not None
    check_standings()


def test_somebody_made_after_a_replay_began_is_not_its_business_but_advances(settings: Settings) -> None:
    settings.CLM_BUCKET_SIZE = 2
    populate()
    replay = start_replay()
    tell(happened("late", "Signed Up", ago(hours=1)))
    settle()
    assert replay_all().buckets == ReplayBucket.objects.filter(replay=replay).count()
    assert stage(customer_of("late")) == "acquisition"
    check_standings()


@pytest.mark.django_db(transaction=True)
def test_two_share_a_replay_and_both_end_when_it_is_done(settings: Settings) -> None:
    settings.CLM_BUCKET_SIZE = 1
    populate(10)
    Standing.objects.all().delete()
    answers: list[Any] = []

    def one() -> None:
        try:
            answers.append(replay_all())
        except BaseException as error:
            answers.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # Whoever comes when it has just ended begins another, which finds nothing to do.
    finished = Replay.objects.filter(cause=Cause.ENGINE)
    assert sum(progress(replay=replay).rows_changed for replay in finished) == Standing.objects.count()
    assert all((answer.done, answer.customers) == (answer.buckets, 10) for answer in answers)
    check_standings()


@pytest.mark.django_db(transaction=True)
def test_somebody_waits_for_the_bucket_that_another_holds_and_takes_over_what_he_leaves(
    side: Side, settings: Settings
) -> None:
    settings.CLM_BUCKET_SIZE = 1
    populate(3)
    Standing.objects.all().delete()
    replay = start_replay()
    answers: list[Any] = []

    def one() -> None:
        try:
            answers.append(replay_all())
        finally:
            connections.close_all()

    first = ReplayBucket.objects.filter(replay=replay).order_by("bucket").first()
    assert first is not None
    with side.holding("SELECT 1 FROM lifecycle_replaybucket WHERE id = %s FOR UPDATE", [first.pk]):
        thread = threading.Thread(target=one)
        thread.start()
        while ReplayBucket.objects.filter(replay=replay, done_at=None).count() > 1:
            time.sleep(0.01)
        assert thread.is_alive()
    thread.join(20)
    assert answers[0].done == answers[0].buckets == 3
    check_standings()


# --- what it costs --------------------------------------------------------------------------------------------
def plan_of(name: str, **parameters: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (COSTS OFF) " + sql.query(name), parameters)
        return "\n".join(line for (line,) in cursor.fetchall())


def _all_visible(cursor: Any) -> bool:
    """Whether every page is, now that the table was vacuumed."""
    cursor.execute("VACUUM (ANALYZE) customers_touchpoint")
    cursor.execute("SELECT relallvisible = relpages FROM pg_class WHERE oid = 'customers_touchpoint'::regclass")
    return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_history_is_read_from_the_index_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_touchpoint (profile_id, occurred_at, received_at, amount, body_hash, message_hash,"
            " source_id, type_id, channel_id, flags, currency, original_amount, order_ref, properties)"
            " SELECT n %% 2000, now() - n * interval '1 minute', now(), n, n, gen_random_uuid(), 1, 1, 1, 0, '', NULL,"
            " repeat('x', 40), '{\"a\": 1}' FROM generate_series(1, 40000) AS n",
            [],
        )
        # A session that began earlier, such as one of autovacuum's, may still ask for rows as they were.
        assert wait_until(lambda: _all_visible(cursor), seconds=20, every=0.2)
        for asked in (Ids.of(range(1, 1900)), Ids.of(range(1, 2000, 20))):
            parameters = {**asked.named("profiles"), "channels": True, "amounts": True}
            plan = plan_of("lifecycle/history", **parameters)
            assert "Index Only Scan using touchpoint_replay" in plan, plan
            cursor.execute("EXPLAIN (ANALYZE, COSTS OFF) " + sql.query("lifecycle/history"), parameters)
            assert any("Heap Fetches: 0" in line for (line,) in cursor.fetchall())
    Touchpoint.objects.all().delete()


def test_the_table_of_touchpoints_is_kept_all_visible() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'customers_touchpoint'")
        assert "autovacuum_vacuum_insert_scale_factor=0.01" in cursor.fetchone()[0]


def test_every_index_of_transitions_is_one_that_a_query_needs() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'lifecycle_transition'::regclass"
        )
        assert {name for (name,) in cursor.fetchall()} == {
            "customer_enters_one_stage_at_an_instant",
            "transition_superseded",
            "transition_known",
        }


def test_nothing_that_changes_in_a_standing_is_indexed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)"
            " WHERE i.indrelid = 'lifecycle_standing'::regclass"
        )
        assert {name for (name,) in cursor.fetchall()} == {"customer_id", "subject_id"}


@pytest.mark.django_db(transaction=True)
def test_standings_are_moved_in_place() -> None:
    populate(1)
    with connection.cursor() as cursor:
        updates = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'lifecycle_standing'"
        with transaction.atomic():
            tell(happened("p0", "Referral Made", ago(hours=1)))
            settle()
            cursor.execute(updates)
            moved, in_place = cursor.fetchone()
    assert (moved, in_place) == (moved, moved) and moved > 0


def test_a_touchpoint_that_changes_no_stage_writes_nothing_here() -> None:
    populate(1)
    before = {name: rows for name, rows in everything().items() if name not in ("touchpoints", "stale")}
    dues = list(Due.objects.values_list("pk", "due_at"))
    tell(happened("p0", "Ticket Opened", ago(hours=1)))
    done = settle()
    assert (done.customers, done.written.rows, done.written.announced) == (1, 0, 0)
    assert {name: rows for name, rows in everything().items() if name not in ("touchpoints", "stale")} == before
    assert list(Due.objects.values_list("pk", "due_at")) == dues


def test_a_customer_without_profiles_has_no_life_even_if_nobody_marked_it() -> None:
    populate(2)
    Profile.objects.filter(customer=customer_of("p1")).update(customer=customer_of("p0"))
    replay_all()
    assert set(Standing.objects.values_list("customer", flat=True)) == {customer_of("p0")}
    assert {row[0] for row in believed()} == {customer_of("p0")}
