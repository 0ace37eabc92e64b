"""The pages of experiments: a draft from a form, its course, what it found, and the lists behind it."""

import csv
import io
import re
from html import unescape

import pytest
from django.http import QueryDict
from django.test import Client

from analytics.days.kept import Kept
from analytics.experiments.ending import count_experiments
from analytics.models import Counting
from analytics.reports.keeping import possible_page
from analytics.reports.tellings.experiment import experiment_told
from campaigns.experiments import create_experiment, work_on_experiments
from campaigns.models import Assignment, Experiment
from clm.lib.questions import NotThereError, QuestionError
from customers.ingest import clock
from customers.models import Profile
from tests.factories import make_customer, make_order
from tests.keeping.conftest import faults, said
from tests.lifecycle.making import ago, happened, tell

FORM = {
    "name": "A bow on the parcel",
    "variants": "control 3\nbow: 1\n",
    "conversion_days": "7",
    "revenue_days": "7",
    "goal": "seven:retention",
    "goal_days": "30",
    "mode": "fixed",
    "baseline": "60",
    "lift": "25",
}


def test_a_draft_is_planned_started_looked_at_and_ended(admin: Client) -> None:
    for _ in range(6):
        make_customer()
    answer = admin.post("/experiments/new/", FORM, follow=True)
    assert said(answer) == ["The draft is made. Nobody takes part before it is started."]
    one = Experiment.objects.get()
    assert (one.key, one.planned, one.state) == ("a-bow-on-the-parcel", 304, "draft")
    assert [(each.key, each.weight) for each in one.variants.all()] == [("control", 3), ("bow", 1)]
    assert one.metrics[2] == {"kind": "reached", "days": 30, "model": "seven", "stage": "retention"}
    address = f"/experiments/{one.key}/"
    assert "Nobody is assigned yet." in admin.get(address).content.decode()
    assert said(admin.post(f"{address}start/", follow=True)) == ["It is started. Customers are being assigned."]
    assert admin.post(f"{address}start/").status_code == 409
    assert admin.post(f"{address}remove/").status_code == 409
    assert work_on_experiments(seconds=60) == 6
    text = unescape(admin.get(address).content.decode())
    assert "No verdict yet" in text
    # Two of its metrics count everybody after a week, and still there is none.
    assert "each of its metrics has counted the planned number" in text
    assert "The longest waits 30 days from a customer's assignment." in text
    mail = experiment_told(QueryDict(f"experiment={one.key}"), now=clock()).blocks[0]
    assert mail.table is not None
    assert [row[2].text for row in mail.table.rows] == ["75.0%", "25.0%"]
    assert all(f">{share}</td>" in text for share in ("75.0%", "25.0%"))
    links = re.findall(r'href="(/customers/\?group=experiment[^"]+)"[^>]*>([0-9]+)</a>', text)
    assert sum(int(count) for _where, count in links) == 6
    for where, count in links:
        assert admin.get(unescape(where)).context["matching"].number == int(count)
    rows = list(csv.DictReader(io.StringIO(admin.get(f"{address}results.csv").content.decode("utf-8-sig"))))
    assert {"assigned", "sample ratio", "verdict"} <= {row["section"] for row in rows}
    assert "NaN" not in text
    assert admin.get(f"{address}results.xml").status_code == 404
    assert f'href="{address}results.xlsx"' in text
    assert admin.get(f"{address}results.xlsx").content.startswith(b"PK")
    assert said(admin.post(f"{address}stop/", follow=True)) == ["Nobody is assigned any more."]
    ending = admin.post(f"{address}end/", follow=True)
    assert said(ending) == ["It has ended. What it has found is being counted."]
    assert "0 of 3 metrics" in ending.content.decode()
    assert admin.post(f"{address}end/").status_code == 409
    job = admin.get(f"{address}counting/")
    assert "0 of 3 metrics" in job.content.decode()
    rows = list(csv.DictReader(io.StringIO(admin.get(f"{address}results.csv").content.decode("utf-8-sig"))))
    assert ("verdict", "counting") in {(row["section"], row["value"]) for row in rows}
    assert "assigned" not in {row["section"] for row in rows}
    assert count_experiments(seconds=60) == 1
    assert admin.get(f"{address}counting/").headers["HX-Refresh"] == "true"
    text = admin.get(address).content.decode()
    assert "it says the same" in text
    assert "Who was given what" in text
    assert "A bow on the parcel" in admin.get("/experiments/").content.decode()


def test_on_a_telephone_every_value_of_a_result_stands_under_its_own_label(admin: Client) -> None:
    make_customer()
    admin.post("/experiments/new/", FORM)
    address = f"/experiments/{Experiment.objects.get().key}/"
    admin.post(f"{address}start/")
    assert work_on_experiments(seconds=60) == 1
    text = admin.get(address).content.decode()
    tables = re.findall(r'<table class="table cards">.*?</table>', text, re.DOTALL)
    assert len(tables) == text.count("<table") == 7  # who was given what, and two for each metric
    for table in tables:
        _first, *names = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', table)
        for row in re.findall(r"<tr><th scope=\"row\".*?</tr>", table):
            assert re.findall(r'<td[^>]* data-label="([^"]*)"', row) == names


def test_a_start_names_how_many_are_assigned_and_is_offered_once(admin: Client) -> None:
    for _ in range(6):
        make_customer()
    admin.post("/experiments/new/", FORM)
    one = Experiment.objects.get()
    address = f"/experiments/{one.key}/start/"
    text = admin.get(address).content.decode()
    assert "6 customers will be assigned; you planned 304." in text
    assert "fewer than planned" in text
    Experiment.objects.update(planned=6)
    text = admin.get(address).content.decode()
    assert "6 customers will be assigned; you planned 6." in text
    assert "fewer than planned" not in text
    admin.post(address)
    assert work_on_experiments(seconds=60) == 6
    text = admin.get(address).content.decode()
    assert "This experiment has been started already." in text
    assert "will be assigned" not in text
    assert 'class="button primary"' not in text


def test_the_page_never_asks_from_before_everybody_was_assigned(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        make_customer()
    admin.post("/experiments/new/", FORM)
    address = f"/experiments/{Experiment.objects.get().key}/"
    # As where figures are kept per day: pages ask as of an instant that is remembered for minutes.
    then = clock()
    counted = Kept("UTC", {("sales", 0): Counting(known_at=then)}, generation="one")
    monkeypatch.setattr("analytics.experiments.ahead.kept", lambda: counted)
    monkeypatch.setattr("analytics.experiments.ahead.remembered_now", lambda **_told: then)
    assert "Nobody is assigned yet." in admin.get(address).content.decode()
    admin.post(f"{address}start/")
    assert "being assigned; look again" in admin.get(address).content.decode()
    assert work_on_experiments(seconds=60) == 6
    answer = admin.get(address)
    assert answer.context["found"].total == 6
    for where, count in re.findall(r'href="(/customers/\?group=[^"]+)"[^>]*>([0-9]+)</a>', answer.content.decode()):
        assert admin.get(unescape(where)).context["matching"].number == int(count)
    file = admin.get(f"{address}results.csv").content.decode("utf-8-sig")
    assert sum(int(row["value"]) for row in csv.DictReader(io.StringIO(file)) if row["section"] == "assigned") == 6


def test_one_that_ended_early_says_that_no_verdict_was_reached(admin: Client) -> None:
    for _ in range(6):
        make_customer()
    admin.post("/experiments/new/", FORM)
    address = f"/experiments/{Experiment.objects.get().key}/"
    admin.post(f"{address}start/")
    assert work_on_experiments(seconds=60) == 6
    assert "left out so far" in admin.get(address).content.decode()
    admin.post(f"{address}end/")
    assert count_experiments(seconds=60) == 1
    text = admin.get(address).content.decode()
    assert "the verdict was not reached" in text
    assert "ended before their days were over" in text
    assert "No verdict yet" not in text
    assert "so far" not in text


def test_one_that_has_ended_tells_what_it_told_and_what_a_recount_says(admin: Client) -> None:
    tell(*(happened(f"p{number}", "Page Viewed", ago(days=30)) for number in range(8)))
    admin.post("/experiments/new/", {**FORM, "goal": "", "planned": "8"})
    one = Experiment.objects.get()
    address = f"/experiments/{one.key}/"
    admin.post(f"{address}start/")
    control, bow = one.variants.all()
    of = list(Profile.objects.order_by("pk").values_list("pk", "customer"))
    Assignment.objects.bulk_create(
        Assignment(experiment=one, variant=(control, bow)[place % 2], profile_id=profile, unit=unit, at=ago(days=10))
        for place, (profile, unit) in enumerate(of)
    )
    tell(make_order("p0", ago(days=9), 1_000))
    admin.post(f"{address}end/")
    assert count_experiments(seconds=60) == 1
    text = admin.get(address).content.decode()
    assert "as told when it ended" in text
    assert re.search("Counted anew, .*, it says the same", text)
    tell(make_order("p2", ago(days=9), 1_000), make_order("p4", ago(days=8), 1_000))
    answer = admin.get(address)
    text = answer.content.decode()
    assert "Counted anew today it says something else." in text
    assert "it says the same" not in text
    assert "2 touchpoints that happened before the end became known after it." in text
    conversion = answer.context["metrics"][0]
    assert [one["converted"] for one in conversion["told"]["variants"]] == [1, 0]
    assert [one["converted"] for one in conversion["today"]["variants"]] == [3, 0]
    (compared,) = conversion["today"]["compared"]
    assert compared["difference"] == "−75.0 pp"  # nobody of bow, three of four of the control
    assert re.fullmatch(r"−[0-9.]+ pp to −?[0-9.]+ pp", compared["between"])
    assert compared["lift"] == "−100.0%"
    links = re.findall(r'href="(/customers/\?group=experiment[^"]+)"[^>]*>([0-9]+)</a>', text)
    assert "3" in {count for _where, count in links}
    for where, count in links:
        assert admin.get(unescape(where)).context["matching"].number == int(count)
    letter = experiment_told(QueryDict(f"experiment={one.key}"), now=clock())
    assert letter.address == address
    assert "2 touchpoints that happened before the end became known after it." in letter.warnings[0]
    told, anew = (
        next(block for block in letter.blocks if block.title == title)
        for title in ("Ordered within 7 days", "Ordered within 7 days, counted anew")
    )
    assert [[row[2].text for row in block.table.rows] for block in (told, anew) if block.table] == [
        ["1", "0"],
        ["3", "0"],
    ]
    rows = list(csv.DictReader(io.StringIO(admin.get(f"{address}results.csv").content.decode("utf-8-sig"))))
    assert [[cell.section, cell.item] for cell in letter.cells] == [[row["section"], row["item"]] for row in rows]
    measured = {row["section"]: row["value"] for row in rows if (row["item"], row["measure"]) == ("control", "did it")}
    assert measured["ordered within 7 days"] == "1"
    assert measured["counted anew: ordered within 7 days"] == "3"
    units = {(row["item"], row["measure"]): row["unit"] for row in rows if row["section"] == "ordered within 7 days"}
    assert units["bow", "difference value"] == "percentage points"
    assert (units["bow", "lift value"], units["bow", "mean value"]) == ("percent", "percent")
    assert {row["item"]: row["value"] for row in rows if row["section"] == "became known later"}["late"] == "2"


def test_what_an_experiment_finds_is_saved_as_a_report(admin: Client) -> None:
    admin.post("/experiments/new/", FORM)
    (where,) = re.findall(
        r'href="(/reports/new/[^"]+)"', admin.get("/experiments/a-bow-on-the-parcel/").content.decode()
    )
    page = admin.get(unescape(where))
    assert page.status_code == 200
    assert 'href="/experiments/a-bow-on-the-parcel/"' in page.content.decode()
    assert "A bow on the parcel" in page.content.decode()
    with pytest.raises(QuestionError):
        possible_page("experiment", "", now=clock())
    with pytest.raises(NotThereError):
        possible_page("experiment", "experiment=card", now=clock())


def test_a_draft_is_changed_by_the_form_that_made_it(admin: Client) -> None:
    admin.post("/experiments/new/", {**FORM, "mode": "peek_safe", "tau": "7", "tau_money": "2.5"})
    address = "/experiments/a-bow-on-the-parcel/"
    assert f'href="{address}edit/"' in admin.get(address).content.decode()
    form = admin.get(f"{address}edit/").context["form"]
    typed = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    assert (typed["variants"], typed["goal"], typed["tau"]) == ("control 3\nbow 1", "seven:retention", 7.0)
    sent = {name: value for name, value in typed.items() if value is not None}
    asked = Experiment.objects.values("key", "salt", "metrics", "mode", "planned", "name").get()
    assert said(admin.post(f"{address}edit/", sent, follow=True)) == ["The draft is changed."]
    assert Experiment.objects.values("key", "salt", "metrics", "mode", "planned", "name").get() == asked
    admin.post(f"{address}edit/", {**sent, "name": "A card", "planned": "500", "goal": "", "variants": "a 1\nb 1"})
    one = Experiment.objects.get()
    assert (one.key, one.name, one.planned, len(one.metrics)) == ("a-bow-on-the-parcel", "A card", 500, 2)
    assert [each.key for each in one.variants.all()] == ["a", "b"]
    refused = admin.post(f"{address}edit/", {**sent, "name": "", "variants": "a"})
    assert refused.status_code == 422
    assert {"name"} <= set(faults(refused))


def test_what_was_started_is_not_changed_on_its_page_and_says_why(admin: Client) -> None:
    admin.post("/experiments/new/", FORM)
    address = "/experiments/a-bow-on-the-parcel/"
    admin.post(f"{address}start/")
    assert f"{address}edit/" not in admin.get(address).content.decode()
    text = admin.get(f"{address}edit/").content.decode()
    assert "It has been started, so what it asks stays as it is." in text
    assert 'name="planned"' not in text
    answer = admin.post(f"{address}edit/", {**FORM, "planned": "500"})
    assert answer.status_code == 409
    assert "It has been started" in answer.content.decode()
    assert Experiment.objects.get().planned == 304


def test_a_draft_that_asks_more_than_the_form_can_say_keeps_what_it_measures(admin: Client) -> None:
    metrics = [{"kind": "conversion", "days": 7}, {"kind": "conversion", "days": 30}]
    variants = [("control", 1), ("bow", 1)]
    create_experiment(key="two", name="Two horizons", variants=variants, metrics=metrics, planned=100)
    text = admin.get("/experiments/two/edit/").content.decode()
    assert "ordered within 7 days; ordered within 30 days" in text
    assert 'name="conversion_days"' not in text
    admin.post("/experiments/two/edit/", {"name": "Two", "variants": "control 1\nbow 1", "planned": "200"})
    one = Experiment.objects.get()
    assert (one.name, one.planned, one.metrics) == ("Two", 200, metrics)


def test_a_draft_is_removed(admin: Client) -> None:
    admin.post("/experiments/new/", FORM, follow=True)
    assert said(admin.post("/experiments/a-bow-on-the-parcel/remove/", follow=True)) == ["The draft is removed."]
    assert not Experiment.objects.exists()
    assert admin.get("/experiments/a-bow-on-the-parcel/").status_code == 404


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": ""}, "name"),
        ({"variants": "control"}, "variants"),
        ({"variants": "control half\nbow"}, "variants"),
        ({"conversion_days": "", "revenue_days": "", "goal": ""}, "conversion_days"),
        ({"goal_days": ""}, "goal_days"),
        ({"lift": ""}, "planned"),
        ({"lift": "70"}, "baseline"),
        ({"mode": "peek_safe"}, "tau"),
        ({"mode": "peek_safe", "tau": "1"}, "tau_money"),
        ({"mode": "peek_safe", "tau": "101", "tau_money": "1"}, "tau"),
        ({"mode": "peek_safe", "tau": "1", "tau_money": "0"}, "tau_money"),
        ({"key": "new"}, "key"),
    ],
)
def test_what_makes_no_draft_is_said_beside_its_field(more: dict[str, str], field: str, admin: Client) -> None:
    answer = admin.post("/experiments/new/", {**FORM, **more})
    assert answer.status_code == 422
    assert field in faults(answer)


def test_a_number_that_cannot_be_is_told_with_its_limit_and_beside_every_other_fault(admin: Client) -> None:
    more = {"name": "", "planned": "99999999999999999999", "conversion_days": "0", "revenue_days": "366"}
    told = faults(admin.post("/experiments/new/", {**FORM, **more}))
    assert told == {
        "name": "An experiment needs a name.",
        "planned": "This must be at most 1000000000.",
        "conversion_days": "This must be at least 1.",
        "revenue_days": "This must be at most 365.",
    }


def test_a_key_that_is_taken_leads_to_who_has_it(admin: Client) -> None:
    admin.post("/experiments/new/", FORM)
    answer = admin.post("/experiments/new/", FORM)
    assert 'href="/experiments/a-bow-on-the-parcel/"' in answer.content.decode()


def test_a_peek_safe_draft_keeps_its_tau(admin: Client) -> None:
    admin.post("/experiments/new/", {**FORM, "mode": "peek_safe", "tau": "1", "tau_money": "2.5"})
    assert [one["tau"] for one in Experiment.objects.get().metrics] == [0.01, 2.5, 0.01]


def test_only_marketers_and_admins_make_experiments(browsers: dict[str, Client]) -> None:
    assert browsers["agent"].get("/experiments/").status_code == 200
    assert browsers["agent"].get("/experiments/new/").status_code == 403
