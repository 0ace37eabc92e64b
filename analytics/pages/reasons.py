"""Why a customer is where it is, as pages say it: what decided, stage by stage, and what would change it next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from analytics.customer_stages import NextChange, next_change
from analytics.sorting import ModelRef, Sorting, StageRef
from clm.lib.templatetags.times import plain_date
from lifecycle.load import Loaded
from lifecycle.models import ListMember, Placement, Subject
from lifecycle.why import Decided, Reason, why
from lifecycle.why import Why as Evaluated

# So many conditions are named that a stage lacks, or that turn next.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class WhyStage:
    """One stage's rule at the instant asked about; deciding: the customer was in this stage because of it; missing:
    conditions that would have to hold besides."""

    stage: StageRef
    held: bool
    sentence: str
    node: Reason
    deciding: bool
    missing: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Why the customer was in `stage` (None: in none yet) of a model or a segment at `at`; stages highest precedence
    first. decision: in words, what decided; next: what time alone does next, because of the conditions `turning`."""

    model: ModelRef
    is_segment: bool
    at: datetime
    stage: StageRef | None
    since: datetime | None
    stages: tuple[WhyStage, ...]
    decision: str
    by_hand: bool
    next: NextChange | None
    turning: tuple[Reason, ...]

    @property
    def is_decided(self) -> bool:
        """Whether the rule of a stage decided, not the lack of any, nor a person."""
        return any(one.deciding for one in self.stages)


def why_of(
    *, customer: int, sorting: Sorting, at: datetime, as_of: datetime | None = None, loaded: Loaded | None = None
) -> Why | None:
    """The reasons in one model or segment at an instant (as_of: as they stood then); None while it is not live. loaded:
    the customer's life, if it is at hand."""
    found = why(customer=customer, subject=sorting.id, at=at, as_of=as_of, loaded=loaded)
    if found is None:
        return None
    is_segment = sorting.kind != Subject.Kind.MODEL
    stage = None if found.stage is None else sorting.stages[found.stage]
    return Why(
        model=sorting.ref,
        is_segment=is_segment,
        at=at,
        stage=stage,
        since=found.since,
        stages=tuple(
            WhyStage(
                stage=sorting.stages[one.stage],
                held=one.reason.held,
                sentence=one.reason.sentence,
                node=one.reason,
                deciding=found.decided == Decided.RULE and one.is_current,
                missing=one.reason.missing[:_NAMED],
            )
            for one in found.reasons
        ),
        decision=_segment_decision(found) if is_segment else _model_decision(found, sorting, stage),
        by_hand=found.hand is not None,
        next=None if found.next is None else next_change(sorting, found.next.stage, found.next.at),
        turning=found.turning[:_NAMED],
    )


def _model_decision(found: Evaluated, sorting: Sorting, stage: StageRef | None) -> str:
    current = next((sorting.stages[one.stage].name for one in found.reasons if one.is_current), None)
    match found.decided:
        case Decided.PLACEMENT:
            assert isinstance(found.hand, Placement)
            said = _placed(found.hand)
            rules = current or (_("no stage") if stage is None else _("the exit stage"))
            return f"{said} " + _("By the rules alone it would be %(stage)s.") % {"stage": rules}
        case Decided.RULE:
            above = _names(_until_current(found, sorting))
            below = _names(
                sorting.stages[one.stage].name for one in found.reasons if one.reason.held and not one.is_current
            )
            first = (
                _("The rule of %(stage)s holds, and no stage comes before it.")
                if not above
                else _("The rule of %(stage)s holds, and none of those that come before it does: %(above)s.")
            ) % {"stage": current, "above": above}
            if not below:
                return first
            return f"{first} " + _("The rules of %(below)s hold too, but come after it.") % {"below": below}
        case Decided.EXIT:
            return _("A rule held once, and none does any more: that is %(stage)s.") % {
                "stage": stage.name if stage else ""
            }
        case _:
            return _("No rule has held yet, so the customer is in no stage.")


def _until_current(found: Evaluated, sorting: Sorting) -> Iterable[str]:
    for one in found.reasons:
        if one.is_current:
            return
        yield sorting.stages[one.stage].name


def _segment_decision(found: Evaluated) -> str:
    match found.decided:
        case Decided.EXCLUDED:
            assert isinstance(found.hand, ListMember)
            return f"{_listed(found.hand)} " + _(
                "Who is excluded by name is out, whatever the rule and other lists say."
            )
        case Decided.INCLUDED:
            assert isinstance(found.hand, ListMember)
            return f"{_listed(found.hand)} " + _("Who is included by name is in, whatever the rule says.")
        case Decided.RULE:
            return _("The rule holds.")
        case _:
            return _("The rule does not hold, and nobody was put on its list by name.")


def _placed(hand: Placement) -> str:
    words = {
        "author": hand.author or _("somebody"),
        "start": plain_date(hand.from_at),
        "end": plain_date(hand.until_at),
        "reason": hand.reason,
        "stage": hand.stage.name,
    }
    if hand.until_at is None:
        return _("Set to %(stage)s by hand by %(author)s from %(start)s on: “%(reason)s”.") % words
    return _("Set to %(stage)s by hand by %(author)s from %(start)s until %(end)s: “%(reason)s”.") % words


def _listed(hand: ListMember) -> str:
    words = {"author": hand.author or _("somebody"), "day": plain_date(hand.added_at)}
    if hand.is_excluded:
        return _("Excluded by name by %(author)s on %(day)s.") % words
    return _("Included by name by %(author)s on %(day)s.") % words


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
