"""Files that are made while nobody waits: whole or not there, of one instant, one at a time, whatever is killed."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connections

from analytics.exports import jobs
from analytics.exports.jobs import claimable, folder, forget_files, has_work, make_waiting, stop
from analytics.models import Export
from clm.lib.access.models import User
from clm.lib.questions import ConflictError
from customers.ingest import clock
from customers.models import Identity
from tests.factories import make_order, make_user
from tests.lifecycle.making import ago, settle, tell

from .asking import ask, rows_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


def identity_of(customer: int) -> tuple[tuple[str, str], ...]:
    return tuple(Identity.objects.filter(profile__customer=customer).values_list("kind", "value")[:1])


def elsewhere(act: Callable[[], Any]) -> None:
    """Do something in a thread, and so on a connection, of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_what_happens_while_a_file_is_made_is_not_in_it(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    written = jobs.pieces

    def disturbed(**asked: Any) -> Iterator[bytes]:
        for number, piece in enumerate(written(**asked)):
            if number == 1:  # the newest is written, the others are still to come
                elsewhere(
                    lambda: (tell(make_order("person", ago(days=1), identities=identity_of(people[0]))), settle())
                )
            yield piece

    monkeypatch.setattr(jobs, "pieces", disturbed)
    export = ask(marketer, "sort=-created")
    assert make_waiting() == 1
    assert [row["orders"] for row in rows_of(export)] == ["2", "2", "2"]
    monkeypatch.setattr(jobs, "pieces", written)
    again = ask(marketer, "sort=-created")
    make_waiting()
    assert sorted(row["orders"] for row in rows_of(again)) == ["2", "2", "3"]
    assert again.as_of > export.as_of


HANG = """
import time
from analytics.exports import jobs
written = jobs.pieces
def hanging(**asked):
    for number, piece in enumerate(written(**asked)):
        yield piece
        if number == 1:
            print("half", flush=True)
            time.sleep(600)
jobs.pieces = hanging
jobs.make_waiting()
"""


def test_a_killed_process_leaves_nothing_and_the_next_one_starts_over(
    marketer: User,
    people: list[int],
    files: Path,
    spawn: Any,
) -> None:
    export = ask(marketer)
    process = spawn(f"from django.conf import settings\nsettings.MEDIA_ROOT = {str(files.parent)!r}\n{HANG}")
    assert process.stdout.readline().strip() == "half"
    process.kill()
    process.wait()
    export.refresh_from_db()
    assert export.state == "running"
    assert [path.name for path in files.iterdir()] == [f"{export.pk}-1.part"]
    assert make_waiting() == 0  # another one may still be at work
    Export.objects.update(lease_until=ago(seconds=1))
    assert make_waiting() == 1
    assert len(rows_of(export)) == 3
    assert export.attempt == 2
    (files / f"{export.pk}-1.part").touch()
    os.utime(files / f"{export.pk}-1.part", (time.time() - 7200,) * 2)
    forget_files(now=clock())
    assert [path.name for path in files.iterdir()] == [export.file]


def test_a_file_that_kills_whoever_makes_it_is_given_up(marketer: User, people: list[int]) -> None:
    export = ask(marketer)
    Export.objects.update(state="running", attempt=jobs.TRIES, lease_until=ago(seconds=1))
    assert make_waiting() == 0
    export.refresh_from_db()
    assert export.state == "failed"
    assert "3 times" in export.error


def test_a_stopped_file_is_not_finished(marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    written = jobs.pieces
    seen = []

    def stopped(**asked: Any) -> Iterator[bytes]:
        for number, piece in enumerate(written(**asked)):
            seen.append(number)
            if number == 1:
                elsewhere(lambda: stop(export=Export.objects.get(), now=clock()))
            yield piece

    monkeypatch.setattr(jobs, "pieces", stopped)
    export = ask(marketer)
    assert make_waiting(note_seconds=0) == 0
    export.refresh_from_db()
    assert export.state == "cancelled"
    assert len(seen) == 2
    assert list(folder().iterdir()) == []
    with pytest.raises(ConflictError):
        stop(export=export, now=clock())


def test_how_far_it_is_is_told_while_it_is_made(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    told = []
    written = jobs.pieces

    def watched(**asked: Any) -> Iterator[bytes]:
        for piece in written(**asked):
            elsewhere(lambda: told.extend(Export.objects.values_list("rows", "lease_until")))
            yield piece

    monkeypatch.setattr(jobs, "pieces", watched)
    ask(marketer)
    make_waiting(note_seconds=0)
    assert [rows for rows, _until in told] == [0, 0, 1, 2]
    assert told[-1][1] > told[0][1]


def test_what_cannot_be_asked_any_more_fails_with_its_reason(marketer: User, people: list[int]) -> None:
    export = ask(marketer, "segment=gone")
    assert make_waiting() == 0
    export.refresh_from_db()
    assert export.state == "failed"
    assert "gone" in export.error


def test_one_process_works_at_a_time_unless_more_may(marketer: User, people: list[int], settings: Any) -> None:
    busy, waiting = ask(marketer), ask(marketer)
    Export.objects.filter(pk=busy.pk).update(state="running", attempt=1, lease_until=clock() + timedelta(minutes=1))
    assert not has_work(now=clock())
    assert make_waiting() == 0
    settings.CLM_EXPORTS_AT_ONCE = 2
    assert make_waiting() == 1
    waiting.refresh_from_db()
    assert waiting.state == "ready"


def test_nobody_fills_the_disk_with_files_that_wait(marketer: User, people: list[int]) -> None:
    for _ in range(jobs.MOST_WAITING):
        ask(marketer)
    with pytest.raises(ConflictError):
        ask(marketer)
    ask(make_user("admin"))


def test_a_full_disk_ends_it_with_a_reason(marketer: User, people: list[int], settings: Any) -> None:
    settings.CLM_DISK_FREE_MB = 10**9
    export = ask(marketer)
    assert make_waiting(note_seconds=0) == 0
    export.refresh_from_db()
    assert (export.state, export.error) == ("failed", "The disk is nearly full.")
    assert list(folder().iterdir()) == []


def test_the_command_makes_what_waits(marketer: User, people: list[int], manage: Any, files: Path) -> None:
    ask(marketer)
    done = manage("export", check=True)
    assert done.stdout.strip() == "1 files made"
    export = Export.objects.get()
    assert export.state == "ready"
    made = Path(configured.DATA_DIR) / "files" / "exports" / export.file
    assert made.exists()
    made.unlink()
    assert claimable(clock())
