"""Acts on experiments: draft one, change the draft, start it, assign its audience, stop it, end it, remove a draft.
What it asks is settled before it starts; afterwards only time goes on."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.assignment import variant_of
from clm.lib.questions import ConflictError, Faults, NotThereError, QuestionError
from customers.ingest import clock
from lifecycle.models import Segment, Stage, StageModel

from .keeping import possible_name
from .models import Assignment, Experiment, Variant

BATCH = 5_000
MOST_VARIANTS, MOST_METRICS, MOST_DAYS, MOST_PLANNED = 10, 10, 365, 10**9
KINDS = ("conversion", "revenue", "reached")
# What tau may be: of metrics that are shares, and of revenue in whole units of the currency.
TAU_OF_SHARES: tuple[float, float] = (0.0001, 1)
TAU_OF_MONEY: tuple[float, float] = (0.01, 1_000_000)
# Below the address of the list of experiments these words mean something else.
RESERVED = frozenset({"new", "plan"})
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a turn did: customers assigned, and whether there may be more to do."""

    customers: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a draft asks, found possible: as its row and its variants keep it."""

    row: dict[str, Any]
    variants: tuple[tuple[str, int], ...]

    def variants_of(self, experiment: Experiment) -> list[Variant]:
        return [
            Variant(experiment=experiment, position=position, key=key, weight=weight)
            for position, (key, weight) in enumerate(self.variants)
        ]


class Question(TypedDict):
    """What an experiment asks. variants: key and weight, the control first; metrics: documents as Experiment keeps
    them; planned: customers in all variants together."""

    name: str
    variants: Sequence[tuple[str, int]]
    metrics: Sequence[Mapping[str, Any]]
    planned: int


class NewQuestion(Question, total=False):
    """The same of a draft that is made. mode: a fixed horizon where none is told; audience: the key of a segment, None
    or nothing: everybody."""

    mode: str
    audience: str | None
    hypothesis: str


class WholeQuestion(Question):
    """The same with nothing left out."""

    mode: str
    audience: str | None
    hypothesis: str


@transaction.atomic
def create_experiment(*, key: str, **told: Unpack[NewQuestion]) -> Experiment:
    """A draft. Every fault is told at once; ConflictError when the key is taken."""
    faults = Faults()
    with faults.noted():
        _possible_key(key, "key")
        if key in RESERVED:
            raise QuestionError("key", _("This word is an address of the program; choose another key."))
    whole: WholeQuestion = {
        "name": told["name"],
        "variants": told["variants"],
        "metrics": told["metrics"],
        "planned": told["planned"],
        "mode": told.get("mode", Experiment.Mode.FIXED),
        "audience": told.get("audience"),
        "hypothesis": told.get("hypothesis", ""),
    }
    asked = _possible(faults, **whole)
    if Experiment.objects.filter(key=key).exists():
        raise ConflictError(_('There is an experiment "%(key)s" already.') % {"key": key})
    made = Experiment.objects.create(key=key, salt=secrets.token_hex(8), **asked.row)
    Variant.objects.bulk_create(asked.variants_of(made))
    return made


@transaction.atomic
def change_experiment(*, experiment: Experiment, **told: Unpack[WholeQuestion]) -> Experiment:
    """Have a draft ask something else; its key and its salt stay. Every fault is told at once; ConflictError once it
    has been started, since those assigned were assigned by what it asked then."""
    found = _locked(experiment)
    if found.started_at is not None:
        raise ConflictError(_("It has been started, so what it asks stays as it is. Make another draft instead."))
    asked = _possible(Faults(), **told)
    _write(found, **asked.row)
    if tuple(found.variants.values_list("key", "weight")) != asked.variants:
        found.variants.all().delete()
        Variant.objects.bulk_create(asked.variants_of(found))
    return found


def _possible(faults: Faults, **told: Unpack[WholeQuestion]) -> _Asked:
    """What a draft is to ask; QuestionError with every fault, those noted before included."""
    mode, planned, audience = told["mode"], told["planned"], told["audience"]
    kept_name = faults.read(lambda: possible_name(told["name"]), "")
    with faults.noted():
        _check_variants(told["variants"])
    if mode not in Experiment.Mode.values:
        faults.note(QuestionError("mode", _("The modes are %(names)s.") % {"names": ", ".join(Experiment.Mode.values)}))
    documents = faults.read(lambda: checked_metrics(told["metrics"], mode=mode), [])
    if not 2 <= planned <= MOST_PLANNED:
        faults.note(QuestionError("planned", _("Plan at least two customers, at most a thousand million.")))
    found = faults.read(lambda: _segment(audience, "audience") if audience else None, None)
    faults.refuse()
    row = {
        "name": kept_name,
        "hypothesis": told["hypothesis"].replace("\x00", "").strip()[:2000],
        "audience": found,
        "planned": planned,
        "mode": mode,
        "metrics": documents,
    }
    return _Asked(row, tuple((key, weight) for key, weight in told["variants"]))


def checked_metrics(metrics: Sequence[Mapping[str, Any]], *, mode: str) -> list[dict[str, Any]]:
    """Metrics as they are kept; QuestionError names the field `metrics`, or the tau of one of them."""
    if not 1 <= len(metrics) <= MOST_METRICS:
        raise QuestionError("metrics", _("An experiment has one to ten metrics."))
    kept: list[dict[str, Any]] = []
    for place, one in enumerate(metrics):
        kind, days, tau = one.get("kind"), one.get("days"), one.get("tau")
        known = {"kind", "days", "tau", *(("model", "stage", "segment") if kind == "reached" else ())}
        if kind not in KINDS or set(one) - known:
            said = _("A metric is %(kinds)s, within some days; reached names a segment, or a model and a stage.")
            raise QuestionError("metrics", said % {"kinds": ", ".join(KINDS)})
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= MOST_DAYS:
            raise QuestionError("metrics", _("A metric counts what happens within 1 to 365 days."))
        document: dict[str, Any] = {"kind": kind, "days": days}
        if mode == Experiment.Mode.PEEK_SAFE:
            document["tau"] = _checked_tau(tau, kind=kind, field=f"metrics[{place}].tau")
        elif tau is not None:
            raise QuestionError(f"metrics[{place}].tau", _("Only a peek-safe experiment has a tau."))
        if kind == "reached":
            document |= _goal(one)
        if any({**document, "tau": 0} == {**other, "tau": 0} for other in kept):
            raise QuestionError("metrics", _("The same metric stands here twice."))
        kept.append(document)
    return kept


def _checked_tau(tau: object, *, kind: str, field: str) -> float:
    """The difference that would matter, within the bounds of its kind: a share of customers cannot differ by more than
    all of them, and one that is next to nothing, or beyond any amount, makes every interval endless."""
    least, most = TAU_OF_MONEY if kind == "revenue" else TAU_OF_SHARES
    if not isinstance(tau, bool) and isinstance(tau, int | float) and least <= tau <= most:
        return float(tau)
    if kind == "revenue":
        said = _(
            "A peek-safe experiment states tau, the difference of revenue per customer that would matter: %(least)s to "
            "%(most)s, in whole units of the currency."
        )
    else:
        said = _(
            "A peek-safe experiment states tau, the difference of shares that would matter: %(least)s to %(most)s "
            "(0.01 is a point)."
        )
    raise QuestionError(field, said % {"least": least, "most": most})


def _goal(one: Mapping[str, Any]) -> dict[str, str]:
    """What must be reached: a segment, or a stage of a model."""
    segment, model, stage = (one.get(name) for name in ("segment", "model", "stage"))
    if segment and not model and not stage:
        return {"segment": _segment(str(segment), "metrics").key}
    if segment or not model or not stage:
        raise QuestionError("metrics", _("What is reached is a segment, or a stage of a model."))
    if not Stage.objects.filter(
        subject__in=StageModel.objects.filter(key=str(model), retired_at=None), key=str(stage)
    ).exists():
        said = _("There is no stage “%(stage)s” in a model “%(model)s”.")
        raise QuestionError("metrics", said % {"stage": str(stage)[:60], "model": str(model)[:60]})
    return {"model": str(model), "stage": str(stage)}


def _check_variants(variants: Sequence[tuple[str, int]]) -> None:
    if not 2 <= len(variants) <= MOST_VARIANTS:
        raise QuestionError("variants", _("An experiment has two to ten variants, the control first."))
    for key, weight in variants:
        _possible_key(key, "variants")
        if not 1 <= weight <= 10_000:
            raise QuestionError("variants", _("A weight is a whole number from 1 to 10,000."))
    if len({key for key, _weight in variants}) < len(variants):
        raise QuestionError("variants", _("Two variants have the same key."))


def _possible_key(text: str, field: str) -> None:
    if not _KEY.fullmatch(text):
        raise QuestionError(field, _("A key is made of small letters, digits, _ and -, at most 60 of them."))


def _segment(key: str, field: str) -> Segment:
    found = Segment.objects.filter(key=key, retired_at=None).first()
    if found is None:
        raise QuestionError(field, _('There is no segment "%(key)s".') % {"key": key[:60]})
    return found


# --- its course --------------------------------------------------------------------------------------------------
@transaction.atomic
def start_experiment(*, experiment: Experiment, now: datetime) -> Experiment:
    """From now on its audience is assigned, by workers or by `manage.py experiments`."""
    found = _locked(experiment)
    if found.started_at is not None:
        raise ConflictError(_("This experiment has been started already."))
    if found.audience is not None and found.audience.live_version_id is None:
        raise ConflictError(_("Its audience is a segment that is not live yet; publish that first."))
    return _write(found, started_at=now)


@transaction.atomic
def stop_experiment(*, experiment: Experiment, now: datetime) -> Experiment:
    """Nobody is assigned any more; what those assigned do goes on counting."""
    found = _locked(experiment)
    if found.started_at is None or found.stopped_at is not None or found.ended_at is not None:
        raise ConflictError(_("Only an experiment that runs can be stopped."))
    return _write(found, stopped_at=now)


@transaction.atomic
def end_experiment(*, experiment: Experiment, now: datetime) -> Experiment:
    """Nothing that happens from now on counts. What it has found by now is counted by workers, and kept
    (`analytics.experiments.ending`), so that what is learnt later changes nothing in secret."""
    found = _locked(experiment)
    if found.started_at is None or found.ended_at is not None:
        raise ConflictError(_("Only an experiment that was started, and has not ended, can be ended."))
    return _write(found, stopped_at=found.stopped_at or now, ended_at=now, told={"metrics": []})


@transaction.atomic
def delete_experiment(*, experiment: Experiment) -> None:
    """Remove a draft; whoever was assigned stays on record."""
    found = _locked(experiment)
    if found.started_at is not None:
        raise ConflictError(_("It has been started, so it stays on record. It can be ended."))
    found.delete()


def _locked(experiment: Experiment) -> Experiment:
    found = (
        Experiment.objects.select_for_update(of=("self",)).select_related("audience").filter(pk=experiment.pk).first()
    )
    if found is None:
        raise NotThereError(experiment.key)
    return found


def _write(found: Experiment, **values: Any) -> Experiment:
    """Keep these fields of it; the others may be an assigning worker's."""
    for name, value in values.items():
        setattr(found, name, value)
    found.save(update_fields=list(values))
    return found


def assignable(*, experiment: Experiment) -> int:
    """How many customers a draft would assign if it were started now."""
    audience = experiment.audience
    inside = Stage.objects.filter(subject=audience, key="in").first() if audience is not None else None
    ((count,),) = sql.rows(
        "campaigns/experiment_candidates_count",
        segment=audience.pk if audience is not None else None,
        inside=inside.pk if inside is not None else None,
    )
    return int(count)


# --- assigning ---------------------------------------------------------------------------------------------------
def assign(*, experiment: Experiment, people: Sequence[tuple[int, int]], now: datetime) -> int:
    """Give each of some customers (id and a profile of theirs) the variant that the hash says, and store it; whoever
    has one keeps it. How many are new. Campaigns call it for whoever they are about to treat."""
    variants = list(experiment.variants.all())
    weights = [one.weight for one in variants]
    made = Assignment.objects.bulk_create(
        (
            Assignment(
                experiment=experiment,
                variant=variants[variant_of(salt=experiment.salt, unit=customer, weights=weights)],
                profile_id=profile,
                unit=customer,
                at=now,
            )
            for customer, profile in people
        ),
        ignore_conflicts=True,
    )
    return len(made)


def work_on_experiments(*, seconds: float) -> int:
    """Assign whoever waits for it, batch by batch for about so long: how many customers were assigned. A killed one has
    lost nothing: a batch and how far it came are one transaction."""
    done, until = 0, monotonic() + seconds
    while True:
        turn = _assign_next()
        if turn is None:
            return done
        done += turn.customers
        if monotonic() >= until:
            return done


def _assign_next() -> Assigned | None:
    """One batch of one experiment, None where nobody waits, or only for somebody else who is at it."""
    with transaction.atomic():
        experiment = (
            Experiment.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(started_at__isnull=False, assigned_at=None, stopped_at=None)
            .select_related("audience")
            .order_by("started_at", "pk")
            .first()
        )
        if experiment is None:
            return None
        audience = experiment.audience
        inside = Stage.objects.get(subject=audience, key="in").pk if audience is not None else None
        people = sql.rows(
            "campaigns/experiment_candidates",
            experiment=experiment.pk,
            upto=experiment.assigned_upto,
            segment=audience.pk if audience is not None else None,
            inside=inside,
            most=BATCH,
        )
        now = clock()
        count = assign(experiment=experiment, people=people, now=now)
        is_open = len(people) == BATCH
        if people:
            experiment.assigned_upto = people[-1][0]
        experiment.assigned_at = None if is_open else now
        experiment.save(update_fields=["assigned_upto", "assigned_at"])
        return Assigned(count, is_open)
