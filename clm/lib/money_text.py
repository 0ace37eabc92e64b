"""Amounts as people and machines write them."""

from decimal import Decimal


def amount_text(minor_units: int, minor_digits: int) -> str:
    """Minor units as people write them: 1250 of a currency with two digits is 12.50."""
    return f"{Decimal(minor_units).scaleb(-minor_digits):.{minor_digits}f}"
