"""Lists page by page: every row on exactly one page, in the same order both ways, whatever comes and goes meanwhile."""

import random
from datetime import date, timedelta

import pytest
from django.db.models import Value
from django.db.models.functions import Coalesce

from analytics.row_pages import RowPage, row_page
from campaigns.models import Campaign
from clm.lib.access.models import Role, User
from clm.lib.questions import QuestionError

pytestmark = pytest.mark.django_db
USERS = ("-is_active", "name", "email", "pk")


def make_users(count: int) -> None:
    chance = random.Random(3)
    for number in range(count):
        User.objects.create(
            email=f"u{chance.randint(0, 10**6)}-{number}@example.org",
            name=chance.choice(["", "Ada", "ada", "Åsa", "Bo 100%"]),
            role=Role.VIEWER,
            is_active=chance.random() < 0.7,
        )


def pages(cursor: str | None, *, back: bool = False) -> list[RowPage[User]]:
    """All pages from there on, one after the other."""
    found = [row_page(User.objects.all(), order=USERS, cursor=cursor, page_size=7)]
    while (beside := found[-1].previous_cursor if back else found[-1].next_cursor) is not None:
        found.append(row_page(User.objects.all(), order=USERS, cursor=beside, page_size=7))
    return found


@pytest.mark.parametrize("count", [0, 1, 7, 8, 40])
def test_every_row_is_on_one_page_and_the_way_back_is_the_same(count: int) -> None:
    make_users(count)
    there = pages(None)
    rows = [row.pk for page in there for row in page.rows]
    assert rows == list(User.objects.order_by(*USERS).values_list("pk", flat=True))
    assert there[0].previous_cursor is None and there[0].is_whole == (count <= 7)
    back = pages(there[-1].previous_cursor, back=True) if len(there) > 1 else []
    assert [[row.pk for row in page.rows] for page in reversed(back)] == [
        [row.pk for row in page.rows] for page in there[:-1]
    ]


def test_who_comes_and_goes_meanwhile_moves_nobody_to_another_page() -> None:
    make_users(20)
    first = pages(None)[0]
    ahead = pages(first.next_cursor)
    User.objects.filter(pk=first.rows[0].pk).delete()
    User.objects.create(email="0@example.org", name="", role=Role.VIEWER)
    assert [row.pk for page in pages(first.next_cursor) for row in page.rows] == [
        row.pk for page in ahead for row in page.rows
    ]


def test_a_page_that_begins_nowhere_is_refused() -> None:
    make_users(9)
    page = pages(None)[0]
    User.objects.filter(pk=page.rows[-1].pk).delete()
    for cursor in (page.next_cursor, "x", "bjox"):
        with pytest.raises(QuestionError) as refused:
            row_page(User.objects.all(), order=USERS, cursor=cursor)
        assert refused.value.field == "cursor"
    assert row_page(User.objects.all(), order=("-pk",), cursor=page.next_cursor).rows is not None


def test_campaigns_without_dates_come_first_and_are_paged_like_the_others() -> None:
    for number in range(9):
        begins = None if number < 3 else date(2026, 1, 1) + timedelta(days=number // 2)
        Campaign.objects.create(key=f"c{number}", name=f"C {number % 4}", starts_on=begins)
    found = Campaign.objects.annotate(begins=Coalesce("starts_on", Value(date.max)))
    keys, cursor = [], None
    while True:
        page = row_page(found, order=("-begins", "name", "pk"), cursor=cursor, page_size=2)
        keys += [row.key for row in page.rows]
        if (cursor := page.next_cursor) is None:
            break
    assert keys == list(Campaign.objects.order_by("-starts_on", "name", "pk").values_list("key", flat=True))
