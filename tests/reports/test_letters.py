"""What a letter says: the numbers of the pages, with what they mean, as text, as HTML, as pictures and as files."""

import csv
import io
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from analytics.days.fill import fill
from analytics.models import Mailing, Report
from analytics.reports.blocks import Page
from analytics.reports.letters import Letter
from analytics.reports.sending import write_next
from analytics.reports.views import VIEWS
from analytics.reports.writing import letter_of, pages_of
from analytics.scores import latest_scoring
from analytics.value.scoring import score_due
from clm.lib.questions import NotThereError
from customers.ingest import clock
from customers.models import Installation
from tests.pages.conftest import Shop, db, empty_installation, running_experiment, shop  # noqa: F401 (fixtures)

from .conftest import make_report

PNG = b"\x89PNG\r\n\x1a\n"


def of(view: str, question: str = "", **more: Any) -> Report:
    return make_report(pages=[{"view": view, "question": question}], **more)


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def question_of(view: str) -> str:
    """What a page cannot do without: which experiment it is about."""
    return f"experiment={running_experiment()}" if view == "experiment" else ""


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_every_page_can_be_told_of_a_shop(view: str, shop: Shop) -> None:  # noqa: F811
    report, now = of(view, question_of(view), with_csv=True, with_xlsx=True), clock()
    try:
        letter = letter_of(report=report, due_at=shop.now, now=now)
        with timezone.override(Installation.current().time_zone):
            (page,) = pages_of(report=report, due_at=shop.now, now=now)
    finally:
        report.delete()
    assert letter.subject.startswith("Figures · ")
    shown = unescape(letter.html)
    # Text and HTML say the same numbers: every cell of every table, every figure, every scope.
    for text in _texts(page):
        assert text in letter.text, text
        assert text in shown, text
    assert all(data.startswith(PNG) for _cid, data in letter.pictures)
    assert len(letter.pictures) == sum(block.chart is not None for block in page.blocks)
    for block in page.blocks:
        if block.chart is not None:
            assert f'alt="{block.chart.description}"' in shown
    # Styles are in the elements, since mail programs drop the head.
    assert 'class="sheet"' not in letter.html or 'style="' in letter.html
    assert "http://" not in letter.html.replace("http://www.w3.org", "")
    assert [name for name, _kind, _data in letter.files] == [f"{view}.csv", "report.xlsx"]
    again = Letter.unpacked(letter.packed())
    assert again == letter


def _texts(page: Page) -> list[str]:
    found = [value for _name, value in page.scope]
    for block in page.blocks:
        found += [block.title, *(tile.value for tile in block.tiles)]
        if block.table is not None:
            rows = block.table.rows[: block.table.shown]
            found += [cell.text for row in rows for cell in row if cell.text]
    found += [one.definition for one in page.definitions]
    return [*found, *page.sources]


def test_value_is_told_with_what_was_fitted_and_how_it_did(shop: Shop) -> None:  # noqa: F811
    fill()
    score_due(now=clock(), anew=latest_scoring() is None)
    browser = Client()
    browser.force_login(shop.people["viewer"])
    report = of("value", with_csv=True)
    try:
        letter = letter_of(report=report, due_at=shop.now, now=clock())
    finally:
        report.delete()
    assert "What customers are expected to bring" in letter.text
    assert "Frequency 5" in letter.text
    assert letter.files[0][2] == browser.get("/value.csv").content
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/value.xlsx").content))
    assert {"figures", "recency and frequency", "models"} <= set(book.sheetnames)


def test_the_mail_says_what_the_page_says(shop: Shop) -> None:  # noqa: F811
    browser = Client()
    browser.force_login(shop.people["viewer"])
    report = of("overview", "period=90d&segment=active_customer&compare=year")
    try:
        (page,) = pages_of(report=report, due_at=shop.now, now=clock())
    finally:
        report.delete()
    shown = browser.get("/?period=90d&segment=active_customer&compare=year").context
    told = dict(page.scope)
    assert told["Among"] == "Active customer"
    assert told["Compared with"] == "the same days a year before"
    stages = next(block for block in page.blocks if block.title == "Customers per stage").table
    assert stages is not None
    assert [(row[0].text, row[1].text) for row in stages.rows] == [
        (one.stage.name, f"{one.customers:,}") for one in shown["stages"]
    ]
    assert [tile.label for tile in page.blocks[0].tiles] == [str(tile.label) for tile in shown["tiles"]]
    # Its address shows the same days for ever.
    asked = parse_qs(urlsplit(page.address).query)
    assert "period" not in asked
    assert (asked["from"], asked["until"]) == ([str(shown["period"].start)], [str(shown["period"].until)])
    again = browser.get(page.address).context
    assert [one.customers for one in again["stages"]] == [one.customers for one in shown["stages"]]


def test_files_hold_what_the_files_of_the_page_hold(shop: Shop) -> None:  # noqa: F811
    browser = Client()
    browser.force_login(shop.people["viewer"])
    end = shop.now.date() - timedelta(days=5)
    question = f"from={end - timedelta(days=60)}&until={end}&as_of={end}"
    report = of("metrics", question, with_csv=True)
    try:
        letter = letter_of(report=report, due_at=shop.now, now=clock())
    finally:
        report.delete()
    ((name, _kind, data),) = letter.files
    assert name == "metrics.csv"
    assert data == browser.get(f"/metrics.csv?{question}").content


def test_a_workbook_holds_numbers_as_numbers_and_no_formula(shop: Shop) -> None:  # noqa: F811
    browser = Client()
    browser.force_login(shop.people["viewer"])
    answer = browser.get("/overview.xlsx?period=30d&segment=active_customer")
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = list(
        csv.DictReader(
            io.StringIO(browser.get("/overview.csv?period=30d&segment=active_customer").content.decode("utf-8-sig"))
        )
    )
    assert book.sheetnames[0] == "about"
    assert set(book.sheetnames[1:]) == {row["section"] for row in rows} - {"scope", "definitions"}
    about = {row[0].value: row[1].value for row in book["about"].iter_rows()}
    assert about["segment"] == "active_customer"
    assert about["crr: definition"].startswith("Of the customers active")
    stages = {row[0]: row[1] for row in book["stages"].iter_rows(min_row=2, values_only=True)}
    assert stages == {
        row["item"]: int(row["value"]) for row in rows if (row["section"], row["measure"]) == ("stages", "customers")
    }
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("path", ["/overview", "/metrics", "/movement", "/retention", "/spend"])
def test_every_page_of_figures_is_a_workbook_too(path: str, shop: Shop) -> None:  # noqa: F811
    browser = Client()
    browser.force_login(shop.people["viewer"])
    answer = browser.get(f"{path}.xlsx")
    assert answer.status_code == 200
    assert openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames[0] == "about"


def test_what_is_asked_and_not_there_any_more_is_told_and_nothing_is_sent(shop: Shop) -> None:  # noqa: F811
    report = of("overview", "segment=of_old")
    now = clock()
    made = Mailing.objects.create(report=report, due_at=now, try_at=now)
    try:
        with pytest.raises((NotThereError, ValueError)):
            letter_of(report=report, due_at=now, now=now)
        assert write_next(now=now)
        made.refresh_from_db()
        assert made.state == "failed"
        assert "of_old" in made.error
    finally:
        report.delete()


def test_a_letter_that_comes_late_says_so(shop: Shop) -> None:  # noqa: F811
    report = of("metrics")
    try:
        late = letter_of(report=report, due_at=shop.now - timedelta(days=3), now=clock(), missed=2)
        test = letter_of(report=report, due_at=clock(), now=clock(), is_test=True)
    finally:
        report.delete()
    assert "comes late" in late.text and "2 earlier ones" in late.text
    assert "comes late" in plain(late.html)
    assert test.subject.startswith("Test: ")
    assert "Nobody else received it" in test.text


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_a_link_names_an_instant_only_where_the_page_can_be_asked_about_one(view: str, shop: Shop) -> None:  # noqa: F811
    report = of(view, question_of(view))
    try:
        letter = letter_of(report=report, due_at=shop.now, now=clock())
        with timezone.override(Installation.current().time_zone):
            (page,) = pages_of(report=report, due_at=shop.now, now=clock())
    finally:
        report.delete()
    is_dated = "as_of" in parse_qs(urlsplit(page.address).query)
    assert is_dated == (view not in ("value", "acquisition", "spend", "experiment"))
    for said in (letter.text, unescape(letter.html)):
        assert ("shows the present when opened" in said) != is_dated
    browser = Client()
    browser.force_login(shop.people["admin"])
    answer = browser.get(page.address)
    assert answer.status_code == 200
    assert ("as_of" in answer.wsgi_request.parameters_taken) == is_dated  # type: ignore[attr-defined]


def test_names_from_outside_are_text_and_nothing_else(shop: Shop) -> None:  # noqa: F811
    report = of("metrics", name='<img src=x onerror="alert(1)"> & =cmd()')
    try:
        letter = letter_of(report=report, due_at=shop.now, now=clock())
    finally:
        report.delete()
    assert "<img src=x" not in letter.html
    assert '<img src=x onerror="alert(1)"> & =cmd()' in letter.text
