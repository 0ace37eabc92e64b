"""The page of value: what is expected, by whom it is said, and lists that hold whom the numbers count."""

import re
from fractions import Fraction

import pytest
from django.db import transaction
from django.test import Client
from playwright.sync_api import Page

from analytics.days.fill import fill
from analytics.models import SalesDay, Score, Scoring
from analytics.pages.value import shown, worth_steps
from analytics.pages.value_cells import value_cells
from analytics.scores import latest_scoring
from analytics.value.scoring import score_due
from clm.lib.templatetags.numbers import quantity_text
from customers.ingest import clock
from customers.models import Installation
from tests.pages.conftest import Shop, counted, faults, look, overflow


@pytest.fixture
def scored(shop: Shop) -> Shop:
    """The shop, scored by what it holds now."""
    fill()
    score_due(now=clock(), anew=latest_scoring() is None)
    return shop


def test_every_number_of_the_page_opens_a_list_of_as_many(scored: Shop, viewer: Client) -> None:
    page = viewer.get("/value/").content.decode()
    links = re.findall(r'<a href="(/customers/\?group=score:[^"]+)">([\d,]+)</a>', page)
    assert len(links) > 10
    for address, number in links:
        assert counted(viewer.get(address).content.decode()) == int(number.replace(",", "")), address


def test_a_list_of_a_class_says_what_its_customers_have_in_common(scored: Shop, viewer: Client) -> None:
    said = viewer.get("/customers/?group=score:recency:5").content.decode()
    assert "with recency 5" in said
    assert viewer.get("/customers/?group=score:nothing:5").status_code == 400


def test_a_customers_page_tells_what_is_expected_and_by_what(scored: Shop, viewer: Client) -> None:
    customer = scored.customer("1005").pk
    said = viewer.get(f"/customers/{customer}/").content.decode()
    score = Score.objects.get(scoring=latest_scoring().pk, customer=customer)
    told = re.search(r"<dt>Customer still</dt><dd[^>]*>([^<]+)</dd>", said)
    assert told is not None
    assert told[1] == ("n/a" if score.alive is None else f"{100 * score.alive:.1f}%")
    assert "By MBG/NBD, fitted to 120 customers" in said
    assert "Revenue within 12 months" in said
    Installation.objects.update(margin_percent=50)
    assert "Margin within 12 months" in viewer.get(f"/customers/{customer}/").content.decode()
    Installation.objects.update(margin_percent=None)


def test_a_past_before_anything_was_scored_expects_nothing(scored: Shop, viewer: Client) -> None:
    customer = scored.customer("1005").pk
    earliest = min(Scoring.objects.values_list("as_of", flat=True))
    then = viewer.get(f"/customers/{customer}/?as_of={earliest.replace(year=earliest.year - 1)}")
    assert then.context["score"] is None


def test_the_page_says_why_money_or_risk_is_not_told(scored: Shop, viewer: Client) -> None:
    page = viewer.get("/value/")
    assert page.context["risk"]["refused"] or page.context["risk"]["bands"]
    for fit in page.context["fits"]:
        assert str(fit["said"]) in page.content.decode()


def test_the_api_says_the_same(scored: Shop, viewer: Client) -> None:
    said = viewer.get("/api/v1/value/").json()
    assert said["customers"] == 120
    assert [one["months"] for one in said["expected"]] == [12, 24, 36]
    for step in said["steps"]:
        if step["customers"]:
            rows = viewer.get(step["customers"] + "&page_size=200").json()["results"]
            assert len(rows) == step["count"], step
    customer = scored.customer("1005").pk
    (latest, *_earlier) = viewer.get(f"/api/v1/customers/{customer}/scores/").json()["results"]
    assert latest["as_of"] == said["as_of"]
    assert latest["model"] == "MBG/NBD"


def test_the_file_tells_the_ends_of_every_class_and_tenth(scored: Shop, viewer: Client) -> None:
    scoring = latest_scoring()
    assert scoring is not None
    scoring.document["steps"]["worth"] = [12_346, 23_456]  # of a shop that sells enough to tell what is to come
    steps = worth_steps(scoring.document, {1: 3, 2: 4, 3: 5}, Fraction(50))
    page = viewer.get("/value/")
    cells = value_cells(scoring, {**shown(scoring), "worth_steps": steps})
    told = {(cell.section, cell.item, cell.measure): cell.value for cell in cells}
    installation = Installation.current()
    ends = [[told.get(("expected value", one.label, end)) for end in ("above", "up to")] for one in steps]
    assert ends == [[117.28, None], [61.73, 117.28], [None, 61.73]]  # in margin
    assert [one.label for one in steps] == ["above £117.28", "£61.73 to £117.28", "up to £61.73"]
    for step in page.context["alive"]:
        low, high = (told["customers still", step.label, end] for end in ("above", "up to"))
        assert step.label == f"{low:.0f}–{high:.0f} %"
    for one in page.context["classes"]:
        unit = {"recency": "days", "monetary": "money"}.get(one["key"], "count")
        for row in one["rows"]:
            for measure in ("above", "up to"):
                end = told.get(("classes", f"{one['key']} {row['number']}", measure))
                assert (measure in row["label"]) == (end is not None), row
                if end is not None:
                    number = float(end) * (100 if unit == "money" else 1)
                    assert quantity_text(number, unit, installation) in row["label"]


def test_before_the_first_scoring_the_page_says_so(shop: Shop, viewer: Client) -> None:
    Score.objects.all().delete()
    Scoring.objects.all().delete()
    assert "Soon to be computed" in viewer.get("/value/").content.decode()
    assert viewer.get("/api/v1/value/").status_code == 404


def test_where_nothing_was_ordered_the_page_says_how_orders_come_in(shop: Shop, viewer: Client) -> None:
    with transaction.atomic():
        Score.objects.all().delete()
        Scoring.objects.all().delete()
        SalesDay.objects.all().delete()
        said = viewer.get("/value/").content.decode()
        transaction.set_rollback(True)
    assert "Nothing to expect yet" in said
    assert "manage.py" not in said


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_is_accessible_and_fits(theme: str, width: int, scored: Shop, agent: Page) -> None:
    agent.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    agent.set_viewport_size({"width": width, "height": 800})
    for path in ("/value/?still=1", f"/customers/{scored.customer('1005').pk}/?still=1"):
        assert look(agent, scored.url + path).status == 200
        assert faults(agent) == []
        assert not overflow(agent)


def test_the_tracking_plot_turns_into_a_table(scored: Shop, agent: Page) -> None:
    look(agent, f"{scored.url}/value/?still=1")
    agent.get_by_role("button", name="View as table").click()
    assert agent.get_by_role("region", name="Repeat orders as a table").is_visible()


def test_on_a_narrow_screen_tables_scroll_before_words_break(scored: Shop, agent: Page) -> None:
    agent.set_viewport_size({"width": 390, "height": 800})
    look(agent, f"{scored.url}/value/")
    widths = agent.evaluate(
        "[...document.querySelectorAll('.scroller > .table:not(.cards) > tbody > tr > :is(th:first-child, .said)')]"
        ".filter(one => one.checkVisibility()).map(one => one.offsetWidth)"
    )
    assert len(widths) > 10 and min(widths) >= 130
    assert not overflow(agent)
