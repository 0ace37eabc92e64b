"""Histories as the engine wants them: one chunk of customers in sorted columns."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from lifecycle.rules.evaluate import Catalogue, Facts, PropertyColumn
from lifecycle.rules.value_tests import OTHER
from tests.lifecycle.rules.reference import History

NO_LIFE = np.iinfo(np.int64).max


def catalogue(roles: Mapping[str, str], channels: Sequence[str]) -> Catalogue:
    """Codes with gaps, and types not in the order of their names, as a database would have them."""
    types = tuple((3 * index + 2, name, role) for index, (name, role) in enumerate(roles.items()))
    return Catalogue(types=types, channels=tuple((5 * index + 1, name) for index, name in enumerate(channels)))


def facts(histories: Sequence[History], catalogue: Catalogue, property_keys: Iterable[str]) -> Facts:
    """The chunk in which each history is an owner, numbered in order."""
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
