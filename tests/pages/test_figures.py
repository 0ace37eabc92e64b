"""Pages of figures: one instant a page, what is seen as a file, and every number as long as the list that it opens."""

import csv
import datetime as dt
import html
import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from analytics.days.fill import fill
from analytics.models import Broken, Counting
from analytics.sorting import active_customers, stage_model
from tests.pages.conftest import Shop

from .test_addresses import main_of, shown


def own(shop: Shop, first: int, until: int) -> str:
    """A period of one's own, in days before today."""
    today = shop.now.date()
    return f"from={today - dt.timedelta(days=first)}&until={today - dt.timedelta(days=until)}"


def test_a_period_of_ones_own_shows_stocks_of_its_end(shop: Shop, viewer: Client) -> None:
    asked = own(shop, 200, 100)
    answer = viewer.get(f"/?{asked}")
    end = shop.now.date() - dt.timedelta(days=101)
    then = viewer.get(f"/?as_of={end}")
    stocks = {one.stage.key: one.customers for one in answer.context["stages"]}
    assert stocks == {one.stage.key: one.customers for one in then.context["stages"]}
    # The links of the stages lead to the people of that day, and there are as many.
    links = re.findall(r'class="bar-row[^"]*" href="([^"]+)"', main_of(answer))
    assert all(f"as_of={end}" in link for link in links)
    for link, one in zip(links, answer.context["stages"], strict=True):
        if one.customers:
            assert viewer.get(html.unescape(link)).context["matching"].number == one.customers
    # The chart of active customers ends with the period.
    series = answer.context["active"]
    assert series.labels[-1] == end
    assert series.labels[0] > end - dt.timedelta(days=100)
    assert series.lines[0].values[-1] == answer.context["tiles"][0].value


def test_short_periods_are_drawn_day_by_day_and_long_ones_week_by_week(shop: Shop, viewer: Client) -> None:
    month, year = (viewer.get(f"/?period={key}").context["active"] for key in ("30d", "365d"))
    assert (month.daily, len(month.labels)) == (True, 30)
    assert (year.daily, len(year.labels)) == (False, 53)


def files(viewer: Client, path: str) -> tuple[list[dict[str, str]], dict[str, Any]]:
    name, _mark, query = path.partition("?")
    text = viewer.get(f"{name}.csv?{query}")
    assert text.status_code == 200, path
    assert "attachment" in text["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"))))
    document = json.loads(viewer.get(f"{name}.json?{query}").content)
    return rows, document


def test_files_hold_exactly_what_is_seen(shop: Shop, viewer: Client) -> None:
    asked = own(shop, 200, 100)
    page = viewer.get(f"/?{asked}&lines=products&model=cycle")
    rows, document = files(viewer, f"/overview?{asked}&lines=products&model=cycle")
    told = {(row["section"], row["item"], row["measure"]): row["value"] for row in rows}
    assert told["scope", "model", ""] == "cycle"
    assert told["scope", "lines", ""] == "products"
    for one in page.context["stages"]:
        assert told["stages", one.stage.key, "customers"] == str(one.customers)
    tiles = {tile.key: tile for tile in page.context["tiles"]}
    assert told["figures", "active_customers", "value"] == str(tiles["active_customers"].value)
    assert float(told["figures", "revenue", "value"]) == tiles["revenue"].value / 100
    assert len(document["rows"]) == len([row for row in rows if row["section"] != "scope"])
    metrics, _document = files(viewer, f"/metrics?{asked}&basis=paid")
    named = {row["item"] for row in metrics if row["measure"] == "value"}
    assert named == {one.key for group in viewer.get("/metrics/").context["groups"] for one in group.metrics}
    assert {row["value"] for row in metrics if row["item"] == "basis"} == {"paid"}


def test_the_file_of_retention_tells_of_how_many_a_pooled_rate_is_and_how_sure_a_curve(
    shop: Shop, viewer: Client
) -> None:
    page = viewer.get("/retention/?by=purchase&show=count")
    rows, _document = files(viewer, "/retention?by=purchase&show=count")
    told = {(row["section"], row["item"], row["measure"]): row["value"] for row in rows}
    (*_cohorts, pooled) = page.context["heatmap"]["rows"]
    assert pooled["size"] and told["pooled size", "", "0"] == str(pooled["size"])
    for k, cell in enumerate(pooled["cells"]):
        size, customers = told["pooled size", "", str(k)], told["pooled customers", "", str(k)]
        assert cell["text"] in (f"{customers} of {size}", "n/a")
    (curve,) = page.context["curves"]
    marked = dict(zip(page.context["curve_marks"], curve["shares"], strict=True))
    assert any(marked.values())
    for mark, step in marked.items():
        for name, end in (("", "share"), (" low", "low"), (" high", "high")):
            key = ("still active after", "all", f"{mark}{name}")
            if step is not None:
                assert float(told[key]) == pytest.approx(100 * getattr(step, end), abs=1e-6), key
            else:
                assert told.get(key, "") == "", key


@pytest.mark.parametrize("path", ["/overview", "/metrics", "/movement", "/retention"])
def test_a_file_of_a_kind_that_there_is_not_is_not_there(path: str, shop: Shop, viewer: Client) -> None:
    assert viewer.get(f"{path}.exe").status_code == 404
    assert viewer.get(f"{path}.csv?as_of=2999-01-01").status_code == 400
    assert viewer.get(f"{path}.json").status_code == 200


def linked(answer: Any) -> list[tuple[str, int]]:
    """The links to lists of customers whose text is a number, with that number."""
    found = re.findall(r'<a href="(/customers/\?[^"]+)">[+−]?([0-9,]+)</a>', main_of(answer))
    return [(html.unescape(link), int(text.replace(",", ""))) for link, text in found]


@pytest.mark.parametrize(
    "path", ["/movement/?period=90d", "/movement/?model=cycle&{own}", "/retention/?show=count", "/metrics/?{own}"]
)
def test_every_number_opens_a_list_that_long(path: str, shop: Shop, viewer: Client) -> None:
    numbers = linked(viewer.get(path.format(own=own(shop, 120, 20))))
    assert len(numbers) > 10
    for link, number in numbers:
        answer = viewer.get(link)
        assert answer.status_code == 200
        assert answer.context["unknown"] == []
        assert answer.context["matching"].number == number, link


def test_broken_identities_stand_in_red_where_their_figures_are(shop: Shop, viewer: Client) -> None:
    fill()
    active, seven = active_customers(), stage_model("seven")
    assert active is not None
    found_at = shop.now
    rows = [
        Broken.objects.create(identity=name, version=version or 0, day=shop.now.date(), said="wrong", found_at=found_at)
        for name, version in (("of the active", active.version), ("of seven", seven.version))
    ]
    try:
        overview, metrics = shown(viewer.get("/")), shown(viewer.get("/metrics/"))
        cycle, moves = shown(viewer.get("/?model=cycle")), shown(viewer.get("/movement/"))
    finally:
        for row in rows:
            row.delete()
        Counting.objects.all().delete()
    assert "of the active" in overview and "of seven" in overview
    assert "of the active" in metrics and "of seven" not in metrics
    assert "of the active" in cycle and "of seven" not in cycle
    assert "of the active" in moves and "of seven" in moves
    assert "They contradict each other" in overview


def test_the_scope_goes_along_on_every_page(shop: Shop, viewer: Client) -> None:
    for name in ("overview", "metrics", "movement", "retention"):
        answer = viewer.get(f"{reverse(name)}?segment=active_customer")
        assert "among Active customer" in shown(answer), name
