"""kill -9 between each pair of steps: somebody holds what the next step needs, the process is killed while it waits,
and whoever comes next finds nothing lost and nothing doubled."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from customers.ingest import clock
from customers.models import Cause, Customer, Identity, OrderLine, PropertyValue, Touchpoint
from lifecycle.advance import advance
from lifecycle.announce import sequence
from lifecycle.install import build, install, new_segment
from lifecycle.models import Announcement, Replay, ReplayBucket, Standing, Transition, Version
from lifecycle.replay import replay_all
from lifecycle.tick import tick

from .conftest import PATIENCE, PROJECT, Process, Side
from .making import (
    ago,
    check_standings,
    customer_of,
    happened,
    history_of,
    installed,
    settle,
    source,
    stage,
    tell,
    waiting,
)

Spawn = Callable[..., "Process[str]"]
Forked = Callable[[Callable[[], Any]], "Child"]

EXCLUSIVE, WRITERS = "ACCESS EXCLUSIVE", "SHARE"
COMMIT_LOCK = 999


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> None:
    installed()


class Child:
    """An act in a process of its own: forked, so that it need not start from nothing, with a new connection."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=_alone, args=(act,))
        self._process.start()

    def kill(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(PATIENCE)
        assert self._process.exitcode == -signal.SIGKILL

    def end(self) -> None:
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self.kill()


def _alone(act: Callable[[], Any]) -> None:
    # The parent's connections are the parent's: forgotten here, not closed.
    for one in connections.all(initialized_only=True):
        one.connection = None
        one.in_atomic_block, one.savepoint_ids, one.run_on_commit = False, [], []
    try:
        act()
    finally:
        os._exit(0)


@pytest.fixture
def forked() -> Iterator[Forked]:
    started: list[Child] = []

    def start(act: Callable[[], Any]) -> Child:
        started.append(Child(act))
        return started[-1]

    yield start
    for one in started:
        one.end()


def gone(side: Side, pids: list[int]) -> None:
    """Wait until the backends of a killed process have noticed."""
    deadline = time.monotonic() + PATIENCE
    while side.ask("SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)", [pids]):
        assert time.monotonic() < deadline, "the backend of a killed process is still there"
        time.sleep(0.01)


def told(customer: int) -> list[tuple[Any, ...]]:
    return list(
        Announcement.objects.filter(customer=customer)
        .order_by("subject", "pk")
        .values_list("subject", "kind", "from_stage", "stage", "entered_at", "cause", "is_news")
    )


def state(person: str) -> tuple[Any, ...]:
    """What is stored of a person, without naming it."""
    customer = customer_of(person)
    standings = Standing.objects.filter(customer=customer).order_by("subject")
    return (
        history_of(customer),
        told(customer),
        list(standings.values_list("subject", "stage", "since", "told_stage", "told_until")),
        Transition.objects.filter(customer=customer).count(),
        Touchpoint.objects.filter(profile__customer=customer).count(),
    )


# Where advance is killed: what the next step needs, and from whom it is kept.
ADVANCE = {
    "before the Stale rows are read": ("customers_profile", EXCLUSIVE),
    "between touchpoints and properties": ("customers_trait", EXCLUSIVE),
    "before history is read": ("lifecycle_transition", EXCLUSIVE),
    "before transitions are written": ("lifecycle_transition", WRITERS),
    "before standings are written": ("lifecycle_standing", WRITERS),
    "before due dates are written": ("lifecycle_due", WRITERS),
    "before announcements are written": ("lifecycle_announcement", WRITERS),
    "before the portrait is written": ("customers_customer", WRITERS),
    "before the Stale rows are deleted": ("customers_stale", WRITERS),
}


def _events(person: str, at: Any) -> list[Any]:
    return [
        happened(person, "Page Viewed", at),
        happened(person, "Signed Up", at, traits={"name": "N. N."}),
        happened(person, "Feedback Submitted", at, properties={"nps": 10}),
    ]


def test_an_advance_killed_at_any_step_and_run_again_equals_an_undisturbed_one(side: Side, forked: Forked) -> None:
    at, first = ago(hours=3), ago(days=400)  # gone quiet since, with nothing due
    people = ["undisturbed", *ADVANCE]
    for person in people:
        tell(happened(person, "Ticket Opened", first, id=f"{person} first"))
    settle()
    tell(*_events("undisturbed", at))
    settle()
    for person, (table, mode) in ADVANCE.items():
        tell(*_events(person, at))
        with side.holding(f"LOCK TABLE {table} IN {mode} MODE"):
            child = forked(advance)
            pids = side.waits_for(table)
            child.kill()
        gone(side, pids)
        assert waiting() == 1, person  # a batch leaves one row, of its touchpoints and its trait
        assert settle().customers == 1
        assert state(person) == state("undisturbed"), person
    assert waiting() == 0
    check_standings()
    assert replay_all().rows_changed == 0


@pytest.fixture
def held_commit(side: Side) -> Iterator[None]:
    """Whoever deletes Stale rows stops inside its COMMIT while somebody holds COMMIT_LOCK."""
    side.ask(
        f"CREATE FUNCTION wait_in_commit() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_advisory_xact_lock_shared({COMMIT_LOCK}, 0); RETURN NULL; END $$"
    )
    side.ask(
        "CREATE CONSTRAINT TRIGGER wait_in_commit AFTER DELETE ON customers_stale"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_in_commit()"
    )
    yield
    side.ask("DROP TRIGGER wait_in_commit ON customers_stale")
    side.ask("DROP FUNCTION wait_in_commit()")


def test_an_advance_killed_inside_its_commit_has_happened_once_or_not_at_all(
    side: Side, forked: Forked, held_commit: None
) -> None:
    at = ago(hours=3)
    tell(*_events("undisturbed", at))
    settle()
    tell(*_events("killed", at))
    with side.holding("SELECT pg_advisory_xact_lock(%s, 0)", [COMMIT_LOCK]):
        child = forked(advance)
        pids = side.waits_for(str(COMMIT_LOCK))
        child.kill()
    gone(side, pids)
    assert waiting() in (0, 1)
    settle()
    assert state("killed") == state("undisturbed")


def test_the_command_killed_and_started_again_goes_on(side: Side, outside_env: dict[str, str]) -> None:
    at = ago(hours=3)
    tell(*_events("undisturbed", at))
    settle()
    tell(*_events("killed", at))
    command = [sys.executable, str(PROJECT / "manage.py"), "advance"]
    with side.holding("LOCK TABLE lifecycle_standing IN SHARE MODE"):
        process = subprocess.Popen(command, env=outside_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pids = side.waits_for("lifecycle_standing")
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
    gone(side, pids)
    assert waiting() == 1
    again = subprocess.run(command, env=outside_env, capture_output=True, text=True, timeout=60, check=True)
    assert again.stdout.splitlines()[-1].endswith("rows changed")
    assert again.stdout.startswith("1 customers advanced, 0 parked")
    assert state("killed") == state("undisturbed")
    assert not Announcement.objects.filter(sequence=None).exists()


INGEST = {
    "before identities are stored": ("customers_identity", WRITERS),
    "while people are stored, identities and profiles in one statement": ("customers_profile", WRITERS),
    "before a new type enters the catalogue": ("customers_touchpointtype", WRITERS),
    "between profiles and touchpoints": ("customers_touchpoint", EXCLUSIVE),
    "while touchpoints are stored, traits with them": ("customers_trait", WRITERS),
}


def test_an_ingest_killed_at_any_step_has_stored_nothing_and_stores_all_when_it_is_sent_again(
    side: Side, forked: Forked
) -> None:
    source()
    tell(happened("before", "Page Viewed", ago(days=1)))
    settle()
    tables = (Identity, Customer, Touchpoint, PropertyValue, OrderLine)
    at = ago(hours=1)
    for step, (table, mode) in INGEST.items():
        before = [one.objects.count() for one in tables]
        events = [happened(step, f"Of {step}", at, properties={"nps": 9}, traits={"plan": "pro"})]
        with side.holding(f"LOCK TABLE {table} IN {mode} MODE"):
            child = forked(lambda events=events: tell(*events))
            pids = side.waits_for(table)
            child.kill()
        gone(side, pids)
        assert [one.objects.count() for one in tables] == before, step
        assert waiting() == 0
        tell(*events)
        tell(*events)
        assert [one.objects.count() for one in tables] == [count + 1 for count in before[:4]] + before[4:], step
        settle()
        assert stage(customer_of(step)) == "awareness"


def test_a_killed_replay_is_taken_up_where_it_stopped(
    side: Side, forked: Forked, settings: Settings, manage: Callable[..., Any]
) -> None:
    tell(*[event for name in "abc" for event in _events(name, ago(days=3))])
    settle()
    first = min(customer_of(name) for name in "abc")
    settings.CLM_BUCKET_SIZE = 1
    lost = Transition.objects.filter(superseded_at=None).delete()[0]
    with side.holding("SELECT pg_advisory_xact_lock_shared(7304, %s)", [first + 1]):
        child = forked(replay_all)
        pids = side.waits_for("7304")
        child.kill()
    gone(side, pids)
    replay = Replay.objects.get(cause=Cause.ENGINE, finished_at=None)
    buckets = ReplayBucket.objects.filter(replay=replay).order_by("bucket")
    assert [one.done_at is not None for one in buckets] == [True, False, False]
    with side.holding("LOCK TABLE lifecycle_transition IN SHARE MODE"):  # and again, in the middle of a bucket
        child = forked(replay_all)
        pids = side.waits_for("lifecycle_transition")
        child.kill()
    gone(side, pids)
    assert ReplayBucket.objects.filter(replay=replay, done_at=None).count() == 2
    done = replay_all()
    assert (done.buckets, done.done, done.rows_changed) == (3, 3, lost)
    assert [one.pk for one in Replay.objects.filter(cause=Cause.ENGINE)] == [replay.pk]
    check_standings()
    assert replay_all().rows_changed == 0
    assert Announcement.objects.filter(cause=Cause.ENGINE).count() == 0


def test_an_installation_and_a_publish_killed_before_the_pointer_moves_are_finished_by_the_next(
    side: Side, forked: Forked
) -> None:
    tell(*_events("a", ago(days=3)))
    settle()
    with side.holding("LOCK TABLE lifecycle_subject IN SHARE MODE"):
        version = None

        def publish() -> None:
            build(versions=[Version.objects.get(subject__key="chosen")], now=clock())

        side.ask("COMMIT")
        side.ask("BEGIN")
        version = new_segment(key="chosen", name="chosen", rule={"did": {"role": "signup"}})
        side.ask("LOCK TABLE lifecycle_subject IN SHARE MODE")
        child = forked(publish)
        pids = side.waits_for("lifecycle_subject")
        child.kill()
    gone(side, pids)
    version.refresh_from_db()
    assert version.state == Version.State.BUILDING
    install(now=clock())
    version.refresh_from_db()
    assert version.state == Version.State.LIVE
    assert stage(customer_of("a"), "chosen") == "in"
    check_standings()


def test_a_killed_sequencer_leaves_every_announcement_one_place(side: Side, forked: Forked) -> None:
    tell(*_events("a", ago(hours=3)))
    settle()
    with side.holding("LOCK TABLE lifecycle_announcement IN SHARE MODE"):
        child = forked(sequence)
        pids = side.waits_for("lifecycle_announcement")
        child.kill()
    gone(side, pids)
    assert not Announcement.objects.exclude(sequence=None).exists()
    tick()
    places = list(Announcement.objects.order_by("pk").values_list("sequence", flat=True))
    assert places == sorted(set(places)) and None not in places
