"""Numbers in the units that machines are told: percent from 0 to 100, money in major units, counts whole."""


def shown_unit(unit: str, currency: str) -> str:
    """A unit as the API and files name it."""
    return {"money": currency, "count": "customers", "orders": "orders per customer"}.get(unit, unit)


def shown_number(number: float | None, unit: str, minor_digits: int) -> float | int | None:
    """A number in the unit that `shown_unit` names. Counts stay whole."""
    if number is None or unit == "count":
        return number
    if unit in ("percent", "points"):
        return round(number * 100, 9)
    if unit == "money":
        return round(number / 10**minor_digits, minor_digits)
    return number
