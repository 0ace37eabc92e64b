"""The arithmetic of value figures: exact fractions in, exact fractions out, None where a figure means nothing.

Amounts are minor units of the reporting currency."""

from fractions import Fraction

Number = int | Fraction


def per(total: Number, count: int) -> Fraction | None:
    """total / count, None without anything to divide by."""
    return Fraction(total) / count if count else None


def lifespan(churn: Fraction | None) -> Fraction | None:
    """Expected periods until a customer is lost if churn never changes: 1 / churn. None at churn 0 or unknown."""
    return 1 / churn if churn else None


def clv(*, aov: Number, orders_per_customer: Number, lifespan: Number) -> Fraction:
    """Customer lifetime value: order value x orders per customer and period x lifespan in periods."""
    return Fraction(aov) * orders_per_customer * lifespan


def margin(value: Number, percent: Number | None) -> Fraction:
    """The part of revenue that is gross margin; all of it while no margin is set."""
    return Fraction(value) if percent is None else Fraction(value) * percent / 100
