"""Five hundred live segments beside the three models: advance believes of every customer what the reference says."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from clm.lib.milliseconds import to_ms
from customers.models import Stale
from lifecycle.drafting import drafted
from lifecycle.models import Segment, Stage, Subject, Version
from lifecycle.present import Present
from lifecycle.rules.presets import installed_models, installed_sub_rules
from tests.lifecycle.rules import reference

from .making import ago, customer_of, happened, installed, people, profile_of, settle, tell

pytestmark = pytest.mark.django_db
SEGMENTS = 500
ROLES = {"Order Completed": "purchase", "Page Viewed": "visit", "Signed Up": "signup", "Ad Clicked": "exposure"}


def rule_of(number: int) -> dict[str, Any]:
    """Every third names the segment before it, and every tenth a stage, so that some stand on long chains."""
    bought = {"did": {"role": "purchase"}, "at_least": 1 + number % 3, "within": f"{20 + number}d"}
    if number % 10 == 7:
        model, stage = (("seven", "lapsed"), ("five", "conversion"), ("cycle", "awareness"))[number % 3]
        return {"any": [{"stage": [model, stage]}, bought]}
    if number % 3 == 1:
        before = {"segment": f"s{number - 1}"}
        return {"all": [before, bought]} if number % 2 else {"any": [{"not": before}, bought]}
    if number % 3 == 2 and number % 9:
        return {"lately": {"segment": f"s{number - 2}"}, "within": f"{1 + number % 40}d"}
    return {"all": [{"rule": "alive"}, {"not": bought}]}


def with_live_segments() -> dict[int, dict[str, Any]]:
    """The segments by number of their subject, drafted like any other and live at once, last ones first: the order in
    which they are made says nothing about which stands on which."""
    rules = {f"s{number}": rule_of(number) for number in reversed(range(SEGMENTS))}
    made = Segment.objects.bulk_create([Segment(kind="segment", key=key, name=key) for key in rules])
    Stage.objects.bulk_create(
        Stage(subject=one, key=key, name=key, position=place, is_exit=key == "out")
        for one in made
        for place, key in enumerate(("in", "out"))
    )
    documents = {one.pk: {"rule": rules[one.key]} for one in made}
    present = Present(documents=documents)
    for one in made:
        drafted(subject=one, document=documents[one.pk], note="", present=present)
    now = timezone.now()
    Version.objects.filter(subject__in=made).update(state=Version.State.LIVE, published_at=now)
    for version in Version.objects.filter(subject__in=made):
        Subject.objects.filter(pk=version.subject_id).update(live_version=version)
    return documents


def believed(segment: str) -> dict[int, list[tuple[int, str]]]:
    """By customer, the changes of a segment or model that are believed under its live version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.customer_id, (extract(epoch FROM t.entered_at) * 1000)::bigint, g.key"
            " FROM lifecycle_transition t JOIN lifecycle_subject s ON s.live_version_id = t.version_id"
            " JOIN lifecycle_stage g ON g.id = t.stage_id WHERE s.key = %s AND t.superseded_at IS NULL ORDER BY 1, 2",
            [segment],
        )
        found: dict[int, list[tuple[int, str]]] = {}
        for customer, at, key in cursor.fetchall():
            found.setdefault(customer, []).append((at, key))
    return found


def version_of(rules: Mapping[str, Any]) -> reference.Version:
    models = {one.key: [(stage.key, stage.rule) for stage in one.stages] for one in installed_models()}
    return reference.Version(roles=ROLES, sub_rules=installed_sub_rules(), segments=rules, models=models)


def test_five_hundred_segments_and_three_models_advance_to_what_the_reference_says() -> None:
    installed(time_zone="UTC")
    events = {
        "buyer": [("Signed Up", 420.0), ("Order Completed", 400.25), ("Order Completed", 260.5), ("Page Viewed", 30.0)],
        "often": [("Order Completed", 40.0 * n + 1.125) for n in range(8)],
        "guest": [("Page Viewed", 3.0)],
        "seen": [("Ad Clicked", 90.0)],
    }
    told = {
        person: [(kind, ago(days=days)) for kind, days in sorted(listed, key=lambda one: -one[1])]
        for person, listed in events.items()
    }
    tell(*(happened(person, kind, at, amount=1_000) for person, listed in told.items() for kind, at in listed))
    settle()
    documents = with_live_segments()
    Stale.objects.bulk_create(Stale(profile_id=profile_of(person), cause=1) for person in told)
    settle()
    now = to_ms(datetime.now(UTC))
    rules = {f"s{number}": rule_of(number) for number in range(SEGMENTS)}
    version = version_of(rules)
    assert len(documents) == SEGMENTS
    assert Subject.objects.filter(live_version__isnull=False).count() == SEGMENTS + 4
    stored = {key: believed(key) for key in (*rules, "seven", "five", "cycle")}
    assert sum(bool(found) for found in stored.values()) > SEGMENTS / 2  # there is something to agree on
    for person, listed in told.items():
        customer = customer_of(person)
        history = reference.History(
            life=to_ms(listed[0][1]),
            touchpoints=[reference.Touchpoint(to_ms(at), kind, "web", 1_000) for kind, at in listed],
        )
        meant = reference.Customer(history, version)
        for key, rule in rules.items():
            borders = [(at, name) for start, end in meant.spans(rule) for at, name in ((start, "in"), (end, "out"))]
            expected = [(at, name) for at, name in borders if at is not None and at <= now]
            assert stored[key].get(customer, []) == expected, (person, key, rule)
        for model in installed_models():
            keys = [*(stage.key for stage in model.stages), model.exit_key]
            spells = meant.spells([stage.rule for stage in model.stages], True, (model.key, keys))
            assert stored[model.key].get(customer, []) == [(at, keys[n]) for at, n in spells if at <= now], person
    assert len(people()) == len(told)
