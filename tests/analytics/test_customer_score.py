"""What is expected of one customer, and what that rests on."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from django.template.loader import render_to_string

from analytics.scores import CustomerScore
from customers.models import Installation

SCORE = CustomerScore(
    as_of=date(2026, 3, 1),
    customers=900,
    model="BG/NBD",
    alive=0.9,
    risk=0.4,
    risk_days=90,
    worth=(Fraction(1_000), Fraction(1_800), Fraction(2_400)),
    percent=None,
    silent_days=20,
    orders=1,
    revenue=4_500,
    rfm=511,
)


@pytest.mark.parametrize(
    ("score", "is_told"),
    [
        (SCORE, True),
        (replace(SCORE, orders=2), False),
        (replace(SCORE, renewals=1, lasting=(0.9, 0.8, 0.7)), False),
    ],
    ids=["one order", "two orders", "a contract"],
)
def test_what_one_order_cannot_say_is_told_beside_what_is_expected(score: CustomerScore, is_told: bool) -> None:
    shown = render_to_string("parts/customer_score.html", {"score": score, "reporting": Installation(currency="GBP")})
    assert "£10" in shown
    assert ("One order says when it came" in shown) is is_told
