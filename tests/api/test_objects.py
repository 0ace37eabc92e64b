"""Everything else that pages show can be read, and what may be changed is changed by the same acts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clm.lib.milliseconds import written
from customers.catalogue import channel_ids
from customers.ingest import clock
from customers.models import Account, Affiliation, Channel, Consent, Import, Merge, Profile, Reject, Source, Stale
from customers.review import Possible, propose
from lifecycle.erase import erase
from lifecycle.install import publish
from lifecycle.models import HotCustomer, Parked, Replay, Stage, Subject, Version
from lifecycle.revise import add_segment
from tests.factories import client_of, make_customer, make_spend, make_user
from tests.lifecycle.making import ago, happened, new_version, settle, source, tell


@pytest.fixture
def api(installed_once: None, db: None) -> Client:
    return client_of("admin")


def get(api: Client, address: str, code: int = 200) -> Any:
    return send(api, "GET", address, None, code)


def send(api: Client, method: str, address: str, told: Any, code: int) -> Any:
    answer = api.generic(method, f"/api/v1/{address}", json.dumps(told), "application/json")
    assert answer.status_code == code, answer.content
    return answer.json() if answer.content else None


# --- customers ------------------------------------------------------------------------------------------------
def test_two_customers_become_one_and_two_again(api: Client) -> None:
    first, second = make_customer(ago(days=300), ago(days=2)), make_customer(ago(days=400))
    made = send(api, "POST", "merges/", {"customers": [str(second), str(first)], "reason": "same person"}, 201)
    assert (made["survivor"], made["absorbed"], made["author"]) == (str(first), str(second), "")
    whole = get(api, f"customers/{second}/")
    assert (whole["id"], whole["merged_into"], whole["orders"]) == (str(first), str(first), 3)
    assert [one["id"] for one in get(api, f"merges/?customer={second}")["results"]] == [made["id"]]
    assert get(api, "merges/?is_undone=true")["results"] == []
    undone = send(api, "POST", f"merges/{made['id']}/undo/", None, 200)
    assert undone["undone_at"] is not None
    assert not Stale.objects.exists(), "both are brought up to date before the answer"
    alone = get(api, f"customers/{second}/")
    assert (alone["id"], alone["orders"], alone["stages"]["seven"]["stage"]) == (str(second), 1, "lapsed")
    assert "already undone" in send(api, "POST", f"merges/{made['id']}/undo/", None, 409)["detail"]


@pytest.mark.parametrize("customers", [["1"], ["x", "y"], ["987654", "987655"], [], "12"])
def test_a_merge_of_what_cannot_be_names_the_member(api: Client, customers: Any) -> None:
    told = send(api, "POST", "merges/", {"customers": customers}, 400)
    assert told["errors"][0]["field"].startswith("customers")


def test_a_customer_is_not_merged_with_itself_nor_twice(api: Client) -> None:
    first, second = str(make_customer()), str(make_customer())
    assert send(api, "POST", "merges/", {"customers": [first, first]}, 400)["errors"][0]["field"] == "customers"
    send(api, "POST", "merges/", {"customers": [first, second]}, 201)
    assert "already merged" in send(api, "POST", "merges/", {"customers": [first, second]}, 409)["detail"]
    assert Merge.objects.count() == 1


def test_a_merge_by_a_person_says_who_it_was(api: Client) -> None:
    browser = Client()
    browser.force_login(make_user("agent", "ada@example.org"))
    pair = [str(make_customer()), str(make_customer())]
    send(browser, "POST", "merges/", {"customers": pair}, 201)
    assert Merge.objects.get().author.email == "ada@example.org"


def test_whose_identity_it_is(api: Client) -> None:
    customer = make_customer(ago(days=3), email="anna@example.org")
    made = send(api, "POST", "customers/", {"email": "bert@example.org", "name": "Bert"}, 201)
    (found,) = get(api, "identities/?kind=email&value=bert@example.org")["results"]
    assert (found["customer"], found["kind"], found["value"]) == (made["id"], "email", "bert@example.org")
    assert get(api, "identities/?kind=email&value=nobody@example.org")["results"] == []
    (own,) = get(api, f"customers/{customer}/identities/")["results"]
    (profile,) = get(api, f"customers/{customer}/profiles/")["results"]
    assert own["profile"] == profile["id"]


def test_traits_are_told_step_by_step(api: Client) -> None:
    tell(happened("p", "Page Viewed", ago(days=9), traits={"plan": "free"}, id="1"))
    tell(happened("p", "Page Viewed", ago(days=2), traits={"plan": "pro", "seats": [1, None]}, id="2"))
    settle()
    customer = Profile.objects.get().customer_id
    steps = get(api, f"customers/{customer}/traits/?key=plan")["results"]
    assert [one["value"] for one in steps] == ["pro", "free"]
    assert [one["value"] for one in get(api, f"customers/{customer}/traits/?key=seats")["results"]] == [[1, None]]


def test_a_consent_is_stated_and_never_rewritten(api: Client) -> None:
    customer = make_customer()
    told = {"address": "anna@example.org", "channel": "Email", "purpose": "newsletter", "state": "granted"}
    send(api, "POST", f"customers/{customer}/consents/", {**told, "at": "2024-01-01"}, 201)
    send(api, "POST", f"customers/{customer}/consents/", {**told, "state": "withdrawn"}, 201)
    states = [one["state"] for one in get(api, f"customers/{customer}/consents/")["results"]]
    assert states == ["withdrawn", "granted"]
    assert len(get(api, f"customers/{customer}/consents/?state=granted&at_until=2024-01-02")["results"]) == 1
    assert Consent.objects.first().source == "test admin"


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"state": "perhaps"}, "state"),
        ({"address": " "}, "address"),
        ({"channel": "two words"}, "channel"),
        ({"at": "2100-01-01"}, "at"),
        ({"source": "me"}, "source"),
    ],
)
def test_a_consent_that_cannot_be_names_the_member(api: Client, told: dict[str, str], field: str) -> None:
    whole = {"address": "a@example.org", "channel": "email", "purpose": "newsletter", "state": "granted", **told}
    answer = send(api, "POST", f"customers/{make_customer()}/consents/", whole, 400)
    assert answer["errors"][0]["field"] == field


def test_accounts_and_who_belongs_to_them(api: Client) -> None:
    customer = make_customer(name="Anna")
    profile = Profile.objects.get(customer=customer)
    account = Account.objects.create(key="acme", name="Acme", properties={"size": 3})
    Affiliation.objects.create(profile=profile, account=account, from_at=ago(days=9))
    (listed,) = get(api, "accounts/?key=acme")["results"]
    assert get(api, f"accounts/{listed['id']}/") == listed
    (member,) = get(api, f"accounts/{account.pk}/members/")["results"]
    assert (member["customer"], member["name"], member["until"]) == (str(customer), "Anna", None)
    (belongs,) = get(api, f"customers/{customer}/affiliations/")["results"]
    assert (belongs["account"], belongs["account_key"], belongs["from"]) == (str(account.pk), "acme", member["from"])
    get(api, "accounts/987654/", 404)
    get(api, "accounts/987654/members/", 404)


def test_a_stage_set_by_hand_counts_until_it_is_taken_back(api: Client) -> None:
    customer = make_customer()
    told = {"model": "seven", "stage": "advocacy", "reason": "spoke at our fair", "until": "2150-01-01"}
    made = send(api, "POST", f"customers/{customer}/placements/", told, 201)
    assert get(api, f"customers/{customer}/")["stages"]["seven"]["stage"] == "advocacy"
    (placed,) = get(api, f"customers/{customer}/placements/")["results"]
    assert placed == made
    assert (placed["model"], placed["author"], placed["until"]) == ("seven", "", "2150-01-01T00:00:00.000Z")
    back = f"customers/{customer}/placements/{placed['id']}/withdraw/"
    assert send(api, "POST", back, None, 200)["withdrawn_at"] is not None
    assert get(api, f"customers/{customer}/")["stages"]["seven"]["stage"] == "awareness"
    send(api, "POST", back, None, 409)
    send(api, "POST", back.replace(f"customers/{customer}/", f"customers/{make_customer()}/"), None, 404)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"model": "eight"}, "model"),
        ({"stage": "happy"}, "stage"),
        ({"reason": " "}, "reason"),
        ({"from": "1980-01-01"}, "from"),
        ({"from": "2025-01-02", "until": "2025-01-01"}, "until"),
        ({"author": "me"}, "author"),
    ],
)
def test_a_placement_that_cannot_be_names_the_member(api: Client, told: dict[str, str], field: str) -> None:
    whole = {"model": "seven", "stage": "advocacy", "reason": "fair", **told}
    answer = send(api, "POST", f"customers/{make_customer()}/placements/", whole, 400)
    assert answer["errors"][0]["field"] == field


def test_customers_are_put_on_the_list_of_a_segment_and_taken_off(api: Client) -> None:
    visitor, buyer = make_customer(), make_customer(ago(days=3))
    members = "segments/active_customer/members/"

    def inside() -> set[str]:
        return {one["id"] for one in get(api, members)["results"]}

    assert inside() == {str(buyer)}
    assert send(api, "POST", members, {"add": [str(visitor)]}, 200) == {"added": 1, "removed": 0}
    assert inside() == {str(buyer), str(visitor)}
    assert send(api, "POST", members, {"add": [str(visitor)]}, 200) == {"added": 0, "removed": 0}
    assert send(api, "POST", members, {"add": [str(buyer)], "excluded": True}, 200)["added"] == 1
    assert inside() == {str(visitor)}
    assert send(api, "POST", members, {"remove": [str(visitor)]}, 200) == {"added": 0, "removed": 1}
    assert inside() == set()
    for told in ({"add": ["x"]}, {"add": ["987654"]}, {"remove": ["99999999999999999999"]}):
        assert send(api, "POST", members, told, 400)["errors"][0]["field"] in told
    one = str(visitor)
    assert send(api, "POST", members, {"add": [one], "remove": [one]}, 400)["errors"][0]["field"] == "remove"


# --- stages and segments --------------------------------------------------------------------------------------
def test_versions_say_their_rules(api: Client) -> None:
    (listed,) = get(api, "stage-models/seven/versions/")["results"]
    assert (listed["number"], listed["state"]) == (1, "live")
    version = get(api, "stage-models/seven/versions/1/")
    assert {one["key"]: one["sentence"] for one in version["stages"]}["lapsed"].endswith(".")
    assert version["roles"]["Order Completed"] == "purchase"
    assert {one["name"] for one in version["sub_rules"]} == {
        one["name"] for one in get(api, "stage-models/seven/")["sub_rules"]
    }
    get(api, "stage-models/seven/versions/2/", 404)
    get(api, "stage-models/seven/versions/99999999999/", 404)
    new_version("big", {"spent": {"role": "purchase"}, "at_least": "50.00"})
    rules = {one["key"]: one["rule"] for one in get(api, "segments/big/versions/1/")["stages"]}
    assert rules["in"] == {"spent": {"role": "purchase"}, "at_least": "50.00"}
    assert get(api, "segments/big/versions/?state=retired")["results"] == []
    publish(revision=add_segment(key="press", name="Press", rule=None).pk, now=clock())
    press = get(api, "segments/press/")
    assert (press["kind"], press["sentence"], press["rule"], press["customers"]) == ("list", "", None, 0)
    new_version("named", {"all": [{"segment": "press"}, {"stage": ["seven", "lapsed"]}, {"trait": "50%", "gte": 1}]})
    assert "“50%”" in get(api, "segments/named/")["sentence"]
    (alive,) = get(api, "sub-rules/?name=alive")["results"]
    assert alive["rule"]


def test_what_a_draft_says_is_not_taken_for_what_was_published(api: Client) -> None:
    live = Version.objects.get(subject__key="active_customer")
    draft = Version.objects.get(pk=live.pk)
    draft.pk, draft.number, draft.state, draft.published_at = None, 2, "draft", None
    draft.save()
    read = get(api, "segments/active_customer/versions/2/")
    assert (read["state"], read["published_at"], read["stages"][0]["key"]) == ("draft", None, "in")
    Version.objects.filter(pk=live.pk).update(state="retired", retired_at=clock())
    Version.objects.filter(pk=draft.pk).update(state="live", published_at=clock())
    Subject.objects.filter(key="active_customer").update(live_version=draft)
    assert get(api, "segments/active_customer/")["version"]["published_at"] is not None


def test_names_change_and_what_they_decide_does_not(api: Client) -> None:
    customer = make_customer(ago(days=300), ago(days=3))
    named = send(api, "PATCH", "stage-models/seven/", {"name": "Our  seven", "description": "as we see it"}, 200)
    assert (named["name"], named["description"]) == ("Our seven", "as we see it")
    send(api, "PATCH", "stage-models/seven/stages/retention/", {"name": "Regulars"}, 200)
    assert get(api, f"customers/{customer}/")["stages"]["seven"]["name"] == "Regulars"
    send(api, "PATCH", "segments/active_customer/", {"name": "Buyers"}, 200)
    names = Stage.objects.filter(subject__key="active_customer").order_by("key").values_list("name", flat=True)
    assert list(names) == ["Buyers", "Not in Buyers"]
    assert send(api, "PATCH", "stage-models/seven/", {"name": " "}, 400)["errors"][0]["field"] == "name"
    send(api, "PATCH", "stage-models/seven/stages/happy/", {"name": "x"}, 404)


def test_one_model_is_the_default(api: Client) -> None:
    send(api, "PATCH", "stage-models/five/", {"is_default": True}, 200)
    assert [one["key"] for one in get(api, "stage-models/")["results"] if one["is_default"]] == ["five"]
    assert "another one" in send(api, "PATCH", "stage-models/five/", {"is_default": False}, 409)["detail"]
    Subject.objects.filter(key="cycle").update(live_version=None)
    send(api, "PATCH", "stage-models/cycle/", {"is_default": True}, 409)


def test_the_trend_ends_with_the_counts_of_its_last_instant(api: Client) -> None:
    make_customer(ago(days=300), ago(days=3))
    trend = get(api, "stage-models/seven/trend/?weeks=3")
    assert len(trend["instants"]) == 3
    at_last = {one["key"]: one["customers"][-1] for one in trend["stages"]}
    assert (at_last["retention"], trend["stages"][0]["customers"][0]) == (1, 0)
    inside = {one["key"]: one["customers"] for one in get(api, "segments/active_customer/trend/?weeks=2")["stages"]}
    assert inside["in"][-1] == 1
    past = get(api, f"stage-models/seven/trend/?weeks=1&as_of={written(ago(days=250))}")
    assert {one["key"] for one in past["stages"] if one["customers"] == [1]} == {"acquisition"}


# --- what touchpoints come from, over and as ------------------------------------------------------------------
def test_sources_channels_and_types(api: Client) -> None:
    make_customer(ago(days=3))
    (shop,) = get(api, "sources/?key=shop")["results"]
    read = get(api, "sources/shop/")
    assert (read["id"], read["touchpoints"], read["lines_read"]) == (shop["id"], 1, None)
    assert [one["key"] for one in get(api, "channels/?key=web")["results"]] == ["web"]
    types = get(api, "touchpoint-types/?role=purchase")["results"]
    assert {"Order Completed", "Subscription Renewed"} <= {one["name"] for one in types}
    get(api, "sources/nothing/", 404)


def an_import(**more: Any) -> Import:
    return Import.objects.create(
        source=source(),
        file_name="orders.csv",
        file_sha256="0" * 64,
        file_bytes=10,
        mapping={"date": "day"},
        state="done",
        lines_read=5,
        lines_used=3,
        set_aside={"no_customer": {"lines": 2, "amount": 150, "ranges": [[2, 3]], "ranges_cut": True}},
        counts={"orders": 3},
        **more,
    )


def test_imports_account_for_every_line(api: Client) -> None:
    file = an_import()
    (listed,) = get(api, "imports/?source=shop&state=done")["results"]
    assert (listed["lines_read"], listed["lines_used"], listed["lines_set_aside"]) == (5, 3, 2)
    assert get(api, f"imports/{file.pk}/")["counts"]["orders"] == 3
    (aside,) = get(api, f"imports/{file.pk}/set-aside/")["results"]
    assert (aside["lines"], aside["amount"], aside["ranges"], aside["is_cut"]) == (2, "1.50", [[2, 3]], True)
    assert aside["sentence"] == "no customer is named"
    Reject.objects.create(source=file.source, from_import=file, line_number=4, reason="no day", raw=b"\xff,1")
    (reject,) = get(api, f"rejects/?from_import={file.pk}")["results"]
    assert (reject["line_number"], reject["raw"]) == (4, "\ufffd,1")
    assert get(api, "rejects/?source=nothing")["results"] == []


# --- the installation -----------------------------------------------------------------------------------------
def test_what_the_installation_counts_in_and_what_of_it_may_change(api: Client) -> None:
    make_customer(ago(days=3))
    changed = send(api, "PATCH", "installation/", {"name": "Shop", "margin_percent": "40", "news_hours": 12}, 200)
    assert (changed["name"], changed["margin_percent"], changed["news_hours"]) == ("Shop", "40.00", 12)
    assert get(api, "installation/") == changed
    assert send(api, "PATCH", "installation/", {"margin_percent": None}, 200)["margin_percent"] is None
    for field, value in (("lapse_days", 90), ("time_zone", "Europe/London"), ("currency", "GBP")):
        assert send(api, "PATCH", "installation/", {field: value}, 400)["errors"][0]["field"] == field


def test_a_parked_customer_is_tried_again(api: Client) -> None:
    customer = make_customer()
    Parked.objects.create(customer_id=customer, error="RuntimeError: x", parked_at=clock())
    HotCustomer.objects.create(customer_id=customer, touchpoints=30_000, not_before=clock())
    assert [one["customer"] for one in get(api, "parked/")["results"]] == [str(customer)]
    assert [one["touchpoints"] for one in get(api, "hot-customers/")["results"]] == [30_000]
    state = get(api, "system/")
    assert (state["parked"], state["hot"], state["customers"]) == (1, 1, 1)
    send(api, "POST", f"parked/{customer}/retry/", None, 204)
    send(api, "POST", f"parked/{customer}/retry/", None, 404)
    assert Stale.objects.count() == 1


def test_replays_say_how_far_they_are(api: Client) -> None:
    replay = Replay.objects.create()
    assert get(api, "replays/?is_finished=false")["results"][0]["id"] == str(replay.pk)
    read = get(api, f"replays/{replay.pk}/")
    assert (read["buckets"], read["buckets_done"], read["finished_at"]) == (0, 0, None)


# --- lists ----------------------------------------------------------------------------------------------------
LISTS: dict[str, Callable[[int], Any]] = {
    "channels/": lambda n: channel_ids([f"way-{n}"]),
    "sources/": lambda n: source(f"source-{n}"),
    "accounts/": lambda n: Account.objects.create(key=f"a{n}"),
    "spend/": lambda n: make_spend(f"2024-01-{n + 1:02}", 100),
    "imports/": lambda _n: an_import(author=make_user("admin")),
    "rejects/": lambda n: Reject.objects.create(source=source(f"s{n}"), reason="x", raw=b"x"),
    "users/": lambda _n: make_user("viewer"),
    "keys/": lambda _n: client_of("viewer"),
    "identities/": lambda _n: make_customer(),
    "segments/": lambda n: new_version(f"big-{n}", {"spent": {"role": "purchase"}, "at_least": f"{n + 1}.00"}),
    "customers/": lambda n: make_customer(name=f"Name {n}"),
    "parked/": lambda _n: Parked.objects.create(customer_id=make_customer(), error="x", parked_at=clock()),
    "replays/": lambda _n: Replay.objects.create(finished_at=clock()),
    "possible-merges/": lambda n: propose(
        pairs=[
            Possible(*(Profile.objects.get(customer=make_customer()).pk for _side in range(2)), "email", f"{n}@x.org")
        ],
        source=source().pk,
    ),
    "erasures/": lambda _n: erase(customer=make_customer(), now=clock(), author=make_user("admin").pk),
    "merges/": lambda _n: Merge.objects.create(
        survivor_id=make_customer(), absorbed_id=make_customer(), at=clock(), author=make_user("agent")
    ),
}


@pytest.mark.parametrize("address", LISTS)
def test_a_longer_list_costs_no_more_queries_and_counts_nothing(api: Client, address: str) -> None:
    def cost() -> list[str]:
        get(api, address)
        with CaptureQueriesContext(connection) as made:
            get(api, address)
        return [query["sql"] for query in made]

    LISTS[address](0)
    few = cost()
    for number in range(1, 8):
        LISTS[address](number)
    many = cost()
    assert len(many) == len(few) <= 13, "\n".join(many)
    assert not any(query.upper().startswith("SELECT COUNT(") for query in many)


def test_pages_lead_forth_and_back_in_either_order(api: Client) -> None:
    channel_ids([f"way-{n}" for n in range(7)])
    for address, order in (("channels/", "pk"), ("sources/", "-pk")):
        if address == "sources/":
            Source.objects.bulk_create(Source(key=f"s{n}", name="s") for n in range(7))
        rows = Channel.objects.order_by(order) if order == "pk" else Source.objects.order_by(order)
        wanted = [str(one.pk) for one in rows]
        pages, following = [], f"/api/v1/{address}?page_size=3"
        while following:
            pages.append(api.get(following).json())
            following = pages[-1]["next"]
        assert [row["id"] for page in pages for row in page["results"]] == wanted
        back = pages[-1]["previous"]
        for page in reversed(pages[:-1]):
            told = api.get(back).json()
            assert told["results"] == page["results"]
            back = told["previous"]
        assert back is None
        assert pages[0]["previous"] is None


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("channels/?page_size=0", "page_size"),
        ("channels/?page_size=500", "page_size"),
        ("channels/?cursor=x", "cursor"),
        ("channels/?key=", "key"),
        ("channels/?key=a&key=b", "key"),
        ("channels/?key=%00", "key"),
        ("channels/?limit=3", "limit"),
        ("merges/?customer=x", "customer"),
        ("merges/?customer=99999999999999999999", "customer"),
        ("spend/?day_from=20240101", "day_from"),
        ("spend/?day_from=2024-02-30", "day_from"),
        ("spend/?is_paid_media=1", "is_paid_media"),
        ("imports/?state=lost", "state"),
        ("imports/?created_from=yesterday", "created_from"),
        ("identities/?kind=" + "x" * 41, "kind"),
        ("identities/?value=x", "value"),
    ],
)
def test_a_filter_that_cannot_be_is_named(api: Client, address: str, field: str) -> None:
    assert get(api, address, 400)["errors"][0]["field"] == field
