"""Campaigns on the pages."""

import datetime as dt
from decimal import Decimal

from django.test import Client

from campaigns.keeping import create_campaign
from campaigns.models import Campaign
from campaigns.spending import enter_spend
from customers.ingest import clock
from tests.keeping.conftest import faults, said

TOLD = {
    "name": "Spring sale",
    "key": "",
    "channel": "Search",
    "audience": "active_customer",
    "starts_on": "2026-03-01",
    "ends_on": "2026-03-31",
    "budget": "1000.50",
}


def test_a_campaign_is_made_with_a_key_from_its_name_and_changed(marketer: Client) -> None:
    answer = marketer.post("/campaigns/new/", TOLD, follow=True)
    assert "spring-sale" in said(answer)[0]
    made = Campaign.objects.get()
    assert (made.key, made.budget, made.channel and made.channel.key) == ("spring-sale", 100_050, "search")
    form = marketer.get("/campaigns/spring-sale/edit/").content.decode()
    assert 'value="1000.50"' in form
    assert 'value="2026-03-01"' in form
    change = {**TOLD, "name": "Spring", "budget": "", "audience": ""}
    assert said(marketer.post("/campaigns/spring-sale/edit/", change, follow=True)) == ["Saved."]
    made.refresh_from_db()
    assert (made.name, made.budget, made.audience) == ("Spring", None, None)


def test_every_fault_is_named_at_once_and_what_was_typed_stays(marketer: Client) -> None:
    bad = {**TOLD, "key": "Spring!", "channel": "two words", "budget": "-1", "ends_on": "2026-02-01"}
    answer = marketer.post("/campaigns/new/", bad)
    assert answer.status_code == 422
    assert set(faults(answer)) == {"key", "channel", "budget", "ends_on"}
    assert 'value="Spring!"' in answer.content.decode()
    assert not Campaign.objects.exists()
    unread = marketer.post("/campaigns/new/", {**bad, "starts_on": "soon", "name": ""})
    assert set(faults(unread)) == {"name", "key", "channel", "budget", "starts_on"}
    assert set(faults(marketer.post("/campaigns/new/", {**TOLD, "key": "new"}))) == {"key"}


def test_a_taken_key_leads_to_the_campaign_that_has_it(marketer: Client) -> None:
    create_campaign(key="spring-sale", name="Last year's")
    answer = marketer.post("/campaigns/new/", TOLD)
    assert 'href="/campaigns/spring-sale/"' in faults(answer)["key"]


def test_its_page_says_what_was_spent_and_what_is_left(marketer: Client) -> None:
    create_campaign(key="spring", name="Spring", budget=Decimal("100"))
    for day, amount in ((dt.date(2026, 1, 31), "70"), (dt.date(2026, 2, 1), "50")):
        enter_spend(channel="search", day=day, amount=Decimal(amount), now=clock(), campaign="spring")
    answer = marketer.get("/campaigns/spring/")
    assert answer.context["row"].left == -2_000
    assert [month.total.amount for month in answer.context["months"]] == [5_000, 7_000]
    assert "overspent" in answer.content.decode()
    assert marketer.get("/campaigns/nobodys/").status_code == 404


def test_one_with_spend_stays_and_says_why(marketer: Client) -> None:
    create_campaign(key="spring", name="Spring")
    spent = enter_spend(channel="search", day=dt.date(2026, 2, 1), amount=Decimal(1), now=clock(), campaign="spring")
    for answer in (marketer.get("/campaigns/spring/remove/"), marketer.post("/campaigns/spring/remove/")):
        assert answer.status_code == 409
        assert "Spend was entered" in answer.content.decode()
    spent.delete()
    marketer.post("/campaigns/spring/remove/")
    assert not Campaign.objects.exists()


def test_the_list_is_narrowed_by_its_address(marketer: Client) -> None:
    today = clock().date()
    for key, starts, ends in (("old", -20, -10), ("now", -1, 1), ("open", -5, None), ("later", 5, 9)):
        create_campaign(
            key=key,
            name=key.title(),
            channel="search" if key == "now" else None,
            starts_on=today + dt.timedelta(days=starts),
            ends_on=None if ends is None else today + dt.timedelta(days=ends),
        )
    create_campaign(key="undated", name="Undated")

    def listed(query: str) -> set[str]:
        return {row.campaign.key for row in marketer.get(f"/campaigns/{query}").context["rows"]}

    assert listed("?state=running") == {"now", "open"}
    assert listed("?state=over") == {"old"}
    assert listed("?state=ahead") == {"later"}
    assert listed("?state=undated") == {"undated"}
    assert listed("?channel=search") == {"now"}
    assert listed("?search=OLD") == {"old"}
    for row in marketer.get("/campaigns/").context["rows"]:
        assert row.campaign.key in listed(f"?state={row.state}")
    assert marketer.get("/campaigns/?state=lost").status_code == 400
