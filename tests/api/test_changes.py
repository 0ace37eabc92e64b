"""Rules tried on everybody, changes previewed, published and dropped, over the API."""

from typing import Any

import pytest
from django.test import Client

from customers.ingest import clock
from customers.models import PropertyKey
from lifecycle.install import publish
from lifecycle.models import Preview, Publication, Revision, Segment, Stage, StageModel, Version
from lifecycle.previews import Counted, work_on_previews
from lifecycle.publications import publish_asked
from lifecycle.revise import add_segment, edit_segment, edit_stage
from lifecycle.what_if import Tally
from tests.factories import client_of, make_customer, make_user
from tests.lifecycle.making import ago, happened, settle, tell

pytestmark = pytest.mark.django_db
BOUGHT = {"did": {"role": "purchase"}, "within": "90d"}


@pytest.fixture
def api(installed_once: None) -> Client:
    for days in (10, 20, 200):
        make_customer(ago(days=days))
    return client_of("admin")


@pytest.fixture
def browser(api: Client) -> Client:
    client = Client()
    client.force_login(make_user("admin"))
    return client


def post(api: Client, address: str, body: Any) -> Any:
    return api.post(f"/api/v1/{address}", body, content_type="application/json")


def drafted() -> Revision:
    return add_segment(key="keen", name="Keen", rule=BOUGHT, note="try")


def test_a_rule_is_said_and_estimated(api: Client) -> None:
    answer = post(api, "rules/estimate/", {"rule": BOUGHT}).json()
    assert answer["sentence"] == "The customer has had a purchase in the last 90 days."
    assert (answer["customers"], answer["low"], answer["high"]) == (2, 2, 2)
    assert (answer["sampled"], answer["everybody"], answer["is_exact"]) == (3, 3, True)


def test_of_a_property_named_for_the_first_time_is_told_what_the_number_rests_on(api: Client) -> None:
    tell(happened("rated", "Product Reviewed", ago(days=1), properties={"stars": 5}))
    settle()
    rule = {"did": {"where": [{"property": "stars", "gte": 3}]}}
    told = post(api, "rules/estimate/", {"rule": rule}).json()
    assert (told["customers"], told["everybody"]) == (1, 4)
    assert told["filling"] == [{"property": "stars", "has_begun": False, "parts": 1, "done": 0}]
    assert told["note"].startswith("No rule has named “stars” so far")
    count = post(api, "rule-counts/", {"rule": rule}).json()
    assert count["note"] == "First the values of “stars” are filled in: 0 of 1 parts."
    revision = add_segment(key="stars", name="Stars", rule=rule)
    assert post(api, f"changes/{revision.pk}/preview/", {}).json()["note"] == count["note"]
    PropertyKey.objects.create(key="stars")
    effect = api.get(f"/api/v1/changes/{revision.pk}/preview/").json()["effect"]
    assert effect["filling"] == [{"property": "stars", "has_begun": True, "parts": 1, "done": 0}]
    assert effect["note"].startswith("The values of “stars” are being filled in, 0 of 1 parts so far")
    work_on_previews()
    assert post(api, "rules/estimate/", {"rule": rule}).json()["note"] == ""
    preview = api.get(f"/api/v1/changes/{revision.pk}/preview/").json()
    assert (preview["counting"]["note"], preview["effect"]["note"], preview["effect"]["filling"]) == ("", "", [])
    assert preview["effect"]["is_exact"]
    done = api.get(f"/api/v1/rule-counts/{count['id']}/").json()
    assert (done["note"], done["result"]["customers"]) == ("", 1)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"all": [{"did": {}}, {"did": {}, "within": "90"}]}, "$.rule.all[1].within"),
        ({"did": {"where": [{"property": "p", "gte": "x"}]}}, "$.rule.did.where[0].gte"),
        ({"did": {"where": [{"is": "x"}]}}, "$.rule.did.where[0]"),
        ({"segment": "nobody"}, "$.rule.segment"),
        ({"rule": '100% nobody\'s "rule"'}, "$.rule.rule"),
        ({"all": []}, "$.rule.all"),
        ({"not": 3}, "$.rule.not"),
        ({"any": [{"did": {}}] * 10_000}, "$.rule.any[40].did"),
        ("text", "$.rule"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(api: Client, rule: Any, path: str) -> None:
    for address in ("rules/estimate/", "rule-counts/"):
        answer = post(api, address, {"rule": rule})
        assert answer.status_code == 400, answer.content
        assert answer.json()["errors"][0]["field"] == path


def test_a_circle_is_told_at_the_segment_that_closes_it(api: Client) -> None:
    add_segment(key="keen", name="Keen", rule=BOUGHT)
    publish(revision=Revision.objects.get().pk, now=clock())
    asked = {"rule": {"not": {"segment": "keen"}}, "of": {"kind": "segment", "key": "keen"}}
    answer = post(api, "rules/estimate/", asked)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "$.rule.not.segment"
    assert post(api, "rules/estimate/", {"rule": asked["rule"]}).status_code == 200
    in_model = {"rule": {"stage": ["seven", "lapsed"]}, "of": {"kind": "model", "key": "seven"}}
    assert post(api, "rules/estimate/", in_model).json()["errors"][0]["field"] == "$.rule.stage"


@pytest.mark.parametrize(
    "body", [[], "x", {"rule": BOUGHT, "more": 1}, {"rule": BOUGHT, "of": {"kind": "x", "key": 1}}]
)
def test_a_body_that_is_none_is_refused(api: Client, body: Any) -> None:
    assert post(api, "rules/estimate/", body).status_code == 400


def test_an_exact_count_is_asked_for_done_and_read(api: Client) -> None:
    started = post(api, "rule-counts/", {"rule": BOUGHT})
    assert started.status_code == 201
    asked = started.json()
    assert (asked["state"], asked["done"], asked["result"]) == ("running", 0, None)
    work_on_previews()
    done = api.get(f"/api/v1/rule-counts/{asked['id']}/").json()
    assert done["state"] == "done"
    assert (done["result"]["customers"], done["result"]["everybody"], done["result"]["is_exact"]) == (2, 3, True)
    assert api.get("/api/v1/rule-counts/999999/").status_code == 404


def test_words_come_from_what_was_sent(api: Client) -> None:
    tell(
        happened("a", "Product Reviewed", ago(days=1), properties={"rating": 5, "100% odd's": True, "text": "fine"}),
        happened("b", "Product Reviewed", ago(days=2), properties={"rating": 4}, traits={"plan": "pro"}),
    )
    settle()

    def words(**asked: str) -> list[tuple[Any, str]]:
        return [(one["value"], one["kind"]) for one in api.get("/api/v1/rules/words/", asked).json()["results"]]

    assert ("rating", "number") in words(what="properties")
    assert words(what="properties", search="ODD's") == [("100% odd's", "boolean")]
    assert words(what="property_values", key="rating") == [(4, "number"), (5, "number")]
    assert words(what="property_values", key="100% odd's") == [(True, "boolean")]
    assert words(what="trait_values", key="plan", search="pr") == [("pro", "string")]
    assert api.get("/api/v1/rules/words/", {"what": "secrets"}).status_code == 400


def test_a_change_is_previewed_published_and_read(api: Client) -> None:
    revision = drafted()
    (listed,) = api.get("/api/v1/changes/").json()["results"]
    assert (listed["id"], listed["state"], listed["names"], listed["note"]) == (
        str(revision.pk),
        "draft",
        ["Keen"],
        "try",
    )
    told = api.get(f"/api/v1/changes/{revision.pk}/").json()
    assert told["versions"][0]["rules"][0]["after"] == "The customer has had a purchase in the last 90 days."
    preview = api.get(f"/api/v1/changes/{revision.pk}/preview/").json()
    assert preview["counting"] is None
    (subject,) = preview["effect"]["subjects"]
    assert (subject["key"], subject["moved"]["customers"]) == ("keen", 2)
    started = post(api, f"changes/{revision.pk}/preview/", {})
    assert (started.status_code, started.json()["state"]) == (202, "running")
    work_on_previews()
    exact = api.get(f"/api/v1/changes/{revision.pk}/preview/").json()
    assert (exact["counting"]["state"], exact["effect"]["is_exact"], exact["effect"]["touched"]) == ("done", True, 0)
    (move,) = exact["effect"]["subjects"][0]["moves"]
    assert (move["to"]["key"], move["customers"], len(move["examples"])) == ("in", 2, 2)
    asked = post(api, f"changes/{revision.pk}/publish/", {})
    assert (asked.status_code, asked.json()["state"]) == (202, "running")
    assert publish_asked() == 1
    told = api.get(f"/api/v1/changes/{revision.pk}/").json()
    assert (told["state"], told["publication"]["finished_at"] is not None) == ("live", True)
    assert post(api, f"changes/{revision.pk}/publish/", {}).status_code == 409
    assert api.delete(f"/api/v1/changes/{revision.pk}/").status_code == 409


def test_what_was_estimated_is_still_told_when_it_is_live(
    api: Client, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.sample.sampled.__kwdefaults__", {"size": 20})
    for number in range(60):
        make_customer(ago(days=5 + 3 * number))
    revision = drafted()
    page, preview = f"/changes/{revision.pk}/", f"/api/v1/changes/{revision.pk}/preview/"
    before = api.get(preview).json()["effect"]
    assert not before["is_exact"] and 0 < before["sampled"] < before["customers"] == 63
    assert "This was estimated when it was published" not in browser.get(page).content.decode()
    post(api, f"changes/{revision.pk}/publish/", {})
    assert publish_asked() == 1
    after = api.get(preview).json()["effect"]
    assert (after["is_exact"], after["sampled"], after["customers"]) == (False, before["sampled"], 63)
    (was,), (told,) = before["subjects"], after["subjects"]
    assert [told[key] for key in ("moved", "changed", "moves")] == [was[key] for key in ("moved", "changed", "moves")]
    shown = browser.get(page)
    assert "This was estimated when it was published" in shown.content.decode()
    assert "Estimated from" in shown.content.decode()
    assert not shown.context["can_count"]  # it is live: there is nothing left to count


def test_what_was_counted_for_everybody_is_told_instead_of_an_estimate(api: Client) -> None:
    revision = drafted()
    post(api, f"changes/{revision.pk}/preview/", {})
    work_on_previews()
    post(api, f"changes/{revision.pk}/publish/", {})
    assert Publication.objects.get().estimate is None
    assert publish_asked() == 1
    assert api.get(f"/api/v1/changes/{revision.pk}/preview/").json()["effect"]["is_exact"]


def test_what_went_live_without_any_estimate_says_so(api: Client, browser: Client) -> None:
    revision = drafted()
    publish(revision=revision.pk, now=clock())
    assert api.get(f"/api/v1/changes/{revision.pk}/preview/").json()["effect"] is None
    assert (
        "neither counted nor estimated before it went live" in browser.get(f"/changes/{revision.pk}/").content.decode()
    )


def test_the_rows_of_an_estimate_add_up(browser: Client) -> None:
    model = StageModel.objects.get(key="seven")
    revision = edit_stage(model=model.pk, stage="retention", rule=BOUGHT)
    one, other = list(Stage.objects.filter(subject=model.pk).order_by("pk").values_list("pk", flat=True)[:2])
    # 100 of 1,000 stand for 139.3 of 1,393 and one for 1.393; rounded together they would be 141.
    tally = Tally(cells={(one, one): 100, (one, other): 1, (0, other): 899})
    found = Counted(clock(), clock(), 1393, 1000, False, {model.pk: tally})
    publish(revision=revision.pk, now=clock())
    Publication.objects.create(revision=revision, asked_at=clock(), finished_at=clock(), estimate=found.written())
    (subject,) = browser.get(f"/changes/{revision.pk}/").context["effect"].subjects
    assert {row.total: [cell.customers for cell in row.cells if cell.customers] for row in subject.matrix.rows} == {
        140: [139, 1],
        1252: [1252],
    }


def test_a_change_is_dropped(api: Client) -> None:
    revision = drafted()
    assert api.delete(f"/api/v1/changes/{revision.pk}/").status_code == 204
    assert not Segment.objects.filter(key="keen").exists()
    assert api.get(f"/api/v1/changes/{revision.pk}/").status_code == 404


def test_marketers_publish_segments_and_admins_what_is_shared(api: Client) -> None:
    marketer = client_of("marketer")
    segment = drafted()
    shared = edit_stage(model=StageModel.objects.get(key="seven").pk, stage="retention", rule=BOUGHT)
    assert post(marketer, f"changes/{shared.pk}/publish/", {}).status_code == 403
    assert marketer.delete(f"/api/v1/changes/{shared.pk}/").status_code == 403
    assert post(marketer, f"changes/{segment.pk}/publish/", {}).status_code == 202
    assert post(client_of("agent"), f"changes/{segment.pk}/publish/", {}).status_code == 403
    assert Publication.objects.get().revision_id == segment.pk
    assert Preview.objects.count() == 0


def test_the_effect_names_retention_only_where_it_changes(api: Client) -> None:
    active = Segment.objects.get(key="active_customer")
    revision = edit_segment(segment=active.pk, rule={"did": {"role": "purchase"}, "within": "15d"})
    effect = api.get(f"/api/v1/changes/{revision.pk}/preview/").json()["effect"]
    # Thirty days ago only the one who bought 200 days ago was active; under the new rule nobody was.
    assert (effect["retention"]["crr_before"], effect["retention"]["churn_before"]) == (0.0, 1.0)
    assert (effect["retention"]["crr_after"], effect["retention"]["churn_after"]) == (None, None)
    (subject,) = effect["subjects"]
    assert subject["moved"]["customers"] == 1
    assert api.get(f"/api/v1/changes/{drafted().pk}/preview/").json()["effect"]["retention"] is None


def test_a_segment_is_previewed_before_it_is_drafted(api: Client) -> None:
    answer = post(api, "segments/preview/", {"rule": BOUGHT})
    assert (answer.status_code, answer.json()["customers"]) == (200, 2)
    assert post(api, "segments/preview/", {"rule": {}}).json()["errors"][0]["field"] == "$.rule"


def test_a_model_is_previewed_without_a_trace_and_its_draft_published(api: Client) -> None:
    model = StageModel.objects.get(key="seven")
    assert model.live_version is not None
    stages = list(model.live_version.document["stages"])
    before = Version.objects.count()
    fewer = [{"key": one["key"], "rule": BOUGHT if one["key"] == "retention" else one["rule"]} for one in stages]
    told = post(api, "stage-models/seven/preview/", {"stages": fewer}).json()
    assert (told["is_exact"], told["customers"], told["subjects"][0]["key"]) == (True, 3, "seven")
    assert told["subjects"][0]["moved"]["customers"] == 2
    assert (Version.objects.count(), Revision.objects.count()) == (before, 0)
    bad = [*fewer[:-1], {"key": fewer[-1]["key"], "rule": {"did": {}, "within": "9"}}]
    wrong = post(api, "stage-models/seven/preview/", {"stages": bad})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["field"] == f"$.stages[{len(bad) - 1}].rule.within"
    assert post(api, "stage-models/seven/publish/", {}).status_code == 409
    edit_stage(model=model.pk, stage="retention", rule=BOUGHT)
    assert post(api, "stage-models/seven/publish/", {}).status_code == 202
    assert publish_asked() == 1
    assert StageModel.objects.get(key="seven").live_version_id != model.live_version_id
    assert post(client_of("marketer"), "stage-models/seven/publish/", {}).status_code == 403
