"""The catalogue, money without a rate and accounts, on the pages and through the API."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from analytics.days.fill import fill
from customers.conversions import convert_asked
from customers.ingest import clock
from customers.models import Account, Affiliation, Conversion, ExchangeRate, Profile, Touchpoint, TouchpointType
from customers.receiving import door, money
from lifecycle.models import Revision
from lifecycle.publications import publish_asked
from tests.factories import client_of
from tests.keeping.conftest import faults, said
from tests.lifecycle.making import ago, customer_of, happened, settle, tell
from tests.receiving.sending import Sender, track


@pytest.fixture
def deals(admin: Client) -> TouchpointType:
    """A name that nobody knows, sent twice."""
    tell(*[happened(f"p{number}", "Deal Won", ago(days=3), properties={"worth": number}) for number in range(2)])
    settle()
    fill()
    return TouchpointType.objects.get(name="Deal Won")


@pytest.fixture
def forgetting() -> Iterator[None]:
    yield
    door.forget()
    money.forget()


def test_a_waiting_name_is_found_mapped_and_taken_back(admin: Client, deals: TouchpointType) -> None:
    page = admin.get("/catalogue/?mapped=waiting&role=other&source=shop&sort=count")
    assert [row.name for row in page.context["rows"]] == ["Deal Won"]
    assert admin.get("/catalogue/?search=nothing").context["rows"] == ()
    detail = admin.get(f"/catalogue/{deals.pk}/").context["detail"]
    assert [(one.key, one.touchpoints) for one in detail.sources] == [("shop", 2)]
    assert [(one.key, one.kinds, one.share) for one in detail.samples] == [("worth", ("number",), 1.0)]
    assert len(detail.last) == 2
    told = {"role": "purchase", "amount": "worth", "note": "Deals are sales."}
    answer = admin.post(f"/catalogue/{deals.pk}/map/", told)
    change = Revision.objects.get()
    assert answer["Location"] == f"/changes/{change.pk}/"
    shown = admin.get(answer["Location"])
    assert "Deal Won → Purchase" in shown.content.decode()
    admin.post(f"/changes/{change.pk}/publish/")
    assert publish_asked() == 1
    deals.refresh_from_db()
    assert (deals.role, deals.reads) == ("purchase", {"amount": "worth"})
    assert [row.mapped for row in admin.get("/catalogue/?search=deal").context["rows"]] == ["hand"]
    admin.post(f"/changes/{change.pk}/revert/")
    admin.post(f"/changes/{Revision.objects.latest('pk').pk}/publish/")
    publish_asked()
    deals.refresh_from_db()
    assert (deals.role, deals.reads) == ("other", {})


def test_what_a_name_means_now_is_told_apart_from_what_is_drafted_and_what_it_meant_before(
    admin: Client, deals: TouchpointType
) -> None:
    address = f"/catalogue/{deals.pk}/"
    assert "Nobody has mapped it yet." in meaning(admin, address)
    admin.post(f"{address}map/", {"role": "purchase", "amount": "worth"})
    drafted = meaning(admin, address)
    assert "meant before" not in drafted and "Nobody has mapped it yet." in drafted
    assert "Drafted: what it may mean" in drafted.partition("Other → Purchase")[0]
    admin.post(f"/changes/{Revision.objects.get().pk}/publish/")
    assert publish_asked() == 1
    now, before, past = meaning(admin, address).partition("What it meant before")
    assert before and "worth" in now and "now" in now and "Drafted" not in now
    assert "Other → Purchase" in past and "worth" not in past


def meaning(browser: Client, address: str) -> str:
    """What the page of a name says about its meaning, as text."""
    page = browser.get(address).content.decode()
    (card,) = re.findall(r'<section class="card" aria-labelledby="mapped-title">.*?</section>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", card).split())


def test_a_place_that_is_none_is_said_beside_its_field(admin: Client, deals: TouchpointType) -> None:
    answer = admin.post(f"/catalogue/{deals.pk}/map/", {"role": "purchase", "amount": "a..b"})
    assert answer.status_code == 422
    assert set(faults(answer)) == {"amount"}
    assert not Revision.objects.exists()


def test_only_admins_say_what_names_mean(browsers: dict[str, Client], deals: TouchpointType) -> None:
    for role in ("viewer", "agent", "marketer"):
        assert browsers[role].get(f"/catalogue/{deals.pk}/").status_code == 200
        assert browsers[role].get(f"/catalogue/{deals.pk}/map/").status_code == 403
        told = {"mappings": [{"name": "Deal Won", "role": "purchase"}]}
        assert client_of(role).post("/api/v1/catalogue/draft/", told, "application/json").status_code == 403
    told = {"mappings": [{"name": "Deal Won", "role": "purchase", "reads": {"amount": "worth"}}]}
    drafted = client_of("admin").post("/api/v1/catalogue/draft/", told, "application/json")
    assert drafted.status_code == 201
    change = drafted.json()["change"]
    assert browsers["marketer"].post(f"/changes/{change}/publish/").status_code == 403
    (mapping,) = client_of("viewer").get(f"/api/v1/changes/{change}/").json()["mapping"]
    assert (mapping["role"], mapping["role_before"], mapping["touchpoints"]) == ("purchase", "other", 2)


def test_the_catalogue_pages_by_keys_in_every_order(admin: Client) -> None:
    tell(*[happened("p", f"Made Up {number}", ago(days=number + 1)) for number in range(7)])
    fill()
    api = client_of("viewer")
    for sort in ("recent", "count", "name"):
        address, seen = f"/api/v1/catalogue/?mapped=waiting&sort={sort}&page_size=3", []
        while address:
            page = api.get(address).json()
            seen.append([row["name"] for row in page["results"]])
            address, back = page["next"], page["previous"]
        assert [len(part) for part in seen] == [3, 3, 1]
        assert len({name for part in seen for name in part}) == 7
        assert [row["name"] for row in api.get(back).json()["results"]] == seen[1]


def test_money_waits_until_a_file_of_rates_comes(admin: Client, forgetting: None) -> None:
    sender = Sender()
    at = (clock() - timedelta(days=5)).isoformat()
    properties = {"order_id": "1", "total": 20, "currency": "USD"}
    sender.batch(track("1", "Order Completed", properties=properties, timestamp=at))
    assert "1 touchpoint carries money" in admin.get("/metrics/").content.decode()
    page = admin.get("/rates/missing/")
    assert [(one.currency, one.touchpoints) for one in page.context["currencies"]] == [("USD", 1)]
    (row,) = admin.get("/rates/missing/touchpoints/?currency=USD").context["rows"]
    assert (row.original_amount, row.order_ref) == (Decimal(20), "1")
    assert admin.get("/rates/missing/touchpoints/?day=soon").status_code == 400
    checked = admin.post("/rates/upload/", {"text": "day,USD\n2020-01-01,0.5\n"})
    assert checked.context["counts"] == {"new": 1, "changes": 0, "same": 0, "faulty": 0}
    assert not ExchangeRate.objects.exists()
    entered = admin.post("/rates/upload/", {"text": "day,USD\n2020-01-01,0.5\n", "enter": "1"}, follow=True)
    assert said(entered) == ["1 rate is new, 0 were replaced."]
    job = Conversion.objects.get()
    assert "0 of 1" in admin.get(f"/rates/conversions/{job.pk}/").content.decode()
    assert convert_asked() == 1
    assert Touchpoint.objects.get().amount == 1_000
    assert "All money is counted" in admin.get("/rates/missing/").content.decode()
    assert client_of("viewer").get("/api/v1/exchange-rates/missing/").json()["results"] == []
    assert client_of("viewer").get("/api/v1/conversions/").json()["results"][0]["converted"] == 1


def test_an_account_tells_its_people_their_stages_and_what_they_did(admin: Client) -> None:
    tell(*[happened(f"p{number}", "Order Completed", ago(days=3 + number), amount=1_000) for number in range(3)])
    settle()
    fill()
    acme = Account.objects.create(key="acme", name="Acme", properties={"plan": "team"})
    Account.objects.create(key="zebra")
    for number in range(3):
        profile = Profile.objects.get(customer=customer_of(f"p{number}"))
        until = ago(days=1) if number == 2 else None
        Affiliation.objects.create(profile=profile, account=acme, from_at=ago(days=30 + number), until_at=until)
    rows = admin.get("/accounts/?sort=name").context["rows"]
    assert [(row.known_as, row.people, row.ever, row.orders, row.revenue) for row in rows] == [
        ("Acme", 2, 3, 2, 2_000),
        ("zebra", 0, 0, 0, 0),
    ]
    assert [row.known_as for row in admin.get("/accounts/?search=ACM").context["rows"]] == ["Acme"]
    found = client_of("viewer").get("/api/v1/accounts/?search=cme+ac").json()["results"]
    assert [(one["id"], one["name"]) for one in found] == [(str(acme.pk), "Acme")]
    assert client_of("viewer").get("/api/v1/accounts/?search=acme+zebra").json()["results"] == []
    told = admin.get(f"/accounts/{acme.pk}/").context
    assert [one.is_now for one in told["members"]] == [True, True, False]
    assert sum(one.customers for one in told["shares"]) == 2
    happenings = [one for day in told["timeline"].days for one in day.entries]
    assert [one.customer for one in happenings] == [customer_of("p0"), customer_of("p1")]
    assert admin.get("/accounts/999999/").status_code == 404


def test_who_may_not_say_what_a_name_means_is_told_who_does(
    admin: Client, marketer: Client, deals: TouchpointType
) -> None:
    for path in (f"/catalogue/{deals.pk}/", "/catalogue/"):
        assert "An admin says what" in marketer.get(path).content.decode(), path
        assert "An admin says what" not in admin.get(path).content.decode(), path
