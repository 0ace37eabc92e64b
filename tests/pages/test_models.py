"""Stage models in the hands of admins: copied, ordered, renamed, ended; examples that guard them; rules they share."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from analytics.sorting import stage_model
from analytics.stages import stage_counts
from lifecycle.examples import add_example
from lifecycle.install import BrokenExamplesError, publish
from lifecycle.models import Example, Revision, Stage, StageModel, Version
from lifecycle.revise import copy_model, discard, edit_sub_rule
from tests.pages.conftest import MODES, Shop, faults, look, overflow

ODD = "100% “off” %s's 🙂 <b>"


@pytest.fixture(scope="module")
def admin(shop: Shop) -> Client:
    return shop.client("admin")


@pytest.fixture(scope="module")
def ours(shop: Shop) -> StageModel:
    """A copy of the default model, live."""
    publish(
        revision=copy_model(model=StageModel.objects.get(key="five").pk, key="ours", name="Ours").pk,
        now=timezone.now(),
    )
    return StageModel.objects.get(key="ours")


def said(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def drafted(act: Callable[[], Any]) -> Revision:
    """The revision that an act drafts; it must draft exactly one, and lead on."""
    before = set(Revision.objects.values_list("pk", flat=True))
    answer = act()
    assert answer.status_code == 302, said(answer)[-2000:]
    (made,) = set(Revision.objects.values_list("pk", flat=True)) - before
    assert answer["Location"] == f"/changes/{made}/"
    return Revision.objects.get(pk=made)


# --- models ---------------------------------------------------------------------------------------------------
def test_all_models_are_listed_with_their_stages(shop: Shop, ours: StageModel, admin: Client) -> None:
    page = admin.get("/models/")
    assert [one.key for one, *_more in page.context["rows"]] == ["seven", "five", "cycle", "ours"]
    assert "Gone quiet" in said(page)


def test_a_model_is_copied_and_begun_anew(shop: Shop, admin: Client) -> None:
    copy = drafted(lambda: admin.post("/models/new/", {"name": ODD, "key": "odd", "start": "seven"}))
    assert [version.subject.key for version in copy.versions.all()] == ["odd"]
    page = admin.get("/models/odd/")
    assert page.status_code == 200
    assert "100% “off”" in page.content.decode()
    fresh = drafted(lambda: admin.post("/models/new/", {"name": "Fresh", "key": "", "start": ""}))
    assert fresh.versions.get().document == {"stages": [{"key": "known", "rule": {"did": {}}}], "exit": "gone_quiet"}
    refused = admin.post("/models/new/", {"name": "", "key": "A B", "start": "nothing"})
    assert refused.status_code == 422
    assert set(refused.context["form"].errors) == {"name", "key", "start"}
    taken = admin.post("/models/new/", {"name": "A", "key": "seven", "start": ""})
    assert set(taken.context["form"].errors) == {"key"}
    assert admin.get("/models/five/copy/").context["form"].initial["start"] == "five"


def test_precedence_is_drafted_and_the_order_on_pages_holds_at_once(
    shop: Shop, ours: StageModel, admin: Client
) -> None:
    page = admin.get("/models/ours/order/")
    precedence = [item.key for item in page.context["precedence"]]
    position = [item.key for item in page.context["position"]]
    turned = [precedence[-1], *precedence[:-1]]
    revision = drafted(lambda: admin.post("/models/ours/order/", {"which": "precedence", "stage": turned}))
    document = revision.versions.get(subject=ours).document
    assert [stage["key"] for stage in document["stages"]] == list(reversed(turned))
    # The draft is where the next change goes on from.
    assert [item.key for item in admin.get("/models/ours/order/").context["precedence"]] == turned
    admin.post("/models/ours/order/", {"which": "position", "stage": list(reversed(position))})
    assert [item.key for item in admin.get("/models/ours/order/").context["position"]] == list(reversed(position))
    moved = admin.post("/models/ours/order/", {"which": "position", "stage": position, "move": f"down:{position[0]}"})
    assert [item.key for item in moved.context["position"]][:2] == [position[1], position[0]]
    for wrong in (precedence[1:], [*precedence, "nothing"], [precedence[0], *precedence]):
        assert admin.post("/models/ours/order/", {"which": "precedence", "stage": wrong}).status_code == 422
    admin.post("/models/ours/order/", {"which": "position", "stage": position})
    discard(revision=revision.pk)


def test_a_stage_is_renamed_at_once_and_retired_by_a_draft(shop: Shop, ours: StageModel, admin: Client) -> None:
    admin.post("/models/ours/stages/retention/edit/", {"name": ODD})
    assert Stage.objects.get(subject=ours, key="retention").name == ODD
    assert admin.post("/models/ours/stages/retention/edit/", {"name": " "}).status_code == 422
    assert "retention" in [row.stage.key for row in admin.get("/models/ours/").context["stages"]]
    revision = drafted(lambda: admin.post("/models/ours/stages/retention/retire/"))
    publish(revision=revision.pk, now=timezone.now())
    page = admin.get("/models/ours/")
    assert "retention" not in [row.stage.key for row in page.context["stages"]]
    assert page.context["customers"] == 120
    # What was known before is counted in the stages there were then.
    model = stage_model("ours")
    before = Version.objects.get(subject=ours, number=1).retired_at
    assert before is not None
    then = stage_counts(model=model, now=timezone.now(), known_at=before - timedelta(milliseconds=2))
    assert sum(one.customers for one in then.stages) == then.customers == 120
    assert next(one.customers for one in then.stages if one.stage.key == "retention") > 0
    # The version before still says what that stage meant.
    assert "100% “off”" in said(admin.get("/models/ours/versions/1/"))
    assert admin.get("/models/ours/stages/nothing/retire/").status_code == 404


def test_another_model_is_shown_first_and_the_first_one_is_not_retired(
    shop: Shop, ours: StageModel, admin: Client
) -> None:
    assert admin.post("/models/seven/retire/").status_code == 409
    assert admin.post("/models/ours/default/").status_code == 302
    assert admin.get("/models/").context["rows"][0][0].key == "ours"
    admin.post("/models/seven/default/")
    copy = drafted(lambda: admin.post("/models/new/", {"name": "Brief", "key": "brief", "start": "five"}))
    assert admin.post("/models/brief/default/").status_code == 302  # says that nothing of it is live
    assert admin.get("/models/").context["rows"][0][0].key == "seven"
    publish(revision=copy.pk, now=timezone.now())
    assert admin.post("/models/brief/retire/")["Location"] == "/models/"
    assert admin.get("/models/brief/").status_code == 404


def test_a_draft_that_nobody_published_changes_no_page(shop: Shop, admin: Client) -> None:
    before = said(admin.get("/models/cycle/"))
    assert "A change of this model is drafted" not in before
    shown = [row.stage.key for row in admin.get("/models/cycle/").context["stages"]]
    keys = [item.key for item in admin.get("/models/cycle/order/").context["precedence"]]
    drafted(lambda: admin.post("/models/cycle/order/", {"which": "precedence", "stage": [keys[-1], *keys[:-1]]}))
    assert [row.stage.key for row in admin.get("/models/cycle/").context["stages"]] == shown
    assert Version.objects.get(subject__key="cycle", state="live").number == 1


def test_named_rules_say_what_they_mean_and_what_uses_them(shop: Shop, admin: Client) -> None:
    rows = {row.name: row for row, _document in admin.get("/rules/").context["rows"]}
    assert {"seven", "five", "cycle"} <= {use.key for use in rows["alive"].uses}
    assert rows["alive"].sentence.endswith(".")
    publish(revision=edit_sub_rule(name=ODD, rule={"did": {"type": ODD}}).pk, now=timezone.now())
    page = admin.get("/rules/")
    assert "100% “off”" in page.content.decode()
    assert "Nothing uses it" in said(page)


# --- examples -------------------------------------------------------------------------------------------------
LINES = {"type": ["Signed Up", "Product Used", ""], "day_of": ["1", "2", ""], "amount": ["", "", ""]}


def test_a_made_up_example_is_kept_tried_and_guards_the_rules(shop: Shop, ours: StageModel, admin: Client) -> None:
    told = {"name": ODD, "who": "made_up", "stage": "consideration", "day": "3", **LINES}
    assert admin.post("/models/ours/examples/new/", told)["Location"] == "/models/ours/examples/"
    ((row, sentence, _url),) = admin.get("/models/ours/examples/").context["rows"]
    assert row.now.holds
    assert sentence == "A made-up customer must be in Consideration on day 3."
    assert [(one.type, one.day) for one in row.history] == [("Signed Up", 1), ("Product Used", 2)]
    wrong = {**told, "name": "Wrong", "stage": "lapsed"}
    admin.post("/models/ours/examples/new/", wrong)
    failing = admin.get("/models/ours/examples/").context["rows"][1][0]
    assert (failing.now.holds, failing.now.found) == (False, "Consideration")
    assert "Consideration" in failing.now.held
    page = said(admin.get("/models/ours/examples/"))
    assert "1 example does not hold" in page
    removed = admin.post(f"/models/ours/examples/{failing.id}/remove/")
    assert removed["Location"] == "/models/ours/examples/"
    assert Example.objects.get(pk=failing.id).retired_at is not None
    assert admin.post("/models/seven/examples/999/remove/").status_code == 404


def test_an_example_of_a_customer_is_on_a_day_or_a_date(shop: Shop, ours: StageModel, admin: Client) -> None:
    told = {
        "name": "The buyer",
        "who": "customer",
        "customer": "customer5@example.org",
        "stage": "-",
        "at": "1999-01-01",
    }
    assert admin.post("/models/seven/examples/new/", told).status_code == 302
    ((row, sentence, _url),) = admin.get("/models/seven/examples/").context["rows"]
    assert (row.now.holds, row.customer) == (True, shop.customer("1005").pk)
    assert sentence.startswith("Zoë O’Neill 5 must be in no stage on ")
    page = said(admin.get("/models/seven/examples/"))
    assert "holds" in page


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"name": "", "stage": "nothing", "day": "0"}, {"name", "stage", "day"}),
        ({"who": "customer", "customer": ""}, {"customer"}),
        ({"who": "customer", "customer": "nobody@example.org"}, {"customer"}),
        ({"day": "", "at": ""}, {"day"}),
        ({"day": "3", "at": "2026-01-01"}, {"day"}),
        ({"at": "soon", "day": ""}, {"at"}),
        ({"type": ["Signed Up"], "day_of": ["2"], "amount": [""]}, set()),
        ({"type": [""], "day_of": ["1"], "amount": ["3"]}, set()),
        ({"type": ["Order Completed"], "day_of": ["1"], "amount": ["lots"]}, set()),
        ({"type": [""], "day_of": [""], "amount": [""]}, set()),
    ],
)
def test_an_example_that_cannot_be_names_every_field_and_keeps_what_was_typed(
    wrong: dict[str, Any], fields: set[str], shop: Shop, admin: Client
) -> None:
    told = {"name": "Kept 100%", "who": "made_up", "stage": "lapsed", "day": "3", **LINES, **wrong}
    before = Example.objects.count()
    answer = admin.post("/models/five/examples/new/", told)
    assert answer.status_code == 422
    assert fields <= set(answer.context["form"].errors)
    assert wrong.get("name") == "" or "Kept 100%" in answer.content.decode()
    assert Example.objects.count() == before


def test_more_lines_are_given_without_losing_any(shop: Shop, admin: Client) -> None:
    answer = admin.post("/models/five/examples/new/", {"name": "", **LINES, "more": "1"})
    assert answer.status_code == 200
    assert [line[1] for line in answer.context["lines"]][:2] == ["Signed Up", "Product Used"]
    assert len(answer.context["lines"]) == 7
    assert not answer.context["form"].errors


# --- roles and pages ------------------------------------------------------------------------------------------
def test_only_admins_change_models(shop: Shop, ours: StageModel) -> None:
    for role in ("viewer", "agent", "marketer"):
        client = shop.client(role)
        page = client.get("/models/ours/")
        assert page.status_code == 200
        assert "/models/ours/edit/" not in page.content.decode()
        for path in ("order/", "edit/", "copy/", "retire/", "stages/lapsed/edit/", "examples/new/"):
            assert client.get(f"/models/ours/{path}").status_code == 403, (role, path)
        for path in ("default/", "versions/1/roll-back/", "stages/lapsed/retire/"):
            assert client.post(f"/models/ours/{path}").status_code == 403, (role, path)


@pytest.mark.parametrize(
    "path",
    [
        "/models/",
        "/models/new/",
        "/models/ours/",
        "/models/ours/order/",
        "/models/ours/edit/",
        "/models/ours/retire/",
        "/models/ours/stages/lapsed/edit/",
        "/models/ours/stages/lapsed/retire/",
        "/models/ours/versions/",
        "/models/ours/versions/1/",
        "/models/ours/examples/",
        "/models/ours/examples/new/",
        "/models/seven/examples/",
        "/rules/",
    ],
)
def test_pages_of_models_are_accessible_and_fit(
    path: str, shop: Shop, ours: StageModel, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    for theme, width in MODES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        assert look(page, f"{shop.url}{path}?still=1").status == 200
        assert faults(page) == [], (theme, width)
        assert not overflow(page), (theme, width)
    page.set_viewport_size({"width": 320, "height": 256})
    assert not overflow(page)


def test_stages_are_put_in_order_by_keyboard_alone(
    shop: Shop, ours: StageModel, sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    page.goto(f"{shop.url}/models/ours/order/")
    card = page.locator("section", has=page.get_by_role("heading", name="Order on pages"))
    names = card.locator("li b")
    first, second = names.nth(0).inner_text(), names.nth(1).inner_text()
    card.get_by_role("button", name=f"Move {first} down").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text(re.compile(f"{re.escape(first)} is now number 2"))
    card.get_by_role("button", name="Save the order on pages").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pages show the stages in this order from now on.")).to_be_visible()
    expect(names.nth(0)).to_have_text(second)
    page.goto(f"{shop.url}/models/ours/")
    expect(page.locator(".stage-row h2").first).to_have_text(second)


def test_an_example_is_kept_by_keyboard_alone(shop: Shop, ours: StageModel, sign_in: Callable[[str], Page]) -> None:
    page = sign_in("admin")
    page.goto(f"{shop.url}/models/cycle/examples/")
    page.get_by_role("link", name="New example").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").focus()
    page.keyboard.type("Buyers convert")
    page.get_by_label("Type 1", exact=True).focus()
    page.keyboard.type("Order Completed")
    page.keyboard.press("Tab")
    page.keyboard.type("1")
    page.keyboard.press("Tab")
    page.keyboard.type("20.00")
    page.get_by_label("Must be in").focus()
    page.keyboard.type("Conv")
    page.get_by_label("On day").focus()
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Examples that guard the rules")).to_contain_text("Buyers convert")
    expect(page.locator(".badge.good", has_text="holds")).to_be_visible()


def test_an_example_that_a_change_breaks_is_named_when_it_is_published(shop: Shop, admin: Client) -> None:
    model = StageModel.objects.get(key="five")
    history = {"touchpoints": [{"occurred_at": "2020-01-01T12:00:00Z", "type": "Order Completed"}]}
    add_example(subject=model.pk, name="Guard %s", stage="conversion", history=history, day=2)
    revision = drafted(lambda: admin.post("/models/five/stages/conversion/retire/"))
    row = admin.get("/models/five/examples/").context["rows"][-1][0]
    assert (row.now.holds, row.drafted.holds) == (True, False)
    with pytest.raises(BrokenExamplesError, match="Guard %s"):
        publish(revision=revision.pk, now=timezone.now())
