"""The attribution models there are: by which rule a first order is credited to the marketing touches before it.
Declared once; pages, the API and kept credits name them by these keys and codes."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

# How long before an order a touch may lie to be part of its path, in days: those that sums are kept for, the first
# being the default, those that pages offer, and the longest there is, which kept paths reach back to.
WINDOWS = (30, 90)
OFFERED_WINDOWS = (7, 14, 30, 60, 90)
LONGEST_WINDOW = 90
# What is credited; the first is the default.
GOALS: dict[str, Any] = {"first": _("First orders"), "every": _("Every order")}
DEFAULT_MODEL = "last_non_direct"
# Below so many customers whose path a channel is part of, what Markov says of it is chance.
LEAST_CONVERSIONS = 30
HALF_LIFE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Model:
    """One attribution model. code: how kept credits name it, 0 for the one that is computed from all paths together."""

    key: str
    code: int
    name: Any
    said: Any


MODELS: dict[str, Model] = {
    model.key: model
    for model in (
        Model("first", 1, _("First touch"), _("All credit to the first touch of the path.")),
        Model("last", 2, _("Last touch"), _("All credit to the last touch, a direct visit included.")),
        Model(
            "last_non_direct",
            3,
            _("Last non-direct touch"),
            _("All credit to the last touch that is no direct visit; to a direct one where there is nothing else."),
        ),
        Model("linear", 4, _("Linear"), _("Every touch of the path gets the same part.")),
        Model(
            "time_decay",
            5,
            _("Time decay"),
            _("A touch counts half as much for every 7 days that it lies before the order."),
        ),
        Model(
            "position",
            6,
            _("Position"),
            _(
                "40 % to the first and 40 % to the last touch, the rest in equal parts to those between; two touches "
                "share equally."
            ),
        ),
        Model(
            "markov",
            0,
            _("Markov"),
            _(
                "How many orders fewer there would be if a channel led nowhere, by a chain of order 1 over the paths "
                "of buyers and of people who have not bought, whose path ends with their last touch; the effects are "
                "scaled to sum to all orders."
            ),
        ),
        Model(
            "shapley",
            7,
            _("Shapley"),
            _("Each order in equal parts to the different channels of its path, however often it was touched by each."),
        ),
    )
}
ADDITIVE = tuple(model for model in MODELS.values() if model.code)
