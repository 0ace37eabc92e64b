"""`manage.py configure`: what numbers mean can be changed while there are none."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from customers.models import ExchangeRate, Installation
from lifecycle.install import install
from lifecycle.models import Version
from tests.customers.order_files import bring_in, line, write

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def configure(*words: str) -> str:
    out = io.StringIO()
    call_command("configure", *words, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_an_empty_installation_is_changed_and_its_models_count_anew():
    install(now=NOW)
    assert "EUR" in configure()
    words = ["--name", "Our shop", "--currency", "JPY", "--time-zone", "Asia/Tokyo", "--lapse-days", "90"]
    said = configure(*words, "--margin-percent", "40.5")
    for word in ("Our shop", "JPY, 0 digits", "Asia/Tokyo", "90", "40.5 %"):
        assert word in said
    live = Version.objects.filter(state=Version.State.LIVE)
    assert live.count() == 4
    assert set(live.values_list("time_zone", "lapse_days", "minor_digits")) == {("Asia/Tokyo", 90, 0)}
    configure(*words)
    assert set(live.values_list("number", flat=True)) == {2}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--currency", "gbp"], "not a currency"),
        (["--time-zone", "Europe/Nowhere"], "not a time zone"),
        (["--lapse-days", "0"], "lapse_days"),
        (["--margin-percent", "101"], "margin"),
        (["--margin-percent", "much"], "not a number"),
        (["--name", ""], "blank"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(words, said):
    with pytest.raises(CommandError, match=said):
        configure(*words)
    row = Installation.current()
    assert (row.name, row.currency, row.time_zone, row.lapse_days, row.margin_percent) == (
        *("CLM", "EUR", "UTC", 180),
        None,
    )


@pytest.mark.django_db
def test_stored_rates_hold_the_currency_they_lead_to():
    ExchangeRate.objects.create(currency="USD", day="2025-01-01", rate=Decimal("0.9"))
    with pytest.raises(CommandError, match="exchange rates into EUR"):
        configure("--currency", "GBP")


@pytest.mark.django_db
def test_with_touchpoints_only_name_and_margin_can_be_changed(tmp_path):
    configure("--currency", "GBP")
    bring_in(write(tmp_path, line()))
    for words in (["--currency", "EUR"], ["--time-zone", "Asia/Tokyo"], ["--lapse-days", "90"]):
        with pytest.raises(CommandError, match="only while no touchpoints are stored"):
            configure("--name", "Another", *words)
    assert Installation.current().name == "CLM"
    assert "40 %" in configure("--name", "Our shop", "--margin-percent", "40", "--currency", "GBP")
