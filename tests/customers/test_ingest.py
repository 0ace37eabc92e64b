"""Storing what happened: once, under the right profile, at the right instant, and in nobody's way."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction

from customers import catalogue
from customers.events import Event, Line
from customers.ingest import Ingested, clock, ingest
from customers.models import (
    Cause,
    Customer,
    Identity,
    Installation,
    OrderLine,
    Profile,
    Source,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
)

pytestmark = pytest.mark.django_db


def shop() -> Source:
    return Source.objects.get_or_create(key="shop", defaults={"name": "Shop"})[0]


def event(id: str, *people: tuple[str, str], at: datetime | None = None, **more: object) -> Event:
    return Event(
        **{
            "message_id": id,
            "identities": people or (("user_id", "u"),),
            "type": "Page Viewed",
            "channel": "web",
            "occurred_at": at or clock() - timedelta(minutes=1),
            **more,
        }
    )


def tell(*events: Event, cause: Cause | None = None) -> Ingested:
    return ingest(source=shop(), events=events, cause=cause)


def profile(kind: str, value: str) -> int:
    return Identity.objects.get(kind=kind, value=value).profile_id


USER, ANON, MAIL = ("user_id", "u"), ("anonymous_id", "a"), ("email", "u@example.org")


# --- once ----------------------------------------------------------------------------------------------------
def test_a_message_is_stored_once_and_repetitions_and_conflicts_are_counted() -> None:
    at = clock() - timedelta(minutes=1)
    first = event("m", at=at, amount=100)
    other = event("m", at=at, amount=200)
    done = tell(first, first, other)
    assert (done.new, done.repeated, done.conflicting, done.new_customers) == (1, 1, 1, 1)
    done = tell(other, first)
    assert (done.new, done.repeated, done.conflicting, done.new_customers) == (0, 0, 2, 0)
    assert Touchpoint.objects.get().amount == 100
    assert Stale.objects.count() == 1  # nothing new, nothing to look at


def test_the_same_id_from_another_source_is_another_message() -> None:
    tell(event("m"))
    done = ingest(source=Source.objects.create(key="app", name="App"), events=[event("m")])
    assert (done.new, Touchpoint.objects.count()) == (1, 2)


def test_nothing_told_writes_nothing() -> None:
    assert tell() == Ingested(0, 0, 0, 0, ())
    assert Stale.objects.count() == 0


# --- who ------------------------------------------------------------------------------------------------------
def test_an_event_belongs_to_the_strongest_identity_that_is_known_and_the_unknown_ones_join_it() -> None:
    tell(event("1", ANON))
    tell(event("2", USER, ANON))
    assert profile(*USER) == profile(*ANON)
    tell(event("3", MAIL))
    tell(event("4", MAIL, USER))  # both known, two profiles: the stronger one has it, nothing is merged
    assert profile(*MAIL) != profile(*USER)
    assert Touchpoint.objects.latest("pk").profile_id == profile(*MAIL)


def test_people_who_turn_out_to_be_one_within_a_batch_are_one() -> None:
    done = tell(event("1", ANON), event("2", MAIL), event("3", USER, MAIL), event("4", MAIL, ANON))
    assert done.new_customers == 1
    assert set(done.profiles) == {profile(*USER)} == {profile(*ANON)} == {profile(*MAIL)}
    assert Customer.objects.count() == Profile.objects.count() == 1


def test_strangers_of_a_batch_who_meet_somebody_known_are_that_person() -> None:
    tell(event("1", USER))
    done = tell(event("2", ANON), event("3", ANON, MAIL), event("4", USER, MAIL))
    assert done.new_customers == 0
    assert set(done.profiles) == {profile(*USER)}


# --- when -----------------------------------------------------------------------------------------------------
def test_instants_are_cut_to_the_millisecond_and_future_ones_are_set_to_their_arrival() -> None:
    tell(
        event("past", at=datetime(2020, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)), event("ahead", at=clock() + timedelta(1))
    )
    past, ahead = Touchpoint.objects.order_by("occurred_at")
    assert past.occurred_at == datetime(2020, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert (ahead.occurred_at, ahead.flags) == (ahead.received_at, Touchpoint.Flag.CLAMPED)
    assert past.flags == 0


def test_before_1990_is_refused() -> None:
    with pytest.raises(ValueError, match="1990"):
        event("old", at=datetime(1989, 12, 31, 23, 59, 59, tzinfo=UTC))


def test_an_event_is_live_within_the_news_window_and_late_before_it_unless_an_import_says_so() -> None:
    tell(event("1", USER), event("2", ANON, at=clock() - timedelta(hours=25)))
    tell(event("3", MAIL, at=clock() - timedelta(hours=25)), event("4", MAIL))
    assert list(Stale.objects.order_by("pk").values_list("profile", "cause")) == [
        *sorted([(profile(*USER), Cause.LIVE), (profile(*ANON), Cause.LATE)]),
        (profile(*MAIL), Cause.LIVE),  # one row for a profile of a batch, with its first cause
    ]
    tell(event("5", USER), cause=Cause.IMPORT)
    assert Stale.objects.latest("pk").cause == Cause.IMPORT


def test_a_trait_told_late_is_late() -> None:
    old = clock() - timedelta(days=3)
    tell(event("1", at=old, traits={"plan": "free"}, is_touchpoint=False))
    tell(event("2", at=old, traits={"size": 3}))
    assert set(Stale.objects.values_list("cause", flat=True)) == {Cause.LATE}


# --- what -----------------------------------------------------------------------------------------------------
def test_money_and_lines_are_kept_as_told() -> None:
    lines = (
        Line(product="85123A", quantity=Decimal("2.5"), amount=250, description="Heart", category="Home", cost=100),
        Line(product="POST", quantity=Decimal(1), amount=50, is_product=False),
    )
    tell(event("o", amount=300, original_amount=Decimal("2.5432"), currency="GBP", order_ref="536365", lines=lines))
    stored = Touchpoint.objects.get()
    assert (stored.amount, stored.original_amount, stored.currency) == (300, Decimal("2.5432"), "GBP")
    assert list(
        OrderLine.objects.order_by("number").values_list(
            "number", "product", "quantity", "amount", "cost", "category", "is_product"
        )
    ) == [
        (1, "85123A", Decimal("2.500"), 250, 100, "Home", True),
        (2, "POST", Decimal("1.000"), 50, None, "", False),
    ]


def test_a_repeated_or_conflicting_message_tells_no_trait_again() -> None:
    at = clock() - timedelta(minutes=9)
    first = event("1", at=at, traits={"plan": "free"})
    tell(first)
    tell(event("2", at=at, traits={"plan": "pro"}))
    tell(first)
    tell(event("1", at=at, traits={"plan": "gold"}))
    assert list(Trait.objects.values_list("value", flat=True)) == ["pro"]


def test_standard_names_come_mapped_and_others_are_other() -> None:
    tell(event("1", type="Order Completed"), event("2", type="Rang Twice"))
    assert dict(TouchpointType.objects.values_list("name", "role")) == {
        "Order Completed": "purchase",
        "Rang Twice": "other",
    }


def test_a_process_that_remembers_nothing_uses_up_no_numbers_of_the_catalogue() -> None:
    """Channels have 32,767 of them, and a refused insert costs one."""
    tell(event("1", type="Rang Twice", channel="phone"))
    with connection.cursor() as cursor:
        drawn = []
        for number in range(3):
            catalogue.forget()
            tell(event(f"{number} again", type="Rang Twice", channel="phone"))
            cursor.execute("SELECT last_value FROM customers_channel_id_seq")
            drawn.append(cursor.fetchone())
            cursor.execute("SELECT last_value FROM customers_touchpointtype_id_seq")
            drawn.append(cursor.fetchone())
    assert len(set(drawn[0::2])) == len(set(drawn[1::2])) == 1


def test_what_is_rolled_back_leaves_nothing_behind_in_memory() -> None:
    with transaction.atomic():
        tell(event("1", type="Never Stored"))
        transaction.set_rollback(True)
    tell(event("2", type="Never Stored"))
    assert Touchpoint.objects.get().type.name == "Never Stored"


def test_a_bad_event_leaves_nothing_of_its_batch() -> None:
    Installation.current()
    with pytest.raises(Exception, match="amount_is_below"), transaction.atomic():
        tell(event("1", USER), event("2", ANON, amount=10**11))
    assert Identity.objects.count() == Customer.objects.count() == Touchpoint.objects.count() == 0


# --- beside others --------------------------------------------------------------------------------------------
class Beside:
    """Ingests on a connection of its own, and commits when told to."""

    def __init__(self, *events: Event) -> None:
        self.done: Ingested | None = None
        self._events, self._go, self._stored = events, threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with transaction.atomic():
                self.done = tell(*self._events)
                self._stored.set()
                assert self._go.wait(20)
        finally:
            self._stored.set()
            connections.close_all()

    def stored(self) -> "Beside":
        assert self._stored.wait(20)
        return self

    def commit(self, after: float = 0.0) -> Ingested:
        threading.Timer(after, self._go.set).start()
        if after == 0.0:
            self.join()
        return self.done  # type: ignore[return-value]

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_two_who_meet_the_same_stranger_make_one_person_of_him() -> None:
    shop()
    Installation.current()
    tell(event("0", ("user_id", "known")))
    other = Beside(event("1", USER)).stored()
    other.commit(after=0.3)
    done = tell(event("2", USER, ANON))  # waits for the other's commit, having stored `a` already
    other.join()
    assert done.new_customers == 0
    assert profile(*USER) == profile(*ANON)
    assert Customer.objects.count() == Profile.objects.count() == 2
    assert Profile.objects.filter(identities=None).count() == 0
    assert set(Touchpoint.objects.exclude(message_hash=None).values_list("profile", flat=True)) <= set(
        Profile.objects.values_list("pk", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_a_stranger_lost_to_another_takes_his_whole_group_along() -> None:
    shop()
    Installation.current()
    tell(event("0", ("user_id", "known")))
    other = Beside(event("1", MAIL)).stored()
    other.commit(after=0.3)
    done = tell(event("2", ANON), event("3", USER, ANON), event("4", USER, MAIL), event("5", ("user_id", "elsewhere")))
    other.join()
    assert {profile(*USER), profile(*ANON), profile(*MAIL)} == {done.profiles[0]}
    assert done.new_customers == 1
    assert Customer.objects.count() == Profile.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_message_at_once_is_stored_once() -> None:
    shop()
    Installation.current()
    tell(event("0", USER))
    at = clock() - timedelta(minutes=1)
    other = Beside(event("m", at=at)).stored()
    other.commit(after=0.3)
    done = tell(event("m", at=at))
    other.join()
    assert (done.new, done.repeated, done.conflicting) == (0, 1, 0)
    assert Touchpoint.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_ingest_waits_for_nobody_who_holds_customers() -> None:
    tell(event("0", USER))
    holder = connection.copy()
    holder.set_autocommit(False)
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM customers_customer FOR UPDATE")
            cursor.execute("SELECT pg_advisory_xact_lock(7304, n) FROM generate_series(0, 3) AS n")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        assert tell(event("1", USER), event("2", USER, ANON), event("3", MAIL)).new == 3
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        holder.rollback()
        holder.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [True, False], ids=["known people", "strangers"])
def test_every_ingest_shares_the_lock_of_the_named_properties(known: bool) -> None:
    if known:
        tell(event("0", USER))
    with transaction.atomic():
        tell(event("1", USER))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND classid = 7301 AND pid = pg_backend_pid()"
            )
            assert cursor.fetchall() == [("ShareLock",)]


@pytest.mark.django_db(transaction=True)
def test_overlapping_batches_in_opposite_orders_do_not_deadlock() -> None:
    shop()
    Installation.current()
    at = clock() - timedelta(minutes=1)
    people = [(f"m{number}", ("user_id", f"u{number}")) for number in range(40)]
    forth = [event(id, who, at=at, traits={"n": id}) for id, who in people]
    errors: list[BaseException] = []

    def run(batch: list[Event]) -> None:
        try:
            for start in range(0, len(batch), 10):
                tell(*batch[start : start + 25])
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(batch,)) for batch in (forth, forth[::-1], forth[20:] + forth[:20])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert Touchpoint.objects.count() == Customer.objects.count() == Profile.objects.count() == 40
