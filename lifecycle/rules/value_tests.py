"""Tests of property values: the operators of the language, read from JSON, applied to a value, said in English.

A value is a string, a Decimal, a bool, OTHER (a list or an object) or None (never set, or null). A value of another
kind than the operand satisfies no test."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from lifecycle.rules.document import is_storable
from lifecycle.rules.instants import parse_instant, say_instant
from lifecycle.rules.nodes import Scalar, Test


class _Other:
    """The one value that stands for every list and object: rules cannot look inside them."""

    def __repr__(self) -> str:
        return "OTHER"


OTHER: Final = _Other()
Value = str | Decimal | bool | int | float | _Other | None

# Operator -> how it reads before its operand.
OPERATORS: Final = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "starts_with": "starts with",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
    "before": "is before",
    "after": "is after",
    "exists": "is set",
}


def parse_test(operator: str, operand: object) -> Test:
    """The test of one operator. Raises ValueError with the reason in words."""
    if operator in ("in", "not_in"):
        if not isinstance(operand, list) or not operand:
            raise ValueError("a list with at least one value is needed here")
        return Test(operator, tuple(_scalar(item) for item in operand))
    if operator in ("contains", "starts_with"):
        if not isinstance(operand, str):
            raise ValueError("a text is needed here")
        return Test(operator, _scalar(operand))
    if operator in ("gt", "gte", "lt", "lte"):
        number = _scalar(operand)
        if not isinstance(number, Decimal):
            raise ValueError("a number is needed here")
        return Test(operator, number)
    if operator in ("before", "after"):
        instant = parse_instant(operand) if isinstance(operand, str) else None
        if instant is None:
            raise ValueError('an instant with its offset is needed here, such as "2026-01-31T09:00:00Z", or a date')
        return Test(operator, instant)
    if operator == "exists":
        if not isinstance(operand, bool):
            raise ValueError("true or false is needed here")
        return Test(operator, operand)
    return Test(operator, _scalar(operand))


def satisfies(value: Value, tests: tuple[Test, ...]) -> bool:
    """Whether the value satisfies every test."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            value = _number(value)
        except ValueError:
            value = OTHER  # NaN and Infinity are no numbers of the language
    return all(_satisfies(value, test) for test in tests)


def say_test(test: Test) -> str:
    """The test as a predicate of the value: `is at least 50`."""
    words = OPERATORS[test.operator]
    operand = test.operand
    if test.operator == "exists":
        return words if operand else "is not set"
    if test.operator in ("before", "after"):
        return f"{words} {say_instant(int(operand))}"  # type: ignore[arg-type]
    items = operand if isinstance(operand, tuple) else (operand,)
    return f"{words} {', '.join(_say_scalar(item) for item in items)}"


def _satisfies(value: Value, test: Test) -> bool:
    operand = test.operand
    operator = test.operator
    if operator == "exists":
        return (value is not None) == operand
    if value is None or isinstance(value, _Other):
        return False
    kind = _kind(value)
    if operator == "is":
        return kind is _kind(operand) and value == operand
    if operator == "is_not":
        return kind is _kind(operand) and value != operand
    if operator in ("in", "not_in"):
        alike = [item for item in operand if _kind(item) is kind]  # type: ignore[union-attr]
        return bool(alike) and (value in alike) == (operator == "in")
    if kind is str:
        if operator == "contains":
            return operand in value  # type: ignore[operator]
        if operator == "starts_with":
            return value.startswith(operand)  # type: ignore[union-attr, arg-type]
        if operator in ("before", "after"):
            instant = parse_instant(value)  # type: ignore[arg-type]
            if instant is None:
                return False
            return instant < operand if operator == "before" else instant > operand  # type: ignore[operator]
        return False
    if kind is Decimal:
        if operator == "gt":
            return value > operand  # type: ignore[operator]
        if operator == "gte":
            return value >= operand  # type: ignore[operator]
        if operator == "lt":
            return value < operand  # type: ignore[operator]
        if operator == "lte":
            return value <= operand  # type: ignore[operator]
    return False


def _kind(value: object) -> type:
    # bool comes first: Python counts it among the integers, the language does not.
    if isinstance(value, bool):
        return bool
    return str if isinstance(value, str) else Decimal


def _scalar(value: object) -> Scalar:
    if isinstance(value, str) and not is_storable(value):
        raise ValueError("a text here has no null characters and no halves of characters")
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _number(value)
    raise ValueError("a text, a number, true or false is needed here")


def _number(value: int | float | Decimal) -> Decimal:
    # A float is read by its shortest text, which is what its author wrote.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError("a number is finite")
    return number


def _say_scalar(value: Scalar | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"“{value}”"
    return f"{value:f}" if isinstance(value, Decimal) and abs(value.adjusted()) < 30 else str(value)
