"""What this room keeps of somebody goes when the person was erased: files that hold it, words it was searched by, and
scores. Whoever calls it, however often: an erasure is looked at once by each of what is kept."""

from typing import Any

from django.db import transaction

from customers.erase import absorbed_by
from customers.models import Erasure

from .exports.jobs import forget_in_exports
from .models import Score, Scoring

_KINDS = {"alive": "alive_step", "risk": "risk_step", "worth": "worth_step", "rfm": "rfm"}
_SUMS = ("alive", "worth_12", "worth_24", "worth_36")


def forget_the_erased() -> int:
    """How many files and scores are gone."""
    return forget_in_exports() + forget_scores()


def forget_scores() -> int:
    """The scores of whoever was erased go from all finished scorings, and from what was added up of them; how many."""
    latest = latest_erasure()
    gone = 0
    for scoring in Scoring.objects.filter(state=Scoring.State.DONE, erasures__lt=latest).values_list("pk", flat=True):
        with transaction.atomic():
            found = Scoring.objects.select_for_update().filter(pk=scoring).first()
            if found is None:  # a newer one has taken its place
                continue
            taken = forget_in(scoring=found, latest=latest)
            for row in taken:
                _take_off(found.document, row)
            found.customers -= len(taken)
            found.save()
            gone += len(taken)
    return gone


def latest_erasure() -> int:
    """The number of the erasure that was begun last; they commit in the order of their numbers."""
    return Erasure.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def forget_in(*, scoring: Scoring, latest: int) -> list[dict[str, Any]]:
    """Delete from a scoring the scores of whoever was erased up to an erasure, and note that; the rows that were there.
    The caller has locked the scoring, and saves it."""
    erased = Erasure.objects.filter(pk__gt=scoring.erasures, pk__lte=latest).values_list("customer_id", flat=True)
    people = sorted({one for customer in erased for one in (customer, *absorbed_by(customer))})
    rows = Score.objects.filter(scoring=scoring.pk, customer__in=people)
    found = list(rows.values(*_SUMS, *_KINDS.values())) if people else []
    if found:
        rows.delete()
    scoring.erasures = latest
    return found


def _take_off(document: dict[str, Any], row: dict[str, Any]) -> None:
    """Take one customer off what is kept added up of all."""
    for kind, column in _KINDS.items():
        counts, which = document["counts"][kind], str(row[column])
        counts[which] -= 1
        if not counts[which]:
            del counts[which]
    for name in _SUMS:
        if row[name] is not None and document["totals"][name] is not None:
            document["totals"][name] -= row[name]
