"""Things that tests need, made through the program's own doors: events are ingested, stages are advanced. Plain
functions with defaults; what a test is about it says itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.test import Client

from campaigns.models import Spend
from clm.lib.access.models import ApiKey, Role, User
from customers.events import Event
from customers.models import Channel
from lifecycle.drafting import role_table
from lifecycle.models import Stage, StageModel, Subject, Transition, Version

from .lifecycle.making import customer_of, happened, settle, tell

_numbers: Iterator[int] = count(1)
PASSWORD = "correct horse battery"


def day(text: str) -> datetime:
    """2024-03-01, or 2024-03-01T12:00, as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_order(person: str, at: datetime | str, amount: int | None = 10_000, **more: Any) -> Event:
    """A purchase; amount in minor units."""
    at = day(at) if isinstance(at, str) else at
    return happened(person, "Order Completed", at, amount=amount, id=f"order {next(_numbers)}", **more)


def make_refund(person: str, at: datetime | str, amount: int = -10_000) -> Event:
    at = day(at) if isinstance(at, str) else at
    return happened(person, "Order Refunded", at, amount=amount, id=f"refund {next(_numbers)}")


def make_customer(*orders: str | datetime, amount: int = 10_000, **traits: Any) -> int:
    """A customer with orders at these instants (none: one page view a day ago), brought up to date; its id."""
    person = f"person {next(_numbers)}"
    if orders:
        events = [make_order(person, at, amount, traits=traits) for at in orders]
    else:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        events = [happened(person, "Page Viewed", yesterday, traits=traits)]
    tell(*events)
    settle()
    return customer_of(person)


def make_spend(day_text: str, amount: int, *, paid: bool = True, channel: str = "ads") -> Spend:
    """Spend on one day, in minor units."""
    return Spend.objects.create(
        channel=Channel.objects.get_or_create(key=channel)[0],
        day=day_text,
        amount=amount,
        original_amount=amount / 100,
        currency="EUR",
        is_paid_media=paid,
    )


def make_model(key: str = "made", stages: tuple[str, ...] = ("a", "b", "gone")) -> StageModel:
    """A live model whose history a test writes by hand with `make_transition`; the last stage is the exit."""
    model = StageModel.objects.create(kind=Subject.Kind.MODEL, key=key, name=key.title())
    for position, name in enumerate(stages, start=1):
        Stage.objects.create(
            subject=model, key=name, name=name.title(), position=position, is_exit=position == len(stages)
        )
    version = Version.objects.create(
        subject=model,
        number=1,
        state=Version.State.LIVE,
        document={"stages": [{"key": name, "rule": {"did": {}}} for name in stages[:-1]], "exit": stages[-1]},
        lapse_days=180,
        time_zone="UTC",
        tzdata="",
        role_table=role_table(),
        engine=1,
        published_at=day("2020-01-01"),
    )
    StageModel.objects.filter(pk=model.pk).update(live_version=version)
    model.refresh_from_db()
    return model


def make_transition(
    model: StageModel,
    customer: int,
    stage: str,
    entered: str | datetime,
    *,
    recorded: str | datetime | None = None,
    superseded: str | datetime | None = None,
) -> Transition:
    """One row of history, as advance would have written it."""

    def instant(value: str | datetime | None) -> datetime | None:
        return day(value) if isinstance(value, str) else value

    return Transition.objects.create(
        customer_id=customer,
        version_id=model.live_version_id,
        stage=Stage.objects.get(subject=model, key=stage),
        entered_at=instant(entered),
        recorded_at=instant(recorded or entered),
        superseded_at=instant(superseded),
        cause=1,
    )


def make_user(role: str = "admin", email: str | None = None) -> User:
    return User.objects.create_user(email or f"{role}{next(_numbers)}@example.org", PASSWORD, role=role)


def client_of(role: str | None = "admin") -> Client:
    """A machine with a key of that role; None: one without a key."""
    if role is None:
        return Client()
    _key, secret = ApiKey.issue(name=f"test {role}", role=Role(role))
    return Client(headers={"Authorization": f"Bearer {secret}"})
