"""Histories as the engine wants them: one chunk of customers in sorted columns."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from lifecycle.rules.evaluate import FOREVER, Catalogue, Facts, Listing, Placing, PropertyColumn, TraitColumn
from lifecycle.rules.value_tests import OTHER
from tests.lifecycle.rules.reference import History, Version

NO_LIFE = np.iinfo(np.int64).max


def catalogue(roles: Mapping[str, str], channels: Sequence[str]) -> Catalogue:
    """Codes with gaps, and types not in the order of their names, as a database would have them."""
    types = tuple((3 * index + 2, name, role) for index, (name, role) in enumerate(roles.items()))
    return Catalogue(types=types, channels=tuple((5 * index + 1, name) for index, name in enumerate(channels)))


def numbers(version: Version) -> dict[str, int]:
    """The numbers of the segments and models of a version."""
    return {name: place for place, name in enumerate([*version.segments, *version.models], start=7)}


def definitions(version: Version) -> dict[str, dict[str, dict[str, object]]]:
    """The segments and models of a version as the parser wants them."""
    number = numbers(version)
    return {
        "segments": {
            key: {"subject": number[key], "name": key.title(), "rule": rule} for key, rule in version.segments.items()
        },
        "models": {
            key: {
                "subject": number[key],
                "name": key.title(),
                "stages": [{"key": stage, "name": stage.title(), "rule": rule} for stage, rule in stages],
                "exit": {"key": "left", "name": "Left"},
            }
            for key, stages in version.models.items()
        },
    }


def facts(
    histories: Sequence[History],
    catalogue: Catalogue,
    property_keys: Iterable[str],
    *,
    trait_keys: Iterable[str] = (),
    subjects: Mapping[str, int] | None = None,
) -> Facts:
    """The chunk in which each history is an owner, numbered in order."""
    subjects = subjects or {}
    rows = [(owner, e) for owner, history in enumerate(histories) for e in history.touchpoints]
    types = {name: code for code, name, _role in catalogue.types}
    channels = {name: code for code, name in catalogue.channels}
    return Facts(
        life=np.array([NO_LIFE if h.life is None else h.life for h in histories], dtype=np.int64),
        owner=np.array([owner for owner, _ in rows], dtype=np.int64),
        ms=np.array([e.at for _, e in rows], dtype=np.int64),
        type=np.array([types[e.type] for _, e in rows], dtype=np.int32),
        channel=np.array([channels[e.channel] for _, e in rows], dtype=np.int32),
        amount=np.array([e.amount for _, e in rows], dtype=np.int64),
        properties={key: _column([e.properties.get(key) for _, e in rows]) for key in property_keys},
        traits={key: _trait(histories, key) for key in trait_keys},
        included=_listings([h.included for h in histories], subjects),
        excluded=_listings([h.excluded for h in histories], subjects),
        placed=_placings(histories, subjects),
    )


def _trait(histories: Sequence[History], key: str) -> TraitColumn:
    rows = [
        (owner, change.at, change.value)
        for owner, history in enumerate(histories)
        for change in sorted(history.traits, key=lambda change: change.at)
        if change.key == key
    ]
    return TraitColumn(
        np.array([owner for owner, _, _ in rows], np.int64),
        np.array([at for _, at, _ in rows], np.int64),
        [None if value is None else _value(value) for _, _, value in rows],
    )


def _listings(of: Sequence[Sequence[tuple]], subjects: Mapping[str, int]) -> dict[int, Listing]:
    found = {}
    for key in {key for listed in of for key, _, _ in listed}:
        rows = [(owner, start, end) for owner, listed in enumerate(of) for name, start, end in listed if name == key]
        found[subjects[key]] = Listing(*_spans(rows))
    return found


def _placings(histories: Sequence[History], subjects: Mapping[str, int]) -> dict[int, Placing]:
    found = {}
    for key in {placed.model for history in histories for placed in history.placed}:
        rows = [(owner, p) for owner, history in enumerate(histories) for p in history.placed if p.model == key]
        spans = _spans([(owner, p.start, p.end) for owner, p in rows])
        found[subjects[key]] = Placing(*spans, [p.stage for _, p in rows])
    return found


def _spans(rows: Sequence[tuple[int, int, int | None]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([owner for owner, _, _ in rows], np.int64),
        np.array([start for _, start, _ in rows], np.int64),
        np.array([FOREVER if end is None else end for _, _, end in rows], np.int64),
    )


def _column(values: Sequence[object]) -> PropertyColumn:
    kept = [(position, _value(value)) for position, value in enumerate(values) if value is not None]
    return PropertyColumn(
        positions=np.array([position for position, _ in kept], dtype=np.int64), values=[value for _, value in kept]
    )


def _value(value: object) -> object:
    if isinstance(value, bool | str):
        return value
    return Decimal(value) if isinstance(value, int | Decimal) else OTHER
