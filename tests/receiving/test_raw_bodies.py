"""Messages as they arrived: those of a batch lie in one row, each is found by itself, and what is taken out is gone."""

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from clm.lib.milliseconds import truncated
from customers.erase import work_on_erasures
from customers.events import message_hash
from customers.ingest import clock
from customers.models import RawBody, Touchpoint, TraitTelling
from customers.raw_bodies import BodyKey, bodies_in, body_of, drop_bodies, packed, unpacked
from lifecycle.erase import erase
from tests.importing.test_undo import undo
from tests.lifecycle.making import customer_of

from .sending import Sender, identify, track
from .test_budget import statements
from .test_undone_imports import dump

pytestmark = pytest.mark.django_db


def rows_of(sender: Sender) -> list[RawBody]:
    return list(RawBody.objects.filter(source=sender.source).order_by("received_at", "message_hash"))


def kept(sender: Sender) -> dict[UUID, bytes]:
    return {message: body for row in rows_of(sender) for message, body in bodies_in(row).items()}


def key_of(id: str) -> BodyKey:
    """By what a touchpoint or a telling finds its body."""
    hashed = message_hash(id)
    for at, source in Touchpoint.objects.filter(message_hash=hashed).values_list("received_at", "source_id"):
        return at, source, hashed
    telling = TraitTelling.objects.get(message_hash=hashed)
    assert telling.recorded_at is not None and telling.source_id is not None
    return truncated(telling.recorded_at), telling.source_id, hashed


def text(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()


@pytest.mark.parametrize("bodies", [[], [b"{}"], [b'{"a":\n1}', b"", b"{}" * 70_000, "{ü}".encode()]], ids=len)
def test_what_is_packed_comes_out_as_it_was(bodies: list[bytes]) -> None:
    assert unpacked(packed(bodies), len(bodies)) == bodies


def test_a_batch_lies_in_one_row_and_every_message_finds_its_own(sender: Sender) -> None:
    sender.batch(track("0"))  # names that are new are added here
    messages = [track("1"), identify("2", user="new", traits={"a": 1}), identify("3"), track("4", user="u2")]
    sender.batch(*messages)
    assert [len(row.messages or ()) for row in rows_of(sender)] == [0, 4]
    for message in messages:
        assert body_of(key_of(message["messageId"])) == text(message)
    at, source, _hash = key_of("1")
    assert body_of((at, source, message_hash("5"))) is None
    assert body_of((at - timedelta(milliseconds=1), source, message_hash("1"))) is None


def test_a_message_is_printed_as_it_arrived(sender: Sender, capsys: pytest.CaptureFixture[str]) -> None:
    said = [track("1", properties={"word": "ü"}), identify("2", traits={"a": 1.50})]
    sender.batch(*said)
    for message in said:
        call_command("kept_message", sender.source.key, message["messageId"])
        assert capsys.readouterr().out == text(message).decode() + "\n"
    for source, message_id in ((sender.source.key, "3"), ("other", "1")):
        with pytest.raises(CommandError, match="No message"):
            call_command("kept_message", source, message_id)


def test_of_a_batch_that_is_known_in_part_what_is_new_is_kept(sender: Sender) -> None:
    first = [track("1"), identify("2", traits={"a": 1})]
    sender.batch(*first)
    differing = [track("1", properties={"other": True}), identify("2", traits={"a": 2})]
    new = [track("3"), identify("4", traits={"a": 3}), {"type": "track", "event": "E", "messageId": "5", "userId": "u"}]
    sender.batch(*differing, *new[:2])
    sender.batch(*differing, *new)  # with a new name
    sender.batch(*differing, *new)
    assert kept(sender) == {message_hash(one["messageId"]): text(one) for one in (*first, *new)}


def test_an_id_of_a_touchpoint_and_of_a_telling_in_one_batch_harms_nobody(sender: Sender) -> None:
    for user in ("before", "after"):  # names are new; they are known
        sender.batch(identify(user, user=user, traits={"a": 1}), track(user, user=user), track(f"{user} 2", user=user))
        assert message_hash(f"{user} 2") in kept(sender)
        assert message_hash(user) in kept(sender)
    assert Touchpoint.objects.exclude(type__name="Created").count() == 4


def test_new_names_late_traits_and_a_known_message_together_take_six_statements(sender: Sender) -> None:
    now = timezone.now()
    for hours in (3, 1):
        sender.batch(
            identify(f"{hours}", traits={"plan": "same"}, timestamp=(now - timedelta(hours=hours)).isoformat())
        )
    sender.batch(track("known"))
    late = identify("late", traits={"plan": "other"}, timestamp=(now - timedelta(hours=2)).isoformat())
    with statements() as said:
        sender.batch(track("known"), late, track("new", "Never heard of", user="nobody yet"))
    assert len([one for one in said if "SAVEPOINT" not in one]) <= 6, said
    assert {message_hash("late"), message_hash("new")} <= kept(sender).keys()
    later = identify("later", traits={"plan": "another"}, timestamp=(now - timedelta(minutes=100)).isoformat())
    with statements() as said:
        sender.batch(track("known"), later, track("newer", "Never heard of", user="nobody yet either"))
    assert len([one for one in said if "SAVEPOINT" not in one]) <= 6, said
    assert {message_hash("later"), message_hash("newer")} <= kept(sender).keys()


def test_an_erased_person_is_taken_out_and_whoever_sent_with_it_stays(sender: Sender) -> None:
    sender.batch(track("0", user="other"))
    gone = [
        track("1", user="zwilling"),
        identify("2", user="zwilling", traits={"name": "Una"}),
        track("3", user="zwilling"),
    ]
    stays = [track("4", user="other"), identify("5", user="other", traits={"name": "Anna"})]
    sender.batch(gone[0], stays[0], gone[1], stays[1])
    sender.batch(gone[2])
    assert len(rows_of(sender)) == 3
    record = erase(customer=customer_of("zwilling"), now=clock())
    work_on_erasures()
    assert kept(sender) == {message_hash(one["messageId"]): text(one) for one in (track("0", user="other"), *stays)}
    assert len(rows_of(sender)) == 2
    assert not any(b"zwilling" in body for body in kept(sender).values())
    assert body_of(key_of("5")) == text(stays[1])
    record.refresh_from_db()
    assert record.counts["raw_bodies"] == 3
    assert not TraitTelling.objects.filter(traits={}).exists()


def test_nothing_of_what_was_told_is_left_before_the_bodies_are_looked_for(sender: Sender) -> None:
    sender.batch(identify("1", traits={"name": "Una"}))
    erase(customer=customer_of("u1"), now=clock())
    assert list(TraitTelling.objects.values_list("traits", flat=True)) == [{}]
    work_on_erasures()
    assert not TraitTelling.objects.exists()


def test_bodies_that_lay_each_in_a_row_of_its_own_are_read_and_taken_out(sender: Sender) -> None:
    at = truncated(clock())
    for number in range(3):
        RawBody.objects.create(
            received_at=at, source=sender.source, message_hash=message_hash(str(number)), body=b"{%d}" % number
        )
    assert body_of((at, sender.source.pk, message_hash("1"))) == b"{1}"
    with transaction.atomic():
        assert drop_bodies([(at, sender.source.pk, message_hash("1"))] * 2) == 1
        assert drop_bodies([(at, sender.source.pk, message_hash("1"))]) == 0
    assert kept(sender) == {message_hash("0"): b"{0}", message_hash("2"): b"{2}"}


def test_an_import_that_is_taken_back_takes_its_messages_along(sender: Sender) -> None:
    record = dump(
        track("1", timestamp="2025-02-02T00:00Z"), identify("2", traits={"a": 1}, timestamp="2025-02-02T00:00Z")
    )
    assert RawBody.objects.filter(source=record.source_id).exists()
    undo(record)
    assert not RawBody.objects.filter(source=record.source_id).exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_take_out_of_one_row_wait_for_each_other() -> None:
    sender = Sender()
    sender.batch(track("0"))
    sender.batch(*(track(str(number)) for number in range(1, 6)))
    done: list[int] = []

    def other() -> None:
        try:
            with transaction.atomic():
                done.append(drop_bodies([key_of("2"), key_of("1")]))
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        # The first message of the row goes: the other waits for a row that then has another name.
        assert drop_bodies([key_of("1"), key_of("3")]) == 2
        thread.start()
        wait_for_a_lock()
    thread.join(30)
    assert done == [1]
    assert kept(sender).keys() == {message_hash("0"), message_hash("4"), message_hash("5")}


def wait_for_a_lock() -> None:
    """Until another session waits for one that this holds."""
    until = timezone.now() + timedelta(seconds=30)
    with connection.cursor() as cursor:
        while timezone.now() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")
