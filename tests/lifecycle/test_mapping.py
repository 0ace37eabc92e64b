"""What a name means is a version like a rule: predicted, published for everybody at once, and taken back."""

from typing import Any

import pytest

from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock
from customers.models import TouchpointType
from lifecycle.install import obstacles, publish
from lifecycle.load import load
from lifecycle.mapping import map_back, remap
from lifecycle.models import Announcement, Revision, RoleTable, Segment, Standing, Version
from lifecycle.previews import counted, start_preview, work_on_previews
from lifecycle.publications import ask_to_publish, publish_asked
from lifecycle.replay import replay_all
from lifecycle.revise import add_segment, discard
from lifecycle.what_if import compared, pairs_of, program_of

from .making import ago, check_standings, customer_of, happened, installed, people, settle, stage, tell

DEAL = "Deal Won"
SOLD = {DEAL: {"role": "purchase"}}


def live(revision: Revision) -> None:
    ask_to_publish(revision=revision.pk, now=clock())
    assert publish_asked() == 1


def world() -> None:
    """Three who did what nobody knows yet, one of them bought besides, and one who only looked."""
    installed()
    for person, days in (("a", 3), ("b", 40), ("c", 400)):
        tell(happened(person, DEAL, ago(days=days), amount=5_000))
    tell(happened("b", "Order Completed", ago(days=200), amount=900), happened("d", "Page Viewed", ago(days=2)))
    settle()


def segment(key: str, rule: Any) -> Segment:
    revision = add_segment(key=key, name=key, rule=rule)
    live(revision)
    return Segment.objects.get(key=key)


@pytest.mark.django_db
def test_what_a_mapping_would_do_is_what_it_does_and_nobody_is_told_of_it_as_news() -> None:
    world()
    buyers = segment("buyers", {"did": {"role": "purchase"}})
    revision = remap(mappings=SOLD, note="Deals are sales.")
    assert TouchpointType.objects.get(name=DEAL).role == "other"
    preview = start_preview(revision=revision.pk, now=clock())
    work_on_previews()
    preview.refresh_from_db()
    found = counted(preview=preview)
    assert found is not None and found.customers == 4
    tally = found.tallies[buyers.pk]
    assert sum(n for (was, then), n in tally.cells.items() if was != then) == 2
    loaded = load(customers=people(), program=program_of(pairs_of(revision=revision.pk)))
    told = compared(pairs=pairs_of(revision=revision.pk), loaded=loaded, at=clock(), since=ago(days=30))
    stands_then = {
        (customer, subject): int(one.after[owner])
        for subject, one in told.items()
        for owner, customer in enumerate(loaded.customers.tolist())
        if one.after[owner]
    }
    announced = Announcement.objects.count()
    live(revision)
    assert TouchpointType.objects.get(name=DEAL).role == "purchase"
    assert [stage(customer_of(person), "buyers") for person in "abcd"] == ["in", "in", "in", None]
    check_standings()
    rows = Standing.objects.filter(subject__in=list(told)).values_list("customer_id", "subject_id", "stage_id")
    assert {(customer, subject): number for customer, subject, number in rows} == stands_then
    assert not Announcement.objects.filter(pk__gt=announced, is_news=True).exists()
    replayed = replay_all()
    assert replayed.rows_changed == 0


@pytest.mark.django_db
def test_only_what_can_tell_the_difference_gets_a_version() -> None:
    world()
    segment("viewers", {"did": {"type": "Page Viewed"}})
    segment("exposed", {"did": {"role": "exposure"}})
    segment("dealers", {"did": {"type": DEAL}})
    segment("above", {"did": {"role": "purchase"}})
    segment("higher", {"segment": "above"})
    revision = remap(mappings=SOLD)
    keys = set(Version.objects.filter(revision=revision).values_list("subject__key", flat=True))
    assert {"seven", "five", "cycle", "active_customer", "above", "higher"} == keys


@pytest.mark.django_db
def test_a_mapping_that_no_rule_can_tell_goes_live_without_a_version() -> None:
    world()
    tell(happened("a", "Banner Seen", ago(days=1)))
    settle()
    models = Version.objects.filter(subject__kind="model", state="live")
    assert models.count() == 3
    revision = remap(mappings={"Banner Seen": {"role": "other", "reads": {"campaign": "banner"}}})
    assert not Version.objects.filter(revision=revision).exists()
    live(revision)
    one = TouchpointType.objects.get(name="Banner Seen")
    assert (one.role, one.reads) == ("other", {"campaign": "banner"})
    assert one.mapped_at is not None


@pytest.mark.django_db
def test_the_way_back_restores_stages_and_both_tables_stay_readable() -> None:
    world()
    before = stage(customer_of("c"))
    revision = remap(mappings=SOLD)
    live(revision)
    assert stage(customer_of("c")) == "lapsed" != before
    back = map_back(revision=revision.pk)
    live(back)
    assert stage(customer_of("c")) == before
    assert TouchpointType.objects.get(name=DEAL).role == "other"
    models = Version.objects.filter(subject__key="seven").order_by("number")
    assert [one.role_table.roles.get(DEAL) for one in models][-2:] == ["purchase", "other"]
    revision.refresh_from_db()
    assert revision.mapping[DEAL]["was"] == {"role": "other", "reads": {}}
    assert RoleTable.objects.count() >= 2
    check_standings()


@pytest.mark.django_db
def test_a_rule_drafted_before_a_mapping_it_can_tell_must_be_drafted_again() -> None:
    world()
    blind = add_segment(key="blind", name="Blind", rule={"did": {"type": DEAL}})
    counting = add_segment(key="counting", name="Counting", rule={"did": {"role": "purchase"}})
    live(remap(mappings=SOLD))
    assert obstacles(revision=blind.pk) == ()
    assert len(obstacles(revision=counting.pk)) == 1
    with pytest.raises(ConflictError, match="Counting"):
        publish(revision=counting.pk, now=clock())
    publish(revision=blind.pk, now=clock())


@pytest.mark.django_db
def test_what_went_live_since_a_mapping_was_drafted_gets_a_version_with_it() -> None:
    world()
    revision = remap(mappings=SOLD)
    late = segment("late", {"did": {"role": "purchase"}})
    assert not Version.objects.filter(revision=revision, subject=late.pk).exists()
    live(revision)
    late.refresh_from_db()
    assert Version.objects.get(pk=late.live_version_id).revision_id == revision.pk
    assert stage(customer_of("a"), "late") == "in"


@pytest.mark.django_db
def test_a_dropped_mapping_changes_nothing() -> None:
    world()
    revision = remap(mappings=SOLD)
    discard(revision=revision.pk)
    assert not Revision.objects.filter(pk=revision.pk).exists()
    assert TouchpointType.objects.get(name=DEAL).role == "other"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mappings", "field"),
    [
        ({"Nobody Sent This": {"role": "purchase"}}, "name"),
        ({DEAL: {"role": "king"}}, "role"),
        ({DEAL: {"role": "purchase", "reads": {"colour": "x"}}}, "reads"),
        ({DEAL: {"role": "purchase", "reads": {"amount": "a..b"}}}, "amount"),
        ({DEAL: {"role": "purchase", "reads": {"amount": 5}}}, "amount"),
        ({DEAL: {"role": "purchase", "reads": {"amount": "a.b.c.d.e.f"}}}, "amount"),
        ({}, "mappings"),
    ],
    ids=["unknown name", "unknown role", "unknown place", "hole", "number", "too deep", "none"],
)
def test_what_is_no_mapping_is_refused(mappings: Any, field: str) -> None:
    world()
    with pytest.raises(QuestionError) as refused:
        remap(mappings=mappings)
    assert refused.value.field == field
    assert not Revision.objects.exists()


@pytest.mark.django_db
def test_a_mapping_that_changes_nothing_is_refused() -> None:
    world()
    with pytest.raises(ConflictError):
        remap(mappings={DEAL: {"role": "other"}})
