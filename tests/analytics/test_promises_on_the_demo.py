"""What is promised of everybody, held on the demo itself: reasons agree with what is stored, what is foretold comes
true, and a change does what it was predicted to do. `make test` takes some of its buyers, `make soak` all of them."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from analytics import demo
from clm.lib.milliseconds import to_ms, truncated
from customers import catalogue, online_retail
from customers.events import Event
from customers.ingest import clock, ingest
from customers.models import Cause, Customer, Identity, Profile, Source, Stale
from lifecycle.advance import advance
from lifecycle.advance import settle as settle_them
from lifecycle.load import load
from lifecycle.models import Announcement, StageModel, Standing, Subject, Transition
from lifecycle.outlook import NextChange, changes_ahead, next_changes
from lifecycle.previews import counted, start_preview, touched_since, work_on_previews
from lifecycle.publications import ask_to_publish, publish_asked
from lifecycle.revise import edit_segment, edit_stage, edit_sub_rule
from lifecycle.what_if import compared, pairs_of, program_of
from lifecycle.why import Decided, why

pytestmark = pytest.mark.django_db
SUBJECTS = ("active_customer", "cycle", "five", "seven")
THOUSAND = 1_000
SOME_LOOKERS = 60
ONE_BUYER_OF = 50
MILLISECOND = timedelta(milliseconds=1)
Where = dict[tuple[int, int], int]


@pytest.fixture(scope="module", params=["part", pytest.param("whole", marks=pytest.mark.soak)])
def people(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[list[int]]:
    """Everybody of the demo, in every stage and up to date; made once, and rolled back after the last test."""
    path, lookers = online_retail.fetched(folder=settings.DATA_DIR / "downloads"), None
    if request.param == "part":
        head, *lines = path.read_bytes().splitlines(keepends=True)
        path, lookers = tmp_path_factory.mktemp("demo") / "part.csv", SOME_LOOKERS
        path.write_bytes(b"".join([head, *(line for line in lines if _is_chosen(line))]))
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock(), transaction.atomic():
        now = clock()
        if lookers is not None:
            patched.setattr("analytics.simulator.shop.LOOKERS", lookers)
        demo.set_up_shop(now=now)
        demo.bring_orders(path=path, as_is=False, now=now, tell=lambda _sentence: None)
        demo.add_simulated_touches(now=now, tell=lambda _sentence: None)
        demo.compute_stages()
        connection.check_constraints()
        yield list(Customer.objects.filter(merged_into=None).order_by("pk").values_list("pk", flat=True))
        transaction.set_rollback(True)
    catalogue.forget()


def _is_chosen(line: bytes) -> bool:
    """Whether a line of the file is of one of the buyers of the part."""
    buyer = line.rsplit(b",", 2)[1]
    return buyer.isdigit() and int(buyer) % ONE_BUYER_OF == 0


def where(subjects: list[int] | None = None) -> Where:
    """Who stands where: (customer, subject) -> stage."""
    rows = Standing.objects.all() if subjects is None else Standing.objects.filter(subject__in=subjects)
    return {(customer, subject): stage for customer, subject, stage in rows.values_list("customer", "subject", "stage")}


def since(customer: int) -> dict[int, tuple[int, datetime]]:
    """Where one customer stands, and since when, by subject."""
    rows = Standing.objects.filter(customer=customer).values_list("subject", "stage", "since")
    return {subject: (stage, at) for subject, stage, at in rows}


def histories(subject: int) -> dict[int, list[tuple[int, int]]]:
    """By customer, every entering of the live version that is believed: instant in ms, stage."""
    version = Subject.objects.get(pk=subject).live_version_id
    rows = Transition.objects.filter(version=version, superseded_at=None).order_by("customer", "entered_at")
    found = defaultdict(list)
    for customer, entered_at, stage in rows.values_list("customer", "entered_at", "stage").iterator():
        found[customer].append((to_ms(entered_at), stage))
    return found


def test_there_is_something_to_promise_about(people: list[int]) -> None:
    assert set(Subject.objects.exclude(live_version=None).values_list("key", flat=True)) == set(SUBJECTS)
    stages = Standing.objects.filter(subject__key="seven").values("stage").distinct()
    assert stages.count() >= 5
    assert len(people) > 100
    assert not Stale.objects.exists()


@pytest.mark.parametrize("key", SUBJECTS)
def test_reasons_agree_with_what_is_stored_of_everybody(key: str, people: list[int]) -> None:
    subject, now = Subject.objects.get(key=key).pk, clock()
    assert Standing.objects.filter(subject=subject).exists()
    stands = {
        customer: (stage, at)
        for customer, stage, at in Standing.objects.filter(subject=subject).values_list("customer", "stage", "since")
    }
    ahead = next_changes(customers=people, now=now, subject=subject)
    for customer in people:
        found = why(customer=customer, subject=subject, at=now)
        assert found is not None
        assert (found.stage, found.since) == stands.get(customer, (None, None)), (customer, key)
        assert found.next == ahead.get(customer, {}).get(subject), (customer, key)
        deciding = [one.stage for one in found.reasons if one.is_current]
        assert deciding == ([found.stage] if found.decided == Decided.RULE else []), (customer, key)


def test_the_next_change_comes_true_in_its_millisecond_and_not_before(
    people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    foretold = next_changes(customers=people, now=clock())
    some = random.Random(7).sample(sorted(foretold), min(THOUSAND, len(foretold)))
    come = 0
    for customer in some:
        by_instant: dict[datetime, dict[int, NextChange]] = defaultdict(dict)
        for subject, change in foretold[customer].items():
            by_instant[change.at][subject] = change
        for at, changes in sorted(by_instant.items()):
            before = since(customer)
            _moved_to(at - MILLISECOND, [customer], monkeypatch)
            then = since(customer)
            assert all(then.get(subject) == before.get(subject) for subject in changes), (customer, at)
            _moved_to(at, [customer], monkeypatch)
            after = since(customer)
            for subject, change in changes.items():
                assert after[subject] == (change.stage, change.at), (customer, subject)
            come += 1
    assert come >= len(some) >= min(THOUSAND, len(people) // 2)


def _moved_to(at: datetime, customers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What advance does to customers when the clock says `at`."""
    monkeypatch.setattr("lifecycle.advance.clock", lambda: at)
    with transaction.atomic():
        settle_them(customers=customers, news={}, emptied=set(), fallback=Cause.TIME)


def test_whoever_time_changes_is_found_and_moved_by_itself(people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock()
    ahead = changes_ahead(customers=people, now=now)
    stood = where()
    for days in (3, 40, 200, 900):
        moved = truncated(now + timedelta(days=days))
        for module in ("advance", "candidates"):
            monkeypatch.setattr(f"lifecycle.{module}.clock", lambda moved=moved: moved)
        while advance().customers:
            pass
        expected = dict(stood)
        for customer, subjects in ahead.items():
            for subject, changes in subjects.items():
                come = [change for change in changes if change.at <= moved]
                if come:
                    expected[customer, subject] = come[-1].stage
        assert where() == expected, days
    assert expected != stood


BOUGHT_TWICE = {"did": {"role": "purchase"}, "at_least": 2, "within": "300d"}
CHANGES: dict[str, Any] = {
    "a segment": lambda: edit_segment(
        segment=Subject.objects.get(key="active_customer").pk, rule={"did": {"role": "purchase"}, "within": "120d"}
    ),
    "a stage": lambda: edit_stage(
        model=StageModel.objects.get(key="seven").pk, stage="retention", rule={"all": [{"rule": "alive"}, BOUGHT_TWICE]}
    ),
    "a sub-rule": lambda: edit_sub_rule(
        name="alive", rule={"all": [{"rule": "acquired"}, {"did": {"any_activity": True}, "within": "150d"}]}
    ),
}


@pytest.mark.parametrize("kind", sorted(CHANGES))
def test_a_change_does_to_everybody_untouched_since_what_was_predicted(kind: str, people: list[int]) -> None:
    revision = CHANGES[kind]()
    preview = start_preview(revision=revision.pk, now=clock())
    work_on_previews()
    preview.refresh_from_db()
    exact = counted(preview=preview)
    assert exact is not None and exact.is_exact and exact.customers == len(people)
    pairs = pairs_of(revision=revision.pk)
    loaded = load(customers=people, program=program_of(pairs))
    forecast = compared(pairs=pairs, loaded=loaded, at=preview.at, since=preview.since)
    stood = {pair.subject: histories(pair.subject) for pair in pairs}
    told = Announcement.objects.count()

    # Meanwhile something becomes known of every fortieth.
    touched = set(people[::40])
    _order(sorted(touched), at=preview.at - timedelta(minutes=1))
    assert touched_since(preview=preview) >= len(touched)
    by_time = set(Transition.objects.filter(entered_at__gt=preview.at).values_list("customer", flat=True))

    ask_to_publish(revision=revision.pk, now=clock())
    assert publish_asked() == 1
    after = where([pair.subject for pair in pairs])
    moved = 0
    for pair in pairs:
        one, now_told = forecast[pair.subject], histories(pair.subject)
        changed = dict(zip(loaded.customers.tolist(), one.changed.tolist(), strict=True))
        stages = zip(one.before.tolist(), one.after.tolist(), strict=True)
        for customer, (was, becomes) in zip(loaded.customers.tolist(), stages, strict=True):
            if customer in touched or customer in by_time:
                continue
            moved += was != becomes
            assert after.get((customer, pair.subject), 0) == becomes, (kind, customer)
            is_changed = stood[pair.subject].get(customer) != now_told.get(customer)
            assert is_changed == changed[customer], (kind, customer)
        cells = np.unique(np.stack([one.before, one.after]), axis=1, return_counts=True)
        (before, then), counts = cells
        tally = dict(zip(zip(before.tolist(), then.tolist(), strict=True), counts.tolist(), strict=True))
        assert exact.tallies[pair.subject].cells == tally
        assert exact.tallies[pair.subject].changed == int(one.changed.sum())
    assert moved > 0
    # Publishing tells nobody anything as live.
    since_then = Announcement.objects.order_by("pk")[told:]
    assert not [one for one in since_then if one.cause == Cause.PUBLISH and one.is_news]


def _order(customers: list[int], *, at: datetime) -> None:
    """Everybody of these buys something at that instant, and is brought up to date."""
    owned = Profile.objects.filter(customer__in=customers).order_by("customer", "pk")
    known = {identity.profile_id: identity for identity in Identity.objects.filter(profile__in=owned)}
    first = {profile.customer_id: known[profile.pk] for profile in reversed(owned) if profile.pk in known}
    events = [
        Event(
            message_id=f"meanwhile {customer}",
            identities=((one.kind, one.value),),
            type="Order Completed",
            channel="web",
            occurred_at=truncated(at),
            amount=4_200,
        )
        for customer, one in sorted(first.items())
    ]
    assert len(events) == len(customers)
    ingest(source=Source.objects.get(key="online-retail"), events=events)
    while advance().customers:
        pass
