"""Random programs of identify, alias, track, merge, unmerge, accept, refuse and erase on eight threads: no touchpoint
is lost or doubled, whoever is one person is one customer, nobody waits in a circle. And what was merged, lived on
and was unmerged is as if it had never been merged.

`make test` runs a few programs from one seed; `make soak` as many as fit into their share of its time."""

import contextlib
import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clm.lib.questions import ConflictError
from customers.consents import state_consent
from customers.erase import work_on_erasures
from customers.erased import is_erased
from customers.events import message_hash
from customers.ingest import clock
from customers.merge import MergeError, merge, unmerge
from customers.models import (
    Consent,
    Customer,
    Identity,
    Merge,
    PossibleMerge,
    Profile,
    ProfileMove,
    Source,
    Stale,
    Touchpoint,
    Trait,
)
from customers.receiving import door, joining, money
from customers.review import accept, refuse
from lifecycle.advance import advance
from lifecycle.erase import erase
from lifecycle.replay import replay_all
from tests.receiving.sending import Sender, identify, track

from .making import ago, check_standings, customer_of, happened, history_of, installed, settle, stands, tell

pytestmark = pytest.mark.django_db(transaction=True)

THREADS, PATIENCE = 8, 60.0
# Few names, so that the threads meet.
USERS, DEVICES, ADDRESSES = 4, 3, 2
_numbers = itertools.count(1)

users, devices, addresses = (st.integers(0, most - 1) for most in (USERS, DEVICES, ADDRESSES))
anybody = st.one_of(
    users.map(lambda n: ("user_id", f"u{n}")),
    devices.map(lambda n: ("anonymous_id", f"d{n}")),
    addresses.map(lambda n: ("email", f"m{n}@example.org")),
)
steps = st.one_of(
    st.tuples(st.just("identify"), users, st.none() | devices, st.none() | addresses),
    st.tuples(st.just("track"), st.none() | users, st.none() | devices, st.booleans()),
    st.tuples(st.just("track"), users, devices, st.booleans()),
    st.tuples(st.just("alias"), users, st.one_of(users.map("u{}".format), devices.map("d{}".format)), st.none()),
    st.tuples(st.just("merge"), anybody, anybody, st.none()),
    st.tuples(st.just("unmerge"), st.integers(0, 5), st.none(), st.none()),
    st.tuples(st.just("decide"), st.integers(0, 3), st.booleans(), st.none()),
    st.tuples(st.just("advance"), st.none(), st.none(), st.none()),
)
rarely = st.tuples(st.just("erase"), anybody, st.none(), st.none())
programs = st.lists(
    st.lists(st.one_of(steps, steps, steps, steps, steps, rarely), min_size=2, max_size=7),
    min_size=THREADS,
    max_size=THREADS,
)


@pytest.fixture(autouse=True)
def world(transactional_db: None) -> Iterator[None]:
    installed()
    yield
    for one in (door, joining, money):
        one.forget()


class World:
    """One program's own people, told from those of all others by the beginning of their names."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.begins = f"w{next(_numbers)}-"
        self.sent: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.failed: list[BaseException] = []
        self.did: Counter[str] = Counter()

    def name(self, text: str) -> str:
        return f"{self.begins}{text}"

    # --- what threads do ---------------------------------------------------------------------------------------
    def run(self, program: Sequence[Sequence[tuple[Any, ...]]]) -> None:
        """All lists of the program at once, each on a thread with a connection of its own."""
        begin = threading.Barrier(len(program))

        def work(acts: Sequence[tuple[Any, ...]]) -> None:
            own = Sender.__new__(Sender)
            own.source, own.key, own.client = self.sender.source, self.sender.key, type(self.sender.client)()
            try:
                begin.wait(PATIENCE)
                for act in acts:
                    getattr(self, act[0])(own, *act[1:])
                    with self.lock:
                        self.did[act[0]] += 1
            except BaseException as error:  # handed over to the test
                self.failed.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=(acts,), daemon=True) for acts in program]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads), "somebody still waits"
        assert self.failed == []

    def send(self, sender: Sender, message: dict[str, Any]) -> None:
        """Until it is answered 200, as clients do."""
        deadline = time.monotonic() + PATIENCE
        while (status := sender.batch(message).status_code) != 200:
            assert status in (429, 503), status
            assert time.monotonic() < deadline
        with self.lock:
            self.sent.append(message)

    def identify(self, sender: Sender, user: int, device: int | None, address: int | None) -> None:
        traits = {} if address is None else {"email": self.name(f"m{address}@example.org")}
        self._say(sender, identify, user, device, traits=traits)

    def track(self, sender: Sender, user: int | None, device: int | None, tells: bool) -> None:
        if user is not None or device is not None:
            self._say(sender, track, user, device, properties={"text": self.name("said")} if tells else {})

    def _say(self, sender: Sender, kind: Callable[..., Any], user: int | None, device: int | None, **more: Any) -> None:
        who = None if user is None else self.name(f"u{user}")
        also = {} if device is None else {"anonymousId": self.name(f"d{device}")}
        self.send(sender, kind(self.name(str(next(_numbers))), user=who, **also, **more))

    def alias(self, sender: Sender, user: int, previous: str, _more: None) -> None:
        told = {"userId": self.name(f"u{user}"), "previousId": self.name(previous)}
        self.send(sender, {"type": "alias", "messageId": self.name(str(next(_numbers))), **told})

    def merge(self, _sender: Sender, one: tuple[str, str], other: tuple[str, str], _more: None) -> None:
        pair = self._owner(one), self._owner(other)
        if None not in pair:
            # They may be one customer already, or one of them gone a moment ago.
            with contextlib.suppress(MergeError):
                merge(customers=pair, now=clock())  # type: ignore[arg-type]

    def unmerge(self, _sender: Sender, which: int, *_more: None) -> None:
        mine = Merge.objects.filter(undone_at=None, survivor__in=self.customers()).order_by("pk")
        numbers = list(mine.values_list("pk", flat=True))
        if numbers:
            with contextlib.suppress(MergeError):
                unmerge(merge=numbers[which % len(numbers)], now=clock())

    def decide(self, _sender: Sender, which: int, is_one: bool, _more: None) -> None:
        mine = PossibleMerge.objects.filter(decided_at=None, profile__in=self.profiles()).order_by("pk")
        numbers = list(mine.values_list("pk", flat=True))
        if numbers:
            number = numbers[which % len(numbers)]
            with contextlib.suppress(ConflictError, PossibleMerge.DoesNotExist):
                accept(possible=number, now=clock()) if is_one else refuse(possible=number, now=clock())

    def erase(self, _sender: Sender, who: tuple[str, str], *_more: None) -> None:
        customer = self._owner(who)
        if customer is not None:
            with contextlib.suppress(ConflictError):
                erase(customer=customer, now=clock())

    def advance(self, *_more: Any) -> None:
        advance()

    # --- what there is -----------------------------------------------------------------------------------------
    def _owner(self, who: tuple[str, str]) -> int | None:
        found = Identity.objects.filter(kind=who[0], value=self.name(who[1]))
        return found.values_list("profile__customer_id", flat=True).first()

    def messages(self) -> dict[str, dict[str, Any]]:
        return {str(message_hash(one["messageId"])): one for one in self.sent}

    def profiles(self) -> set[int]:
        """All of this program's, the erased ones by what arrived under them."""
        named = Identity.objects.filter(value__startswith=self.begins).values_list("profile", flat=True)
        met = Touchpoint.objects.filter(message_hash__in=list(self.messages())).values_list("profile", flat=True)
        return {*named, *met}

    def customers(self) -> set[int]:
        profiles = self.profiles()
        moved = ProfileMove.objects.filter(profile__in=profiles).values_list("from_customer", "to_customer")
        owners = Profile.objects.filter(pk__in=profiles).values_list("customer", flat=True)
        return {*owners, *(customer for pair in moved for customer in pair)}

    def identities(self, message: dict[str, Any]) -> list[tuple[str, str]]:
        """Whom a message names, strongest first: it belongs to the first who is still there."""
        found = [("user_id", message.get("userId")), ("email", (message.get("traits") or {}).get("email"))]
        found.append(("anonymous_id", message.get("anonymousId")))
        if previous := message.get("previousId"):
            known = Identity.objects.filter(kind="user_id", value=previous).exists()
            found.append(("user_id" if known or previous[len(self.begins)] == "u" else "anonymous_id", previous))
        return [(kind, value) for kind, value in found if value]

    # --- what must hold ----------------------------------------------------------------------------------------
    def check(self) -> None:
        """Everything is sent once more, one after the other, as whoever got no answer does: what one message could not
        join because it ran beside another is joined now."""
        for message in list(dict.fromkeys(one["messageId"] for one in self.sent)):
            (again,) = [one for one in self.sent if one["messageId"] == message]
            assert self.sender.batch(again).status_code == 200
        work_on_erasures()
        settle()
        self._touchpoints_are_kept()
        self._the_map_is_whole()
        self._whoever_is_one_is_one()
        self._the_erased_are_gone()
        check_standings()
        assert not Stale.objects.exists()

    def _touchpoints_are_kept(self) -> None:
        stored = Counter(
            str(one)
            for one in Touchpoint.objects.filter(message_hash__in=list(self.messages())).values_list(
                "message_hash", flat=True
            )
        )
        for number, message in self.messages().items():
            if message["type"] != "track":
                assert stored[number] == 0
            elif any(is_erased(*one) for one in self.identities(message)):
                assert stored[number] <= 1
            else:
                assert stored[number] == 1, message

    def _the_map_is_whole(self) -> None:
        for customer in Customer.objects.filter(pk__in=self.customers()):
            owns = customer.profiles.exists()
            assert owns == (customer.merged_into_id is None), customer.pk
        for profile in Profile.objects.filter(pk__in=self.profiles()):
            home = ProfileMove.objects.filter(profile=profile.pk).order_by("pk").first()
            at = Customer.objects.get(pk=home.from_customer_id if home else profile.customer_id)
            while at.merged_into_id is not None:
                at = Customer.objects.get(pk=at.merged_into_id)
            assert profile.customer_id == at.pk, "a profile is where the merges in force lead"

    def _whoever_is_one_is_one(self) -> None:
        """All who were named in one message are one customer, or all have names, and people were asked about the one it
        belongs to and each of the others. Of the others between themselves the message says nothing but that both are
        the one it belongs to: whoever decides about them with that one has decided about all."""
        owner = {
            (kind, value): (profile, customer)
            for kind, value, profile, customer in Identity.objects.filter(value__startswith=self.begins).values_list(
                "kind", "value", "profile", "profile__customer"
            )
        }
        kinds: dict[int, set[str]] = defaultdict(set)
        for (kind, _value), (_profile, customer) in owner.items():
            kinds[customer].add(kind)
        asked = {frozenset(pair) for pair in PossibleMerge.objects.values_list("profile__customer", "other__customer")}
        for message in self.sent:
            named = [owner[one][1] for one in self.identities(message) if one in owner]
            for other in {*named} - {*named[:1]}:
                for one in (named[0], other):
                    assert "anonymous_id" not in kinds[one] or len(kinds[one]) > 1, message
                assert frozenset((named[0], other)) in asked, message

    def _the_erased_are_gone(self) -> None:
        erased = Profile.objects.filter(pk__in=self.profiles(), erasure__isnull=False)
        assert not Identity.objects.filter(profile__in=erased).exists()
        assert not Touchpoint.objects.filter(profile__in=erased).exclude(properties={}).exists()
        gone = Customer.objects.filter(profiles__in=erased)
        assert not gone.exclude(name="", email="", search_text="").exists()
        assert not gone.filter(erased_at=None).exists()


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (count,) = cursor.fetchone()
    return int(count)


def run_programs(examples: int) -> Counter[str]:
    """Run so many programs; what was done in them."""
    sender, before, did = Sender(), deadlocks(), Counter[str]()

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), deadline=None)
    @given(programs)
    def run(program: list[list[tuple[Any, ...]]]) -> None:
        one = World(sender)
        one.run(program)
        one.check()
        did.update(one.did)

    run()
    assert deadlocks() == before
    assert replay_all().rows_changed == 0
    return did


def test_programs_on_eight_threads_lose_nobody_and_never_wait_in_a_circle() -> None:
    did = run_programs(4)
    assert {"identify", "track", "alias", "merge", "unmerge", "decide", "advance", "erase"} <= did.keys()


@pytest.mark.soak
@pytest.mark.lasting("people")
def test_many_programs_on_eight_threads() -> None:
    run_programs(10)


# --- merged, lived on, and unmerged ----------------------------------------------------------------------------
lives = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["Page Viewed", "Order Completed", "Signed Up", "Feedback Submitted"]),
        st.integers(1, 400),
        st.sampled_from([None, "free", "pro"]),
        st.sampled_from([None, "granted", "withdrawn"]),
    ),
    min_size=1,
    max_size=6,
)


def live(begins: str, acts: Sequence[tuple[Any, ...]], part: str) -> None:
    """What three people do and say, told from others by the beginning of their names."""
    for number, (person, type_name, days, plan, consent) in enumerate(acts):
        name = f"{begins}{person}"
        tell(
            happened(
                name,
                type_name,
                AT[days],
                id=f"{begins}{part}{number}",
                amount=1_000 * days if type_name == "Order Completed" else None,
                properties={"nps": days % 11} if type_name == "Feedback Submitted" else {},
                traits={} if plan is None else {"plan": plan},
                # While they are one, more becomes known of one of them.
                identities=[("user_id", name), ("anonymous_id", f"{name} {part} {days % 3}")],
            )
        )
        if consent is not None:
            state_consent(
                customer=customer_of(name),
                address=f"{name} {part} {days % 3}",
                channel="email",
                purpose="news",
                state=consent,
                source="form",
                now=clock(),
                at=AT[days],
            )


AT: dict[int, Any] = {}


def everything_of(begins: str) -> list[Any]:
    """All that is known of the three, without their names."""
    found: list[Any] = []
    for person in range(3):
        name = f"{begins}{person}"
        owner = Identity.objects.filter(kind="user_id", value=name).values_list("profile__customer", flat=True).first()
        if owner is None:
            found.append(None)
            continue
        customer = Customer.objects.get(pk=owner)
        profiles = Profile.objects.filter(customer=owner)
        found.append(
            {
                "history": history_of(owner),
                "stands": stands(owner),
                "merged": customer.merged_into_id,
                "portrait": customer.search_text.replace(begins, ""),
                "identities": sorted(
                    (kind, value.replace(begins, ""))
                    for kind, value in Identity.objects.filter(profile__in=profiles).values_list("kind", "value")
                ),
                "traits": list(
                    Trait.objects.filter(profile__in=profiles)
                    .order_by("key", "set_at")
                    .values_list("key", "value", "set_at", "last_seen_at")
                ),
                "consents": list(
                    Consent.objects.filter(profile__in=profiles).order_by("at", "pk").values_list("state", "at")
                ),
                "touchpoints": sorted(
                    Touchpoint.objects.filter(profile__in=profiles).values_list("type__name", "occurred_at", "amount")
                ),
            }
        )
    return found


@pytest.mark.lasting("people")
def test_merged_lived_on_and_unmerged_is_as_if_never_merged() -> None:
    AT.update({days: ago(days=days) for days in range(401)})
    Source.objects.get_or_create(key="shop", defaults={"name": "shop"})

    @settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
    @given(lives, lives, lives, lives, st.booleans(), st.booleans())
    def holds(first: Any, second: Any, third: Any, fourth: Any, chain: bool, inner_first: bool) -> None:
        merged, never = f"a{next(_numbers)}-", f"b{next(_numbers)}-"
        everybody = [(person, "Page Viewed", 390, None, None) for person in range(3)]
        for begins in (merged, never):
            live(begins, [*everybody, *first], "one")
        settle()
        done = [merge(customers=(customer_of(f"{merged}0"), customer_of(f"{merged}1")), now=clock()).pk]
        for begins in (merged, never):
            live(begins, second, "two")
        settle()
        if chain:
            done.append(merge(customers=(customer_of(f"{merged}1"), customer_of(f"{merged}2")), now=clock()).pk)
        for begins in (merged, never):
            live(begins, third, "three")
        settle()
        for number in done if inner_first else reversed(done):
            unmerge(merge=number, now=clock())
            for begins in (merged, never):
                live(begins, fourth, f"four {number}")
            settle()
        assert everything_of(merged) == everything_of(never)

    holds()
    check_standings()
