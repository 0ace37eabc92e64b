"""Exchange rates and the installation's settings, on the pages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from customers.ingest import clock
from customers.models import ExchangeRate, Installation
from customers.rates import enter_rate
from tests.factories import make_customer
from tests.keeping.conftest import faults, said

SETTINGS = {
    "name": "Northwind",
    "margin_percent": "40",
    "news_hours": "48",
    "support_days": ["1", "2", "6"],
    "support_opens": "08:30",
    "support_closes": "24:00",
    "currency": "GBP",
    "time_zone": "Europe/London",
    "lapse_days": "90",
}


def test_a_rate_is_entered_replaced_and_removed(admin: Client) -> None:
    told = {"currency": "usd", "day": "2026-03-01", "rate": "0.85"}
    assert said(admin.post("/rates/", told, follow=True)) == ["The rate is entered."]
    assert "replaced" in said(admin.post("/rates/", {**told, "rate": "0.8571"}, follow=True))[0]
    rate = ExchangeRate.objects.get()
    assert (rate.currency, rate.rate) == ("USD", Decimal("0.8571"))
    text = admin.get("/rates/?currency=USD").content.decode()
    assert "0.8571<" in text
    assert admin.get("/rates/?currency=CHF").context["rows"] == []
    assert "can no longer be entered" in admin.get(f"/rates/{rate.pk}/remove/").content.decode()
    admin.post(f"/rates/{rate.pk}/remove/")
    assert not ExchangeRate.objects.exists()


def test_rates_are_paged_to_the_last_one_and_back(admin: Client) -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(120)]
    ExchangeRate.objects.bulk_create(ExchangeRate(currency="USD", day=day, rate=Decimal("0.9")) for day in days)
    ExchangeRate.objects.create(currency="CHF", day=days[0], rate=Decimal(1))
    seen, asked = [], ""
    for _page in range(3):
        page = admin.get(f"/rates/?{asked}").context
        seen += [(one.currency, one.day) for one in page["rows"]]
        asked = f"cursor={page['page'].next_cursor}"
    assert page["page"].next_cursor is None
    assert seen == [("CHF", days[0]), *(("USD", day) for day in reversed(days))]
    assert len(admin.get(f"/rates/?cursor={page['page'].previous_cursor}").context["rows"]) == 50
    assert "121 rates" in admin.get("/rates/").content.decode()
    assert "pager" not in admin.get("/rates/?currency=CHF").content.decode()
    assert admin.get("/rates/?cursor=x").status_code == 400


def test_every_fault_of_a_rate_is_named_at_once(admin: Client) -> None:
    answer = admin.post("/rates/", {"currency": "EUR", "day": "2026-03-01", "rate": "0"})
    assert answer.status_code == 422
    assert set(faults(answer)) == {"currency", "rate"}
    assert 'value="EUR"' in answer.content.decode()


def test_removing_a_rate_says_which_one_counts_then(admin: Client) -> None:
    for day, rate in ((1, "0.8"), (2, "0.9")):
        enter_rate(currency="USD", day=date(2026, 3, day), rate=Decimal(rate), source="")
    last = ExchangeRate.objects.get(day=date(2026, 3, 2))
    assert "rate of 1 Mar 2026 counts: 0.8." in admin.get(f"/rates/{last.pk}/remove/").content.decode()


def test_an_empty_installation_chooses_what_it_counts_in(admin: Client) -> None:
    assert "builds all stage models" in admin.get("/settings/").content.decode()
    assert said(admin.post("/settings/", SETTINGS, follow=True)) == ["Saved."]
    now = Installation.current()
    assert (now.name, now.currency, now.time_zone, now.lapse_days) == ("Northwind", "GBP", "Europe/London", 90)
    assert (now.margin_percent, now.news_hours) == (Decimal(40), 48)
    assert (now.support_days, now.support_opens, now.support_closes) == ("126", "08:30", "24:00")
    assert "different" in said(admin.post("/settings/", SETTINGS, follow=True))[0]


def test_every_fault_of_the_settings_is_named_at_once(admin: Client) -> None:
    bad = {"name": "", "margin_percent": "140", "news_hours": "-1", "currency": "EURO", "time_zone": "x"}
    hours = {"support_days": ["8"], "support_opens": "9", "support_closes": "25:00"}
    answer = admin.post("/settings/", {**bad, **hours, "lapse_days": "0"})
    assert answer.status_code == 422
    assert set(faults(answer)) == SETTINGS.keys()
    assert 'value="140"' in answer.content.decode()


def test_support_ends_after_it_begins_and_works_on_some_day(admin: Client) -> None:
    assert set(faults(admin.post("/settings/", {**SETTINGS, "support_opens": "24:00"}))) == {"support_opens"}
    assert set(faults(admin.post("/settings/", {**SETTINGS, "support_closes": "08:30"}))) == {"support_closes"}
    assert set(faults(admin.post("/settings/", {**SETTINGS, "support_days": []}))) == {"support_days"}
    assert Installation.current().support_opens == "09:00"


def test_touchpoints_fix_what_they_were_counted_in_and_the_rest_stays_open(admin: Client) -> None:
    make_customer()
    before = Installation.current()
    page = admin.get("/settings/")
    assert page.context["is_fixed"]
    assert "builds all stage models" not in page.content.decode()
    assert said(admin.post("/settings/", SETTINGS, follow=True)) == ["Saved."]
    now = Installation.current()
    assert (now.name, now.margin_percent) == ("Northwind", Decimal(40))
    assert (now.currency, now.time_zone, now.lapse_days) == (before.currency, before.time_zone, before.lapse_days)


def test_the_currency_stays_while_rates_into_it_are_entered(admin: Client) -> None:
    enter_rate(currency="USD", day=date(2026, 3, 1), rate=Decimal("0.9"), source="")
    answer = admin.post("/settings/", SETTINGS)
    assert answer.status_code == 422
    assert "exchange rates" in faults(answer)["__all__"]


@pytest.mark.parametrize("path", ["/rates/", "/settings/"])
def test_only_admins_come_here(path: str, browsers: dict[str, Client]) -> None:
    assert browsers["marketer"].get(path).status_code == 403


def test_a_rate_far_ahead_and_one_with_a_comma_are_told_by_their_fields(admin: Client) -> None:
    day = clock().date()
    answer = admin.post("/rates/", {"currency": "USD", "day": day + timedelta(days=367), "rate": "0,79"})
    assert set(faults(answer)) == {"day", "rate"}
    assert "more than a year ahead" in faults(answer)["day"]
    assert faults(answer)["rate"] == "Write the rate with a point: 0.79."
    told = {"currency": "USD", "day": day + timedelta(days=366), "rate": "0.79"}
    assert said(admin.post("/rates/", told, follow=True)) == ["The rate is entered."]
    asked = {"currency": "USD", "day": f"{day + timedelta(days=400)}", "rate": "0.79"}
    body = admin.post("/api/v1/exchange-rates/", asked, content_type="application/json").json()
    assert [one["field"] for one in body["errors"]] == ["day"]
    body = admin.post("/api/v1/exchange-rates/", {**asked, "rate": "0,79"}, content_type="application/json").json()
    assert "with a point" in body["errors"][0]["message"]
