"""How amounts, rates and changes are said on pages."""

from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace as Row

import pytest
from babel.numbers import format_decimal
from django.template import Context, Template
from django.utils.translation import override

from clm.lib.locales import reader_locale
from clm.lib.templatetags.numbers import as_sent, change_text, part_of, quantity_text, sent_text, signed

GBP = Row(currency="GBP", minor_digits=2)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, "money", "n/a"),
        (41_288_012, "money", "£412,880"),
        (99_999, "money", "£999.99"),
        (-2_034, "money", "−£20.34"),
        (Decimal("200000"), "money", "£2,000"),
        (0, "money", "£0.00"),
        (0.788, "percent", "78.8%"),
        (Fraction(1, 3), "percent", "33.3%"),
        (9.994, "percent", "999.4%"),
        (21.746, "percent", "2,175%"),
        (3.42, "ratio", "3.42"),
        (1, "days", "1 day"),
        (180, "days", "180 days"),
        (2.5, "months", "2.5 months"),
        (1_234_567, "count", "1,234,567"),
        (1.256, "number", "1.26"),
    ],
)
def test_a_value_is_said_with_its_unit(value: object, unit: str, words: str) -> None:
    assert quantity_text(value, unit, GBP) == words


@pytest.mark.parametrize("language", ["en-gb", "de", "de-ch", "fr", "pl", "es", "sv", "hi", "ar", "ja"])
@pytest.mark.parametrize("unit", ["count", "ratio"])
def test_whole_numbers_are_grouped_as_babel_groups_them(language: str, unit: str) -> None:
    with override(language):
        for value in (0, 7, 999, 1_000, 12_345, 123_456, 9_876_543_210, -1_234):
            assert quantity_text(value, unit, None) == format_decimal(value, "#,##0", locale=reader_locale())


def test_amounts_follow_the_currencys_own_minor_unit() -> None:
    assert quantity_text(1_234, "money", Row(currency="JPY", minor_digits=0)) == "JP¥1,234"
    assert quantity_text(1_234, "money", Row(currency="KWD", minor_digits=3)) == "KWD1.234"


def test_an_installation_may_count_in_smaller_units_than_its_currency_has() -> None:
    assert quantity_text(12_345, "money", Row(currency="GBP", minor_digits=4)) == "£1.2345"


def test_a_change_of_a_rate_is_said_in_percentage_points() -> None:
    assert change_text(-0.0114, "points", GBP) == "1.1 pp"
    assert change_text(0.042, "percent", GBP) == "4.2%"


def test_a_money_tag_takes_minor_units_and_the_pages_currency() -> None:
    assert Template("{% money 8690 %}").render(Context({"reporting": Row(currency="EUR", minor_digits=2)})) == "€86.90"
    assert Template("{% money nothing %}").render(Context({"nothing": None, "reporting": GBP})) == "–"


def test_signs_are_said() -> None:
    assert [signed(n) for n in (12, -3, 0)] == ["+12", "−3", "±0"]


def test_widths_use_a_point_whatever_the_language_and_survive_an_empty_whole() -> None:
    assert part_of(1, 3) == "33.33%"
    assert part_of(1, 0) == "0%"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("20.9000", "CHF", "CHF20.90"),
        ("2000.0000", "GBP", "£2,000.00"),
        ("0.0001", "EUR", "€0.0001"),
        ("-1.5000", "GBP", "−£1.50"),
        ("1200.0000", "JPY", "JP¥1,200"),
        ("0", "EUR", "€0.00"),
        ("1250.5000", "", "1,250.5"),
    ],
)
def test_an_amount_as_it_was_sent_is_written_as_the_reporting_currency_is(
    amount: str, currency: str, words: str
) -> None:
    assert sent_text(Decimal(amount), currency) == words


def test_what_an_entry_keeps_of_an_amount_is_written_alike() -> None:
    assert [as_sent(one) for one in ("120.5 GBP", "50.5", "")] == ["£120.50", "50.5", ""]
