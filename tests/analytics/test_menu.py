"""The menu: what somebody may open, in groups, and where they are now."""

import pytest
from django.urls import get_resolver

from analytics.pages.menu import GROUPS, Group, menu
from analytics.pages.places import PAGES
from clm.lib.access.models import User
from tests.factories import make_user

pytestmark = pytest.mark.django_db

# Reached from other pages of the menu, or from one's own.
ELSEWHERE = {"account", "experience_answers", "support_tickets", "sub_rules"}


def titles(groups: list[Group]) -> list[str]:
    return [str(link.place.title) for group in groups for link in group.links]


def shown(who: User, here: str = "", *, builds_pages: bool = False) -> list[Group]:
    return menu(who=who, here=here, builds_pages=builds_pages)


def test_every_page_that_the_search_finds_is_in_the_menu_once() -> None:
    entries = [entry.name for _key, _title, _opens, entries in GROUPS for entry in entries]
    assert sorted(entries) == sorted({name for name, *_rest in PAGES} - ELSEWHERE)


def test_everybody_sees_what_they_may_open_and_no_group_is_empty() -> None:
    viewer, marketer, admin = (shown(make_user(role)) for role in ("viewer", "marketer", "admin"))
    assert "Customers" in titles(viewer)
    assert not {"Imports", "Duplicates", "Users", "Sources"} & set(titles(viewer))
    assert {"Imports", "Exports", "Reports", "Duplicates"} <= set(titles(marketer))
    assert {"Users", "Sources", "Erasures"} <= set(titles(admin)) - set(titles(marketer))
    assert set(titles(viewer)) < set(titles(marketer)) < set(titles(admin))
    assert [group.key for group in viewer] == ["first", "stages", "analysis", "marketing", "data", "last"]
    assert all(group.links for group in (*viewer, *marketer, *admin))


def test_the_style_guide_is_offered_to_those_who_build_pages() -> None:
    viewer = make_user("viewer")
    assert "Style guide" not in titles(shown(viewer))
    assert "Style guide" in titles(shown(viewer, builds_pages=True))


@pytest.mark.parametrize(
    ("here", "title", "group"),
    [
        ("overview", "Overview", "first"),
        ("customer_merge", "Customers", "first"),
        ("account_one", "Accounts", "first"),
        ("segment_list_add", "Segments", "stages"),
        ("lists_add", "Segments", "stages"),
        ("sub_rule_new", "Stage models", "stages"),
        ("experience_answers", "Experience", "analysis"),
        ("support", "Support", "analysis"),
        ("support_tickets", "Support", "analysis"),
        ("support_file", "Support", "analysis"),
        ("import_new", "Imports", "data"),
        ("review_pair", "Duplicates", "data"),
        ("rates_missing", "Exchange rates", "data"),
        ("system_import", "System", "administration"),
    ],
)
def test_the_page_that_is_shown_is_marked_and_its_group_open(here: str, title: str, group: str) -> None:
    groups = shown(make_user("admin"), here)
    marked = [(str(link.place.title), one.key) for one in groups for link in one.links if link.is_here]
    assert marked == [(title, group)]
    assert {one.key for one in groups if not one.is_open} == {"data", "administration"} - {group}


def test_no_page_lies_behind_two_entries() -> None:
    entries = [entry for _key, _title, _opens, entries in GROUPS for entry in entries]
    for name in [str(name) for name in get_resolver().reverse_dict if isinstance(name, str)]:
        assert sum(entry.holds(name) for entry in entries) <= 1, name
    assert not any(entry.holds(name) for entry in entries for name in ("", "account", "account_key_new", "search"))
