"""What a file was asked for, in the words that pages use: names of stages and segments instead of their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext as _

from lifecycle.models import Segment, Stage

LONGEST = 120


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a list was narrowed to."""

    key: str
    label: str
    text: str


def in_words(questions: Sequence[str]) -> dict[str, list[Said]]:
    """By question what it asks; two look-ups for all of them, and none where none names a stage or a segment."""
    asked = {question: QueryDict(question) for question in questions if question}
    stages = {one for query in asked.values() for one in query.getlist("stage")}
    segments = {one for query in asked.values() for one in query.getlist("segment")}
    names = _stages(stages) | dict(
        Segment.objects.filter(key__in=segments).values_list("key", "name") if segments else ()
    )
    return {question: [_said(key, value, names) for key, value in _pairs(query)] for question, query in asked.items()}


def _pairs(query: QueryDict) -> list[tuple[str, str]]:
    return [(key, value) for key, values in query.lists() for value in values if value]


def _stages(asked: set[str]) -> dict[str, str]:
    """By model:stage, as addresses write it, what people call it."""
    keys = {one.partition(":")[2] for one in asked}
    found = (
        Stage.objects.filter(key__in=keys).values_list("subject__key", "subject__name", "key", "name") if keys else ()
    )
    return {f"{model}:{key}": f"{name} ({called})" for model, called, key, name in found}


def _said(key: str, value: str, names: Mapping[str, str]) -> Said:
    labels = {
        "stage": _("Stage"),
        "segment": _("Segment"),
        "search": _("Search"),
        "sort": _("Order"),
        "who": _("Who"),
        "role": _("Role"),
        "customer": _("Customer"),
        "as_of": _("As of"),
        "known_at": _("As known at"),
    }
    text = names.get(value, value)
    if key == "sort":
        text = _orders().get(value.lstrip("-"), value)
    return Said(key, labels.get(key, key), text[:LONGEST])


def _orders() -> dict[str, str]:
    return {
        "created": _("newest first"),
        "name": _("by name"),
        "last_seen": _("by last seen"),
        "orders": _("by orders"),
        "revenue": _("by revenue"),
        "since": _("by time in the stage"),
    }
