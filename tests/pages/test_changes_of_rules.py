"""Drafted changes of rules on pages: shown, published, refused, discarded and drafted back."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from lifecycle.models import Publication, StageModel, SubRule, Version
from lifecycle.previews import start_preview, work_on_previews
from lifecycle.publications import publish_asked
from lifecycle.revise import add_segment, edit_stage
from tests.pages.conftest import MODES, Shop, SignIn, faults, look, overflow

pytestmark = pytest.mark.usefixtures("nothing_left_drafted")


def test_what_publishing_asks_says_the_exact_numbers_as_soon_as_the_preview_does(
    shop: Shop, marketer: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.sample.SIZE", 30)
    monkeypatch.setattr("lifecycle.sample.sampled.__kwdefaults__", {"size": 30}, raising=False)
    drafted = add_segment(key="twice", name="Twice", rule={"did": {"role": "purchase"}, "at_least": 2})
    start_preview(revision=drafted.pk, author=shop.people["marketer"].pk, now=shop.now)
    look(marketer, f"{shop.url}/changes/{drafted.pk}/")
    asked = marketer.locator("#publish-what li").first
    assert re.search("“Twice”: about [0-9]+ enter", asked.text_content() or "")
    assert work_on_previews() >= 1
    expect(marketer.locator("#effect .badge.good")).to_have_text(re.compile("exact"))
    entering = marketer.locator(".figures dd").nth(2).inner_text().split()[0]
    marketer.get_by_role("button", name="Publish", exact=True).click()
    expect(marketer.get_by_role("dialog")).to_contain_text(f"“Twice”: {entering} enter")
    expect(marketer.get_by_role("dialog")).not_to_contain_text("about")
    assert faults(marketer) == []


def test_a_stage_and_a_named_rule_are_the_admins(shop: Shop) -> None:
    marketer, admin = shop.client("marketer"), shop.client("admin")
    rule = json.dumps({"did": {"role": "purchase"}, "within": "300d"})
    for path, more in (
        ("/models/seven/stages/retention/rule/", {}),
        ("/models/seven/stages/new/", {"name": "Great", "above": "retention"}),
        ("/rules/alive/edit/", {}),
        ("/rules/new/", {"name": "it's 100% new"}),
    ):
        assert marketer.get(path).status_code == 403
        assert admin.get(path).status_code == 200
        drafted = admin.post(path, {"rule": rule, "note": "try", **more})
        assert drafted.status_code == 302, (path, drafted.content.decode()[:3000])
        page = admin.get(drafted["Location"])
        assert page.status_code == 200
        assert "had a purchase in the last 300 days" in page.content.decode()
        assert marketer.post(f"{drafted['Location']}publish/").status_code == 403
        assert marketer.post(f"{drafted['Location']}discard/").status_code == 403
        assert admin.get(f"{drafted['Location']}publish/").status_code == 405
        assert admin.post(f"{drafted['Location']}discard/").status_code == 302
    assert admin.get("/rules/nobody's%20100%25/edit/").status_code == 404
    assert admin.get("/models/seven/stages/nobody/rule/").status_code == 404


def test_a_change_shows_its_matrix_and_who_moves_in_both_themes(shop: Shop, sign_in: SignIn) -> None:
    page = sign_in("admin")
    model = StageModel.objects.get(key="seven")
    revision = edit_stage(model=model.pk, stage="retention", rule={"did": {"role": "purchase"}, "at_least": 4})
    for theme, width in MODES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        look(page, f"{shop.url}/changes/{revision.pk}/?still=1")
        assert faults(page) == [], width
        assert not overflow(page), width
    page.set_viewport_size({"width": 1280, "height": 900})
    cell = page.locator(".matrix td a").first
    customers = cell.inner_text()
    cell.click()
    target = page.locator(".moves li:target")
    expect(target.locator("b")).to_have_text(customers)
    target.locator(".people a").first.click()
    expect(page).to_have_url(re.compile("/customers/[0-9]+/$"))
    look(page, f"{shop.url}/changes/?still=1")
    assert faults(page) == []
    page.get_by_role("link", name=re.compile("Seven stages")).first.click()
    expect(page).to_have_url(re.compile(f"/changes/{revision.pk}/$"))
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_text("The draft is gone; nothing was changed.")).to_be_visible()
    assert not Version.objects.filter(revision=revision.pk).exists()


def test_what_is_live_is_drafted_back(shop: Shop) -> None:
    admin = shop.client("admin")
    old = SubRule.objects.get(name="ended").document
    drafted = admin.post("/rules/ended/edit/", {"rule": json.dumps({"did": {"role": "cancel"}, "within": "9d"})})
    admin.post(f"{drafted['Location']}publish/")
    assert publish_asked() == 1
    assert SubRule.objects.get(name="ended").document != old
    assert b"live since" in admin.get(drafted["Location"]).content
    back = admin.post(f"{drafted['Location']}revert/")
    assert back.status_code == 302 and back["Location"] != drafted["Location"]
    admin.post(f"{back['Location']}publish/")
    assert publish_asked() == 1
    assert SubRule.objects.get(name="ended").document == old
    assert Publication.objects.exclude(finished_at=None).count() >= 2


def test_a_refused_publish_says_why_on_the_page_of_the_change(shop: Shop) -> None:
    marketer = shop.client("marketer")
    revision = add_segment(key="broken", name="Broken", rule={"did": {"role": "purchase"}})
    admin = shop.client("admin")
    drafted = admin.post("/rules/new/", {"name": "passing", "rule": '{"did": {}}'})
    admin.post(f"{drafted['Location']}publish/")
    publish_asked()
    assert marketer.post(f"/changes/{revision.pk}/publish/").status_code == 302
    page = marketer.get(f"/changes/{revision.pk}/")
    assert b"Going live" in page.content
    assert publish_asked() == 1
    assert b"Going live" not in marketer.get(f"/changes/{revision.pk}/").content
