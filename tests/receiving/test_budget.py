"""What a batch costs: statements, whatever its size."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers import catalogue
from customers.models import Customer, Stale, Touchpoint, Trait, TraitTelling
from customers.receiving import door

from .sending import Sender, identify, track

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def statements() -> Iterator[list[str]]:
    said: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield said
    said += [one["sql"] for one in captured.captured_queries if one["sql"] not in ("BEGIN", "COMMIT")]


def mixed(count: int, round: int, *, at: Any) -> list[dict[str, Any]]:
    """Of ten: seven track, two identify with changed traits, one page; known people, and new ones."""
    messages = []
    for number in range(count):
        name = f"{round}-{number}"
        user = f"u{number % 400}" if number % 5 else f"new {name}"
        both = {"anonymousId": f"a {user}", "timestamp": at.isoformat()}
        if number % 10 < 7:
            messages.append(track(name, ["Order Completed", "Feature Used"][number % 2], user=user, **both))
        elif number % 10 < 9:
            messages.append(identify(name, user=user, traits={"plan": f"p{round}", "n": number}, **both))
        else:
            messages.append({**track(name, user=user, **both), "type": "page"})
    return messages


@pytest.mark.parametrize("count", [1, 100, 500])
def test_a_batch_takes_at_most_six_statements_whatever_its_size_and_news(sender: Sender, count: int) -> None:
    now = timezone.now()
    sender.batch(track("warm"))
    catalogue.forget()
    door.forget()  # what the key opens is asked for as well
    for round, at in enumerate([now, now - timedelta(hours=2), now - timedelta(hours=1)]):
        # The first brings new names and new people, the last tears the steps that the others made.
        messages = mixed(count, round, at=at)
        if count == 1:
            messages = [identify(f"one {round}", user=f"new {round}", traits={"plan": round})]
        with statements() as said:
            assert sender.batch(*messages).status_code == 200
        assert len(said) <= 6, said
        with statements() as again:
            assert sender.batch(*messages).status_code == 200
        assert len(again) <= 6, again
    assert Touchpoint.objects.exclude(type__name="Created").count() == (1 if count == 1 else 1 + 3 * count * 8 // 10)
    assert TraitTelling.objects.exclude(message_hash=None).count() == (3 if count == 1 else 3 * count * 2 // 10)


def test_what_is_sent_again_changes_no_row(sender: Sender) -> None:
    messages = mixed(60, 0, at=timezone.now() - timedelta(minutes=5))
    assert sender.batch(*messages).status_code == 200

    def rows() -> list[Any]:
        tables = (Touchpoint, Trait, TraitTelling, Customer, Stale)
        return [list(table.objects.order_by("pk").values()) for table in tables]

    first = rows()
    for part in (messages, messages[::-1], messages[20:40], messages[:1]):
        assert sender.batch(*part, sentAt=timezone.now().isoformat()).status_code == 200
    assert rows() == first


def test_traits_told_late_step_back_and_the_same_message_told_later_does_not_win(sender: Sender) -> None:
    at = (timezone.now() - timedelta(days=1)).isoformat()
    free = identify("1", traits={"plan": "free"}, timestamp=at)
    pro = identify("2", traits={"plan": "pro"}, timestamp=at)
    sender.batch(free, pro)
    sender.batch(free)
    assert [trait.value for trait in Trait.objects.all()] == ["pro"]


def test_somebody_new_who_only_told_traits_is_created(sender: Sender) -> None:
    sender.batch(identify("1", user="a", traits={"name": "A"}), identify("2", user="b"), track("3", user="b"))
    assert list(Touchpoint.objects.order_by("pk").values_list("type__name", flat=True).distinct()) in (
        ["Created", "Feature Used"],
        ["Feature Used", "Created"],
    )
    assert Touchpoint.objects.filter(type__name="Created").count() == 1
    sender.batch(identify("4", user="a", traits={"name": "A2"}))
    assert Touchpoint.objects.count() == 2
