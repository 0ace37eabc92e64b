"""What people decide by hand: placements in stages, and lists of segments."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Cause
from lifecycle.install import publish
from lifecycle.list_members import add_members, members_on, remove_members
from lifecycle.list_upload import Line, recognised
from lifecycle.models import Announcement, ListMember, Placement, StageModel, Subject, Transition
from lifecycle.outlook import next_changes
from lifecycle.place import place, placement_at, placements, withdraw
from lifecycle.replay import replay_all
from lifecycle.revise import add_model, add_segment
from lifecycle.why import deciding_hand

from .making import ago, check_standings, customer_of, happened, history_of, installed, new_version, settle, stage, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer() -> int:
    """Somebody who bought 300 days ago: Acquisition, then Lapsed for 120 days."""
    installed()
    tell(happened("buyer", "Order Completed", ago(days=300), amount=5_000))
    settle()
    return customer_of("buyer")


def seven() -> int:
    return StageModel.objects.get(key="seven").pk


def stages_of(customer: int, subject: str = "seven") -> list[str]:
    return [key for name, _at, key in history_of(customer) if name.startswith(f"{subject} ")]


def put(customer: int, into: str, begin: datetime | None = None, until: datetime | None = None) -> Placement:
    placed = place(
        customer=customer, model=seven(), stage=into, reason="asked", now=clock(), from_at=begin, until_at=until
    )
    settle()
    return placed


def nothing_changes() -> None:
    again = replay_all()
    assert (again.rows_changed, again.rows_by_time) == (0, 0)
    check_standings()


# --- placements -------------------------------------------------------------------------------------------------
def test_a_placement_overrides_the_rules_until_its_end_and_withdrawing_it_is_as_if_it_had_never_been(
    buyer: int,
) -> None:
    assert stages_of(buyer) == ["acquisition", "lapsed"]
    before = history_of(buyer)
    placed = put(buyer, "advocacy", ago(days=50), ago(days=20))
    assert stages_of(buyer) == ["acquisition", "lapsed", "advocacy", "lapsed"]
    assert Transition.objects.filter(customer=buyer, cause=Cause.PLACEMENT).count() >= 2
    assert placement_at(customer=buyer, model=seven(), at=ago(days=30)) == placed
    assert placement_at(customer=buyer, model=seven(), at=ago(days=20)) is None
    assert deciding_hand(customer=buyer, subject=seven(), at=ago(days=30)) == placed
    nothing_changes()
    withdraw(placement=placed.pk, now=clock())
    settle()
    assert history_of(buyer) == before
    assert [one.pk for one in placements(customer=buyer)] == [placed.pk]
    with pytest.raises(ConflictError):
        withdraw(placement=placed.pk, now=clock())
    nothing_changes()


def test_of_overlapping_placements_the_later_recorded_counts(buyer: int) -> None:
    put(buyer, "advocacy", ago(days=60), ago(days=10))
    put(buyer, "retention", ago(days=40), ago(days=30))
    put(buyer, "advocacy", ago(days=70), ago(days=50))
    assert stages_of(buyer) == ["acquisition", "lapsed", "advocacy", "retention", "advocacy", "lapsed"]
    nothing_changes()


def test_a_placement_is_told_but_is_no_news(buyer: int) -> None:
    put(buyer, "advocacy")
    told = Announcement.objects.filter(customer=buyer, subject=seven()).latest("pk")
    assert (told.stage.key, told.cause, told.is_news) == ("advocacy", Cause.PLACEMENT, False)


def test_a_placement_before_the_life_or_in_the_future_waits_for_it(buyer: int) -> None:
    put(buyer, "retention", ago(days=1000), ago(days=299))
    assert stages_of(buyer) == ["retention", "acquisition", "lapsed"]
    put(buyer, "advocacy", clock() + timedelta(days=3), clock() + timedelta(days=5))
    assert stage(buyer) == "lapsed"
    ahead = next_changes(customers=[buyer], now=clock(), subject=seven())[buyer][seven()]
    assert ahead.at > clock() + timedelta(days=2)
    nothing_changes()


def test_a_placement_counts_as_having_held_for_the_exit_stage(buyer: int) -> None:
    never = {"key": "never", "name": "Never", "rule": {"did": {"type": "Never Sent"}}}
    publish(
        revision=add_model(key="one", name="One", stages=[never], leave={"key": "left", "name": "Left"}).pk, now=clock()
    )
    assert stages_of(buyer, "one") == []
    model = StageModel.objects.get(key="one").pk
    place(
        customer=buyer, model=model, stage="never", reason="r", now=clock(), from_at=ago(days=9), until_at=ago(days=8)
    )
    settle()
    assert stages_of(buyer, "one") == ["never", "left"]
    nothing_changes()


def test_rules_that_name_stages_see_placements(buyer: int) -> None:
    new_version("staged", {"held": {"stage": ["seven", "advocacy"]}, "for": "5d"})
    put(buyer, "advocacy", ago(days=50), ago(days=20))
    assert stages_of(buyer, "staged") == ["in", "out"]
    nothing_changes()


def test_a_placement_goes_with_its_profile_through_merges(buyer: int) -> None:
    tell(happened("other", "Order Completed", ago(days=100), amount=5_000))
    settle()
    other = customer_of("other")
    before = history_of(other)
    put(other, "advocacy", ago(days=50), ago(days=20))
    placed = history_of(other)
    done = merge(customers=(buyer, other), now=clock())
    settle()
    assert "advocacy" in stages_of(customer_of("buyer"))
    unmerge(merge=done.pk, now=clock())
    settle()
    assert history_of(customer_of("other")) == placed != before
    assert "advocacy" not in stages_of(customer_of("buyer"))
    nothing_changes()


def test_a_placement_keeps_its_author_and_what_cannot_be_placed_is_refused(buyer: int) -> None:
    author = get_user_model().objects.create(email="admin@example.org")
    placed = place(customer=buyer, model=seven(), stage="lapsed", reason=" why ", now=clock(), author=author.pk)
    assert (placed.author, placed.reason) == (author, "why")
    right = {"customer": buyer, "model": seven(), "stage": "lapsed", "reason": "x", "now": clock()}
    for field, wrong in {
        "stage": {"stage": "in"},
        "model": {"model": 0},
        "customer": {"customer": 0},
        "reason": {"reason": " "},
        "until_at": {"from_at": ago(days=1), "until_at": ago(days=2)},
        "from_at": {"from_at": ago(days=20_000)},
    }.items():
        with pytest.raises(QuestionError) as caught:
            place(**{**right, **wrong})
        assert caught.value.field == field


# --- lists ------------------------------------------------------------------------------------------------------
def test_a_static_list_is_true_from_each_addition_until_its_removal(buyer: int) -> None:
    publish(revision=add_segment(key="press", name="Press", rule=None).pk, now=clock())
    press = Subject.objects.get(key="press")
    new_version("both", {"all": [{"segment": "press"}, {"stage": ["seven", "lapsed"]}]})
    assert add_members(segment=press.pk, customers=[buyer, 0], now=clock()) == 1
    assert add_members(segment=press.pk, customers=[buyer], now=clock()) == 0
    settle()
    assert (stage(buyer, "press"), stage(buyer, "both"), members_on(segment=press.pk)) == ("in", "in", 1)
    assert remove_members(segment=press.pk, customers=[buyer], now=clock()) == 1
    assert remove_members(segment=press.pk, customers=[buyer], now=clock()) == 0
    settle()
    assert (stage(buyer, "press"), stage(buyer, "both")) == ("out", "out")
    assert stages_of(buyer, "press") == ["in", "out"]
    add_members(segment=press.pk, customers=[buyer], now=clock() + timedelta(milliseconds=5))
    settle()
    assert stages_of(buyer, "press") == ["in", "out", "in"]
    nothing_changes()
    with pytest.raises(ConflictError):
        add_members(segment=press.pk, customers=[buyer], now=clock(), excluded=True)


def test_includes_win_over_the_rule_and_excludes_over_both_whichever_came_first(buyer: int) -> None:
    tell(happened("other", "Page Viewed", ago(days=1)))
    settle()
    other = customer_of("other")
    new_version("buyers", {"did": {"role": "purchase"}})
    segment = Subject.objects.get(key="buyers").pk
    assert (stage(buyer, "buyers"), stage(other, "buyers")) == ("in", None)
    add_members(segment=segment, customers=[other], now=clock())
    add_members(segment=segment, customers=[buyer], now=clock(), excluded=True)
    settle()
    assert (stage(buyer, "buyers"), stage(other, "buyers")) == ("out", "in")
    excluding = deciding_hand(customer=buyer, subject=segment, at=clock())
    assert isinstance(excluding, ListMember)
    assert excluding.is_excluded
    assert deciding_hand(customer=buyer, subject=segment, at=ago(days=1)) is None
    add_members(segment=segment, customers=[buyer], now=clock())
    settle()
    assert stage(buyer, "buyers") == "out"
    remove_members(segment=segment, customers=[buyer], now=clock(), excluded=True)
    settle()
    assert stage(buyer, "buyers") == "in"
    nothing_changes()


def test_an_upload_finds_customers_and_names_whom_it_does_not_know(buyer: int) -> None:
    texts = ("nobody", "buyer", "buyer", "100%'s")
    found = recognised(lines=[Line(number, text) for number, text in enumerate(texts, start=1)], by="external_id")
    assert (found.customers, found.repeated) == ((buyer,), 1)
    assert [line.text for line in found.not_found] == ["nobody", "100%'s"]
