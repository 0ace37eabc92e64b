"""Changing definitions: what depends on a change goes live with it, and what cannot be a rule is refused before."""

from typing import Any

import pytest

from analytics.experiments.ending import count_experiments
from analytics.used_in import retire, used_in
from campaigns.experiments import create_experiment, delete_experiment, end_experiment, start_experiment
from campaigns.models import Campaign, Experiment
from clm.lib.questions import ConflictError, QuestionError
from customers.ingest import clock
from customers.models import TouchpointType
from lifecycle.examples import add_example, broken_examples, retire_example
from lifecycle.install import BrokenExamplesError, build, draft, publish, rebuild
from lifecycle.models import Revision, Stage, StageModel, Standing, Subject, SubRule, Version
from lifecycle.replay import replay_all
from lifecycle.revise import (
    add_model,
    add_segment,
    add_stage,
    copy_model,
    discard,
    edit_segment,
    edit_stage,
    edit_sub_rule,
    order_stages,
    position_stages,
    retire_stage,
    retire_subject,
    roll_back,
)
from lifecycle.rules.document import RuleError, load_document
from lifecycle.uses import uses_of_sub_rule, uses_of_sub_rules, uses_of_type

from .making import ago, check_standings, customer_of, happened, installed, new_version, settle, stage, tell

pytestmark = pytest.mark.django_db
BOUGHT = {"did": {"role": "purchase"}}
VISITED = {"did": {"role": "visit"}}


@pytest.fixture
def world() -> None:
    installed()
    tell(
        happened("buyer", "Order Completed", ago(days=30), amount=1_000), happened("guest", "Page Viewed", ago(days=9))
    )
    settle()


def subject(key: str) -> Subject:
    return Subject.objects.get(key=key)


def live(revision: Revision) -> None:
    publish(revision=revision.pk, now=clock())
    again = replay_all()
    assert (again.rows_changed, again.rows_by_time) == (0, 0)
    check_standings()


def numbers(*keys: str) -> list[int]:
    return [Version.objects.get(subject__key=key, state="live").number for key in keys]


# --- dependents -------------------------------------------------------------------------------------------------
def test_what_depends_on_a_segment_goes_live_with_it_and_what_does_not_stays(world: None) -> None:
    new_version("base", BOUGHT)
    new_version("upper", {"not": {"segment": "base"}})
    new_version("top", {"all": [{"segment": "upper"}, VISITED]})
    new_version("apart", VISITED)
    buyer, guest = customer_of("buyer"), customer_of("guest")
    assert [stage(guest, key) for key in ("base", "upper", "top")] == [None, "in", "in"]
    revision = edit_segment(segment=subject("base").pk, rule=VISITED)
    assert {version.subject.key for version in revision.versions.all()} == {"base", "upper", "top"}
    assert stage(guest, "top") == "in"  # a draft changes nothing
    live(revision)
    assert [stage(guest, key) for key in ("base", "upper", "top")] == ["in", None, None]
    assert [stage(buyer, key) for key in ("base", "upper", "top")] == [None, "in", None]
    assert numbers("base", "upper", "top", "apart") == [2, 2, 2, 1]
    assert len(set(Version.objects.filter(revision=revision).values_list("published_at", flat=True))) == 1


def test_a_segment_that_names_a_stage_follows_its_model(world: None) -> None:
    new_version("lapsed", {"stage": ["seven", "lapsed"]})
    assert stage(customer_of("buyer"), "lapsed") is None
    live(edit_stage(model=subject("seven").pk, stage="acquisition", rule={"did": {"type": "Never"}}))
    assert stage(customer_of("buyer")) == stage(customer_of("buyer"), "seven") == "lapsed"
    assert stage(customer_of("buyer"), "lapsed") == "in"
    assert numbers("seven", "lapsed", "five") == [2, 2, 1]


def test_a_sub_rule_is_edited_once_for_all_models(world: None) -> None:
    assert {use.key for use in uses_of_sub_rule(name="advocate")} == {"seven", "five", "cycle"}
    revision = edit_sub_rule(name="advocate", rule={"any": [BOUGHT, VISITED]})
    assert SubRule.objects.get(name="advocate").document != {"any": [BOUGHT, VISITED]}
    live(revision)
    assert SubRule.objects.get(name="advocate").document == {"any": [BOUGHT, VISITED]}
    assert stage(customer_of("buyer")) == "advocacy"
    assert numbers("seven", "five", "cycle", "active_customer") == [2, 2, 2, 1]
    live(edit_sub_rule(name="new", rule=BOUGHT))  # nothing names it yet
    assert SubRule.objects.get(name="new").document == BOUGHT
    live(roll_back(version=Version.objects.get(subject__key="seven", number=1).pk))
    assert numbers("seven") == [3]


def test_whoever_builds_a_version_takes_its_dependents_along(world: None) -> None:
    new_version("base", BOUGHT)
    new_version("upper", {"segment": "base"})
    build(versions=[draft(subject=subject("base"), document={"rule": VISITED}, note="")], now=clock())
    assert stage(customer_of("guest"), "upper") == "in"
    assert numbers("upper") == [2]


def test_a_draft_of_what_has_changed_since_is_refused(world: None) -> None:
    new_version("base", BOUGHT)
    old = add_segment(key="upper", name="Upper", rule={"segment": "base"})
    live(edit_segment(segment=subject("base").pk, rule=VISITED))
    with pytest.raises(ConflictError, match="Upper"):
        publish(revision=old.pk, now=clock())
    discard(revision=old.pk)
    live(add_segment(key="upper", name="Upper", rule={"segment": "base"}))
    assert stage(customer_of("guest"), "upper") == "in"


def test_a_change_that_speaks_of_what_is_just_going_live_waits(world: None) -> None:
    new_version("base", BOUGHT)
    first = edit_segment(segment=subject("base").pk, rule=VISITED)
    then = add_segment(key="upper", name="Upper", rule={"segment": "base"})
    apart = add_segment(key="apart", name="Apart", rule=VISITED)
    Version.objects.filter(revision=first).update(state="building")  # another process is at it
    with pytest.raises(ConflictError, match="base"):
        publish(revision=then.pk, now=clock())
    live(apart)  # takes along what was left building
    assert numbers("base", "apart") == [2, 1]


def test_a_changed_mapping_builds_what_is_live_anew(world: None) -> None:
    new_version("buyers", BOUGHT)
    tell(happened("guest", "Odd", ago(days=1)))
    settle()
    TouchpointType.objects.filter(name="Odd").update(role="purchase")
    assert rebuild(now=clock()) == 5
    assert stage(customer_of("guest"), "buyers") == "in"
    assert rebuild(now=clock()) == 0


# --- refusals ---------------------------------------------------------------------------------------------------
def test_circles_are_refused_when_a_rule_is_saved(world: None) -> None:
    new_version("a", BOUGHT)
    new_version("b", {"segment": "a"})
    with pytest.raises(RuleError, match="circle: segment a -> segment b -> segment a") as caught:
        edit_segment(segment=subject("a").pk, rule={"not": {"segment": "b"}})
    assert caught.value.path == "$.not.segment"
    with pytest.raises(RuleError, match="circle"):
        edit_segment(segment=subject("a").pk, rule={"segment": "a"})
    with pytest.raises(RuleError, match="may not use"):
        edit_stage(model=subject("seven").pk, stage="lapsed", rule={"stage": ["five", "lapsed"]})
    new_version("c", {"stage": ["seven", "lapsed"]})
    with pytest.raises(RuleError, match="not even through a segment") as caught:
        edit_stage(model=subject("five").pk, stage="lapsed", rule={"segment": "c"})
    assert caught.value.path == "$.stages[2].rule.segment"
    live(edit_stage(model=subject("five").pk, stage="lapsed", rule={"segment": "a"}))
    with pytest.raises(RuleError, match="circle"):
        edit_segment(segment=subject("a").pk, rule={"stage": ["five", "lapsed"]})
    with pytest.raises(RuleError, match="circle"):
        edit_sub_rule(name="acquired", rule={"any": [BOUGHT, {"not": {"rule": "acquired"}}]})
    assert Version.objects.filter(state="draft").count() == 0


def test_a_change_that_breaks_a_dependent_names_it(world: None) -> None:
    new_version("base", BOUGHT)
    new_version("upper", {"all": [{"segment": "base"}] * 30})
    with pytest.raises(RuleError, match=r'"upper", which depends on it, would not be a rule any more: .*40 selectors'):
        edit_segment(segment=subject("base").pk, rule={"any": [BOUGHT, VISITED]})


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"segment": "nobody"}, "$.segment"),
        ({"did": {}, "within": "90"}, "$.within"),
        ({"trait": "a\x00", "is": 1}, "$.trait"),
        ({"trait": "x", "is": "\ud800"}, "$.is"),
        ({"all": [BOUGHT] * 10_000}, "$.all[40].did"),
        (None, "$"),
    ],
)
def test_what_is_no_rule_is_refused_with_its_place(world: None, rule: Any, path: str) -> None:
    new_version("base", BOUGHT)
    with pytest.raises(RuleError) as caught:
        edit_segment(segment=subject("base").pk, rule=rule)
    assert caught.value.path == path


def test_odd_names_and_missing_properties_are_no_trouble(world: None) -> None:
    rule = load_document(
        """{"not": {"all": [
            {"did": {"type": "100% \\"off\\"", "where": [{"property": "it's %(a)s", "gte": 4.50}]}},
            {"trait": "50%'s; --", "is_not": 0.1}
        ]}}"""
    )
    live(add_segment(key="odd", name="100% “odd” %s's", rule=rule))
    assert stage(customer_of("buyer"), "odd") == "in"
    new_version("odder", {"segment": "odd"})
    assert stage(customer_of("guest"), "odder") == "in"


# --- models -----------------------------------------------------------------------------------------------------
def test_a_model_is_copied_edited_reordered_and_retired(world: None) -> None:
    live(copy_model(model=subject("five").pk, key="ours", name="Ours"))
    ours = subject("ours")
    assert stage(customer_of("buyer"), "ours") == "conversion"
    live(add_stage(model=ours.pk, key="vip", name="VIP", rule=BOUGHT))
    assert stage(customer_of("buyer"), "ours") == "conversion"  # lowest precedence
    keys = [one["key"] for one in Version.objects.get(subject=ours, state="live").document["stages"]]
    live(order_stages(model=ours.pk, stages=[*keys[1:], keys[0]]))
    assert stage(customer_of("buyer"), "ours") == "vip"
    with pytest.raises(QuestionError):
        order_stages(model=ours.pk, stages=keys[1:])
    with pytest.raises(QuestionError):
        add_stage(model=ours.pk, key="vip", name="Again", rule=BOUGHT)
    live(retire_stage(model=ours.pk, stage="vip"))
    assert stage(customer_of("buyer"), "ours") == "conversion"
    position_stages(model=ours.pk, stages=list(Stage.objects.filter(subject=ours).values_list("key", flat=True)))
    retire_subject(subject=ours.pk, now=clock())
    assert stage(customer_of("buyer"), "ours") is None
    assert not Standing.objects.filter(subject=ours).exists()
    assert replay_all().rows_changed == 0


def test_a_model_is_made_anew(world: None) -> None:
    stages = [{"key": "seen", "name": "Seen", "rule": {"did": {}}}, {"key": "buyer", "name": "Buyer", "rule": BOUGHT}]
    live(add_model(key="two", name="Two", stages=stages, leave={"key": "gone", "name": "Gone"}))
    assert (stage(customer_of("buyer"), "two"), stage(customer_of("guest"), "two")) == ("buyer", "seen")
    for wrong in ([], [*stages, stages[0]], [*stages, {"key": "gone", "name": "G", "rule": BOUGHT}]):
        with pytest.raises(RuleError):
            add_model(key="three", name="Three", stages=wrong, leave={"key": "gone", "name": "Gone"})
    with pytest.raises(QuestionError):
        add_model(key="two", name="Two", stages=stages, leave={"key": "gone", "name": "Gone"})
    assert not StageModel.objects.filter(key="three").exists()


def _experiment(key: str, *, audience: str | None, metrics: list[dict[str, Any]]) -> Experiment:
    variants = [("control", 1), ("bow", 1)]
    return create_experiment(key=key, name=key, variants=variants, metrics=metrics, planned=20, audience=audience)


def test_whatever_uses_a_thing_is_told_once_while_a_draft_of_it_is_open(world: None) -> None:
    new_version("base", BOUGHT)
    new_version("top", {"all": [{"segment": "base"}, {"rule": "alive"}]})
    edit_segment(segment=subject("top").pk, rule={"all": [{"segment": "base"}, {"rule": "alive"}, VISITED]})
    add_segment(key="planned", name="Planned", rule={"all": [BOUGHT, {"rule": "alive"}]})
    assert [(use.key, use.is_draft) for use in used_in(subject=subject("base").pk)] == [("top", False)]
    found = [(use.key, use.is_draft) for use in uses_of_sub_rule(name="alive") if use.kind == "segment"]
    assert found == [("planned", True), ("top", False)]
    assert [(use.key, use.is_draft) for use in uses_of_sub_rules()["alive"] if use.kind == "segment"] == found
    selecting = uses_of_type(name="Order Completed", role="purchase")
    assert sorted((use.key, use.is_draft) for use in selecting if use.kind == "segment") == [
        ("active_customer", False),
        ("base", False),
        ("planned", True),
        ("top", False),
    ]
    with pytest.raises(ConflictError, match="“top”") as refused:
        retire(subject=subject("base").pk, now=clock())
    assert str(refused.value).count("“top”") == 1


def test_what_is_used_is_not_retired_and_says_by_what(world: None) -> None:
    new_version("base", BOUGHT)
    new_version("upper", {"segment": "base"})
    new_version("top", {"segment": "upper"})
    add_segment(key="planned", name="Planned", rule={"segment": "base"})
    base, top = subject("base"), subject("top")
    Campaign.objects.create(key="spring", name="Spring", audience=top)
    assert [(use.key, use.is_direct, use.is_draft) for use in used_in(subject=base.pk)] == [
        ("planned", True, True),
        ("top", False, False),
        ("upper", True, False),
    ]
    assert [(use.kind, use.key) for use in used_in(subject=top.pk)] == [("campaign", "spring")]
    with pytest.raises(ConflictError, match="“upper”"):
        retire(subject=base.pk, now=clock())
    with pytest.raises(ConflictError, match="“Spring”"):
        retire(subject=top.pk, now=clock())
    Campaign.objects.all().delete()
    bow = _experiment("bow", audience="top", metrics=[{"kind": "conversion", "days": 7}])
    goal = _experiment("goal", audience=None, metrics=[{"kind": "reached", "days": 7, "segment": "top"}])
    assert [(use.kind, use.key, use.is_draft) for use in used_in(subject=top.pk)] == [
        ("experiment", "bow", True),
        ("experiment", "goal", True),
    ]
    with pytest.raises(ConflictError, match="“bow”, “goal”"):
        retire(subject=top.pk, now=clock())
    delete_experiment(experiment=goal)
    start_experiment(experiment=bow, now=clock())
    assert [(use.key, use.is_draft) for use in used_in(subject=top.pk)] == [("bow", False)]
    with pytest.raises(ConflictError, match="“bow”"):
        retire(subject=top.pk, now=clock())
    end_experiment(experiment=bow, now=clock())
    with pytest.raises(ConflictError, match="“bow”"):  # what it found is not counted yet
        retire(subject=top.pk, now=clock())
    assert count_experiments(seconds=60) == 1
    retire(subject=top.pk, now=clock())
    with pytest.raises(ConflictError):
        retire(subject=subject("seven").pk, now=clock())


# --- examples ---------------------------------------------------------------------------------------------------
def test_a_version_that_breaks_an_example_is_refused_and_names_it(world: None) -> None:
    buyer, seven = customer_of("buyer"), subject("seven").pk
    real = add_example(subject=seven, name="The buyer", stage="acquisition", customer=buyer, day=3)
    add_example(
        subject=seven,
        name="A trial",
        stage="onboarding",
        history={
            "touchpoints": [
                {"occurred_at": "2026-01-01T09:00:00Z", "role": "signup"},
                {"occurred_at": "2026-01-02T09:00:00Z", "role": "usage", "properties": {"x": 1.5}},
            ]
        },
        at=clock().replace(year=2026, month=1, day=3),
    )
    current = Version.objects.select_related("subject", "role_table").get(subject=seven, state="live")
    assert broken_examples(versions=[current]) == ()
    change = edit_stage(model=seven, stage="acquisition", rule={"did": {"type": "Never"}})
    with pytest.raises(BrokenExamplesError, match=r"“The buyer” must be in acquisition .* would be in lapsed"):
        publish(revision=change.pk, now=clock())
    assert numbers("seven") == [1]
    retire_example(example=real.pk, now=clock())
    live(change)
    live_change = edit_stage(model=seven, stage="onboarding", rule={"did": {"type": "Never"}})
    with pytest.raises(BrokenExamplesError, match="“A trial”"):
        publish(revision=live_change.pk, now=clock())


def test_an_example_that_cannot_be_tried_is_refused(world: None) -> None:
    right: dict[str, Any] = {"subject": subject("seven").pk, "name": "x", "stage": "lapsed", "day": 1, "history": {}}
    assert add_example(**right).pk
    for field, wrong in {
        "name": {"name": ""},
        "customer": {"customer": 1},
        "at": {"at": clock()},
        "day": {"day": 0},
        "stage": {"stage": "nothing"},
    }.items():
        with pytest.raises(QuestionError) as caught:
            add_example(**{**right, **wrong})
        assert caught.value.field == field
    with pytest.raises(RuleError, match="instant"):
        add_example(**{**right, "history": {"touchpoints": [{"type": "x"}]}})
