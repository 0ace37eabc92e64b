"""The page of acquisition: numbers that open lists of as many, models that are switched, files and the API that say the
same."""

import csv
import datetime as dt
import io
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Page

from analytics.attribution.declared import MODELS
from analytics.days.fill import fill
from analytics.models import Counting
from campaigns.models import Spend
from campaigns.spending import enter_spend
from customers.events import Event
from tests.pages.conftest import Shop, counted, faults, look, overflow

YEAR = "period=365d"


@pytest.fixture(scope="module")
def won(shop: Shop) -> Shop:
    """The shop, with ads before half of the first orders, and what they cost."""
    events = []
    for n in range(60):
        first = 5 + (n * 37) % 330
        for number, way in enumerate(("search", "social", "web")[: 1 + n % 3]):
            at = shop.now - dt.timedelta(days=first + 4 - number)
            kind = "Page Viewed" if way == "web" else "Ad Clicked"
            events.append(
                Event(
                    message_id=f"touch-{n}-{number}",
                    identities=(("external_id", str(1000 + n)),),
                    type=kind,
                    channel=way,
                    occurred_at=at,
                )
            )
    shop.tell(events)
    for back in range(0, 360, 10):
        day = (shop.now - dt.timedelta(days=back)).date()
        enter_spend(channel="search", day=day, amount=Decimal(40), now=shop.now)
        enter_spend(channel="team", day=day, amount=Decimal(15), is_paid_media=False, now=shop.now)
    fill()
    return shop


@pytest.mark.parametrize(
    "asked",
    [
        *(f"attribution={model}" for model in sorted(MODELS)),
        "goal=every",
        "window=14&segment=active_customer&goal=every",
    ],
)
def test_every_number_of_customers_opens_a_list_of_as_many(won: Shop, viewer: Client, asked: str) -> None:
    page = viewer.get(f"/acquisition/?{YEAR}&{asked}").content.decode()
    links = re.findall(r'<a (?:class="tile-link" )?href="(/customers/\?group=[^"]+)">([\d,]+)<', page)
    assert len({address for address, _number in links}) > 12
    for address, number in set(links):
        assert counted(viewer.get(address.replace("&amp;", "&")).content.decode()) == int(number.replace(",", ""))


def test_a_list_says_what_its_customers_have_in_common(won: Shop, viewer: Client) -> None:
    said = viewer.get(f"/customers/?group=credited:linear:30:search&{YEAR}").content.decode()
    assert "with credit to search (Linear, 30 days) for their first order" in said
    assert viewer.get("/customers/?group=credited:linear:91:search").status_code == 400
    said = viewer.get(f"/customers/?group=orders:linear:14:search&{YEAR}").content.decode()
    assert "with credit to search (Linear, 14 days) for an order" in said


def test_switching_the_model_shows_the_difference(won: Shop, viewer: Client) -> None:
    answer = viewer.get(f"/acquisition/?{YEAR}&attribution=first")
    rows = {row["key"]: row["cells"] for row in answer.context["comparison"]}
    place = {key: number for number, key in enumerate(MODELS)}
    assert rows["search"][place["first"]]["is_chosen"]
    first, last = (rows["search"][place[key]]["customers"] for key in ("first", "last"))
    assert first == 60 and last == 20
    assert rows["search"][place["last"]]["difference"] == -40
    for key in MODELS:
        assert sum(cells[place[key]]["customers"] for cells in rows.values()) == pytest.approx(60)
    assert "credit, not causation" in answer.content.decode()


def test_the_file_and_the_api_say_the_same(won: Shop, viewer: Client) -> None:
    asked = f"{YEAR}&attribution=markov&window=90&lag=1"
    answer = viewer.get(f"/acquisition.csv?{asked}")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    told = {(row["section"], row["item"], row["measure"]): row["value"] for row in rows}
    said = viewer.get(f"/api/v1/acquisition/?{asked}").json()
    assert (said["attribution"], said["window"], said["lag"]) == ("markov", 90, 1)
    assert int(told["acquisition", "all", "new customers"]) == said["customers"]["number"] == 120
    assert float(told["acquisition", "all", "cac blended"]) == said["cac_blended"]["value"]
    for one in said["channels"]:
        key = one["channel"]
        assert float(told["channels", key, "credited customers"]) == one["credit"]["customers"]
        address = one["credit"]["behind"]["customers"]
        if address:
            found = viewer.get(f"{address}&page_size=200").json()["results"]
            assert len(found) == one["credit"]["behind"]["number"]
    whole = sum(one["credit"]["revenue"] for one in said["channels"]) + said["unallocated"]["revenue"]
    assert whole == pytest.approx(said["credit"]["revenue"], abs=0.001)
    for one in said["cohorts"]:
        if one["customers"]["customers"]:
            found = viewer.get(f"{one['customers']['customers']}&page_size=200").json()["results"]
            assert len(found) == one["customers"]["number"]
    assert viewer.get(f"/acquisition.json?{asked}").json()["scope"]["attribution"] == "markov"
    assert viewer.get("/acquisition.xml").status_code == 404


def test_the_file_and_the_api_say_the_same_of_every_order(won: Shop, viewer: Client) -> None:
    asked = f"{YEAR}&attribution=position&window=45&goal=every"
    rows = list(csv.DictReader(io.StringIO(viewer.get(f"/acquisition.csv?{asked}").content.decode("utf-8-sig"))))
    told = {(row["section"], row["item"], row["measure"]): row["value"] for row in rows}
    said = viewer.get(f"/api/v1/acquisition/?{asked}").json()
    assert (said["goal"], said["window"], told["scope", "goal", ""]) == ("every", 45, "every")
    every = said["every_order"]
    assert int(told["every order", "all", "orders"]) == every["orders"] > said["customers"]["number"]
    assert float(told["every order", "all", "revenue"]) == every["revenue"]
    cents = sum(round(100 * one["credit"]["revenue"]) for one in every["channels"])
    assert cents + round(100 * every["unallocated"]["revenue"]) == round(100 * every["revenue"])
    for one in every["channels"]:
        assert float(told["every order", one["channel"], "credited orders"]) == one["credit"]["orders"]
    shown = viewer.get(f"/acquisition/?{asked}").context["orders"]["found"]
    assert (shown.number, shown.customers) == (every["orders"], every["customers"]["number"])
    assert said["paid_channels"] == told["acquisition", "all", "counts as paid"].split(", ")
    assert viewer.get(f"/api/v1/acquisition/?{YEAR}").json()["every_order"] is None


def test_the_file_tells_every_sum_and_all_months_together_as_the_page_does(won: Shop, viewer: Client) -> None:
    asked = f"{YEAR}&attribution=linear&window=90"
    context = viewer.get(f"/acquisition/?{asked}").context
    rows = list(csv.DictReader(io.StringIO(viewer.get(f"/acquisition.csv?{asked}").content.decode("utf-8-sig"))))
    told = {(row["section"], row["measure"]): row["value"] for row in rows if row["section"] not in ("cohorts",)}
    found, digits = context["found"], context["found"].installation.minor_digits
    pooled = found.pooled

    def money(section: str, measure: str) -> float:
        return float(told[section, measure]) * 10**digits

    assert money("acquisition", "first orders") == pytest.approx(found.total.revenue, abs=0.5)
    assert int(told["months together", "customers"]) == pooled.customers > 0
    assert money("months together", "spend") == pytest.approx(pooled.spent.blended, abs=0.5)
    assert money("months together", "cac blended") == pytest.approx(float(pooled.blended.number), abs=0.5)
    assert money("months together", "brought so far") == pytest.approx(float(pooled.worth.number), abs=0.5)
    (tile,) = (one for one in context["tiles"] if one.key == "acquisition-ltv_to_cac")
    assert float(told["months together", "ltv so far : cac"]) == pytest.approx(tile.value)
    assert len(context["curve_rows"]) > 1
    for row in context["curve_rows"]:
        shown = money("payback of months together", str(row["month"]))
        assert shown == pytest.approx(float(row["reached"]), abs=0.5)
    shares = {row["item"]: row["value"] for row in rows if (row["section"], row["measure"]) == ("channels", "share")}
    for one in context["rows"]:
        assert float(shares[one["row"].key]) == pytest.approx(100 * one["share"])


def test_within_a_segment_only_what_rests_on_spend_is_missing(won: Shop, viewer: Client) -> None:
    said = viewer.get(f"/api/v1/acquisition/?{YEAR}&segment=active_customer").json()
    assert said["segment"] == "active_customer" and said["customers"]["number"] > 0
    assert said["spend"] == {"blended": None, "paid": None}
    assert "not recorded per customer" in said["cac_paid"]["note"]
    page = viewer.get(f"/acquisition/?{YEAR}&segment=active_customer").content.decode()
    assert "Spend is not recorded per customer" in page


def test_what_counts_as_paid_stands_beside_the_paid_cost(won: Shop, viewer: Client) -> None:
    page = viewer.get(f"/acquisition/?{YEAR}&attribution=first").content.decode()
    assert "Counts as paid: search." in page and "where nobody pays for a click" not in page
    made = enter_spend(channel="direct", day=won.now.date(), amount=Decimal(1), now=won.now)
    asked = f"{YEAR}&attribution=linear"
    answer, said = viewer.get(f"/acquisition/?{asked}"), viewer.get(f"/api/v1/acquisition/?{asked}").json()
    cells = viewer.get(f"/acquisition.csv?{asked}").content.decode()
    Spend.objects.filter(pk=made.pk).delete()
    assert "booked on direct, where nobody pays for a click" in answer.content.decode()
    assert said["paid_hints"] == [{"about": "unpaid_channels", "channels": ["direct"]}]
    assert "where nobody pays for a click" in cells


def test_the_month_in_which_records_begin_is_marked_and_left_out(won: Shop, viewer: Client) -> None:
    answer = viewer.get("/acquisition/?attribution=markov")
    page, pooled = answer.content.decode(), answer.context["found"].pooled
    early = [one["row"].start for one in answer.context["cohorts"] if one["is_early"]]
    assert pooled.begin is not None and early == [pooled.begin.replace(day=1)] and pooled.first > pooled.begin
    assert page.count("may have begun earlier than is recorded") == 2
    assert "whatever the period;" in page  # the tile names its months
    assert "the average of all credited customers" in page
    assert "the average of all credited customers" not in viewer.get("/acquisition/").content.decode()


def test_a_fault_says_what_was_replaced_and_names_no_period_it_is_not_about(won: Shop, viewer: Client) -> None:
    for address in ("/acquisition/?attribution=foo", "/retention/?by=segment:nonsense"):
        page = viewer.get(address).content.decode()
        assert "It shows" not in page and "What is named here is replaced" in page
    assert "It shows" in viewer.get("/acquisition/?from=soon").content.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attribution", "magic"),
        ("window", "91"),
        ("window", "0"),
        ("window", "1.5"),
        ("lag", "x"),
        ("goal", "all"),
        ("segment", "nobody"),
        ("from", "soon"),
    ],
)
def test_what_cannot_be_asked_is_said_and_the_rest_is_shown(won: Shop, viewer: Client, name: str, value: str) -> None:
    answer = viewer.get(f"/acquisition/?{name}={value}")
    assert answer.status_code == 400
    assert name in answer.context["errors"] and answer.context["found"].customers
    assert viewer.get(f"/api/v1/acquisition/?{name}={value}").status_code == 400
    assert viewer.get(f"/acquisition.csv?{name}={value}").status_code == 400


def test_days_of_ones_own_are_asked_by_a_field_that_keeps_the_rest(won: Shop, viewer: Client) -> None:
    text = viewer.get("/acquisition/?window=45&attribution=linear&goal=every").content.decode()
    form = text.split('id="own-window"')[1].split("</form>")[0]
    assert re.search(r'<input[^>]+type="number"[^>]+name="window" min="1" max="90" step="1" value="45"', form)
    kept = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', form))
    assert (kept["attribution"], kept["goal"], "window" in kept) == ("linear", "every", False)
    assert 'popovertarget="own-window" aria-current="true"' in text
    assert (
        'popovertarget="own-window" aria-current="true"' not in viewer.get("/acquisition/?window=30").content.decode()
    )


def test_it_costs_the_same_queries_whatever_the_period(won: Shop, viewer: Client) -> None:
    def cost(address: str) -> int:
        viewer.get(address)
        with CaptureQueriesContext(connection) as made:
            assert viewer.get(address).status_code == 200
        return len(made)

    costs = {cost(f"/acquisition/?{asked}") for asked in ("period=30d", YEAR, f"{YEAR}&attribution=shapley&window=90")}
    assert cost(f"/acquisition/?{YEAR}&window=45&goal=every") <= 30
    assert max(costs) <= 26 and len(costs) == 1, costs


@pytest.mark.parametrize("lag", ["0", "1"])
def test_a_number_of_spend_opens_entries_that_sum_to_it(lag: str, won: Shop, viewer: Client) -> None:
    context = viewer.get(f"/acquisition/?period=30d&lag={lag}").context
    links = {one["spend_url"]: one["row"].spent.blended for one in context["rows"] if one["row"].spent.entries}
    links[context["spend_url"]] = context["found"].spent.blended
    assert len(links) > 1
    for url, amount in links.items():
        assert viewer.get(url).context["total"].amount == amount, url


def test_without_spend_every_cost_says_why(won: Shop, viewer: Client) -> None:
    kept = list(Spend.objects.values())
    Spend.objects.all().delete()
    page = viewer.get(f"/acquisition/?{YEAR}").content.decode()
    Spend.objects.bulk_create(Spend(**row) for row in kept)
    assert "No spend is entered." in page and "No spend on media is entered." in page


def test_before_it_is_counted_the_page_says_so(won: Shop, viewer: Client) -> None:
    Counting.objects.filter(statistic="acquisition").update(state="started")
    assert "Being counted" in viewer.get("/acquisition/").content.decode()
    assert viewer.get("/api/v1/acquisition/").status_code == 404
    assert "not counted yet" in viewer.get("/acquisition.csv").content.decode()
    Counting.objects.filter(statistic="acquisition").update(state="done")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_is_accessible_and_fits(theme: str, width: int, won: Shop, agent: Page) -> None:
    agent.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    agent.set_viewport_size({"width": width, "height": 800})
    assert look(agent, f"{won.url}/acquisition/?{YEAR}&still=1").status == 200
    assert faults(agent) == []
    assert not overflow(agent)
    agent.screenshot(path=f"/tmp/acq_{theme}_{width}.png", full_page=True)


def test_the_payback_curve_turns_into_a_table(won: Shop, agent: Page) -> None:
    look(agent, f"{won.url}/acquisition/?{YEAR}&still=1")
    agent.get_by_role("button", name="View as table").click()
    assert agent.get_by_role("region", name="Payback as a table").is_visible()
