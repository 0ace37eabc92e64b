"""Words that a rule may name: properties, traits and their values, as the latest touchpoints and steps carry them."""

from dataclasses import dataclass
from decimal import Decimal

from clm.lib import sql
from customers.score_steps import KEYS, PREFIX, SCORES

# How many of the latest rows are looked at: what was never sent lately is seldom looked for.
LOOKED_AT = 5_000
MOST = 50
KINDS = ("properties", "property_values", "traits", "trait_values")


@dataclass(frozen=True, slots=True)
class Word:
    """A key, or a value as rules are written with it. kind: of the value, `string`, `number`, `boolean`, `array` or
    `object`; seen: how often among the rows looked at."""

    value: str | int | float | bool
    kind: str
    seen: int


def words(*, what: str, key: str = "", search: str = "") -> tuple[Word, ...]:
    """Words of one of KINDS that hold `search`, the most frequent first; of values, those of the property or trait
    `key`, of a score its steps."""
    assert what in KINDS, what
    asked = {"most": LOOKED_AT, "search": search, "count": MOST}
    match what:
        case "properties":
            found = sql.rows("analytics/words_properties", **asked)
        case "traits":
            found = sql.rows("analytics/words_traits", **asked)
        case "property_values":
            found = sql.rows("analytics/words_property_values", key=key, **asked)
        case _ if key in KEYS:
            steps = range(1, SCORES[key.removeprefix(PREFIX)] + 1)
            return tuple(Word(step, "number", 0) for step in steps if search in str(step))
        case _:
            found = sql.rows("analytics/words_trait_values", key=key, **asked)
    is_key = what in ("properties", "traits")
    return tuple(Word(text if is_key else _value(text, kind), kind, seen) for text, kind, seen in found)


def _value(text: str, kind: str) -> str | int | float | bool:
    if kind == "boolean":
        return text == "true"
    if kind != "number":
        return text
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() and abs(number.adjusted()) < 15 else float(number)
