"""The list of customers: who matches, page by page in both directions, at any instant, and who is about to fall."""

from datetime import timedelta

import pytest

from analytics.customer_list import Asked, Falls, Size, customers, everybody, falling, matching
from analytics.customer_record import customer_head, profiles_of
from analytics.days.listed import keep_listed
from analytics.scope import Scope
from analytics.sorting import segment, stage_model, stage_models
from clm.lib.periods import days
from clm.lib.questions import QuestionError
from customers.events import Event
from customers.ingest import clock, ingest
from customers.merge import merge
from customers.models import Cause, Customer, Source
from lifecycle.models import HotCustomer
from tests.factories import day, make_customer, make_model, make_order, make_transition
from tests.lifecycle.making import ago, customer_of, installed, settle, tell

pytestmark = pytest.mark.django_db


def ids(asked: Asked, *, size: int = 50, model: str | None = None) -> list[int]:
    """Everybody who matches, by following the pages."""
    found, cursor = [], None
    while True:
        page = customers(asked=asked, models=[stage_model(model)], now=clock(), cursor=cursor, page_size=size)
        found += [row.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            assert Size(len(found), True) == matching(asked=asked, now=clock())
            return found


def test_pages_follow_one_another_in_both_directions() -> None:
    installed()
    made = [make_customer() for _ in range(7)][::-1]
    assert ids(Asked(), size=3) == made
    assert ids(Asked(), size=7) == made
    first = customers(asked=Asked(), models=[], now=clock(), page_size=3)
    assert first.previous_cursor is None
    second = customers(asked=Asked(), models=[], now=clock(), page_size=3, cursor=first.next_cursor)
    third = customers(asked=Asked(), models=[], now=clock(), page_size=3, cursor=second.next_cursor)
    assert ([row.id for row in third.rows], third.next_cursor) == (made[6:], None)
    back = customers(asked=Asked(), models=[], now=clock(), page_size=3, cursor=third.previous_cursor)
    assert back == second
    top = customers(asked=Asked(), models=[], now=clock(), page_size=3, cursor=back.previous_cursor)
    assert (top.rows, top.previous_cursor, top.next_cursor) == (first.rows, None, first.next_cursor)
    assert [page.start for page in (first, second, third, back, top)] == [1, 4, 7, 4, 1]


def test_a_list_is_counted_no_further_than_anybody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    installed()
    for _ in range(5):
        make_customer(name="Anna")
    monkeypatch.setattr("analytics.customer_list.COUNTED", 4)
    assert matching(asked=Asked(search="anna"), now=clock()) == Size(4, False)
    assert not everybody().is_exact
    monkeypatch.setattr("analytics.customer_list.COUNTED", 5)
    assert matching(asked=Asked(search="anna"), now=clock()) == Size(5, True)


def test_a_customer_who_comes_between_two_pages_shifts_nothing() -> None:
    installed()
    made = [make_customer() for _ in range(4)][::-1]
    first = customers(asked=Asked(), models=[], now=clock(), page_size=2)
    make_customer()
    second = customers(asked=Asked(), models=[], now=clock(), page_size=2, cursor=first.next_cursor)
    assert [row.id for row in second.rows] == made[2:]


def test_whoever_has_no_name_is_called_by_the_identity_met_first_as_it_was_told() -> None:
    installed()
    source = Source.objects.create(key="till", name="Till", kind="file")
    events = [
        Event(
            message_id=told, identities=(("external_id", told),), type="Visit", channel="web", occurred_at=ago(days=1)
        )
        for told in ("C-9", "c-9")
    ]
    ingest(source=source, events=events, cause=Cause.IMPORT)
    rows = customers(asked=Asked(), models=[], now=clock()).rows
    assert {row.known_as for row in rows} == {"C-9", "c-9"}
    found = Customer.objects.get(profiles__identities__value="C-9")
    head = customer_head(customer=found, profiles=profiles_of(customer=found.pk), memberships=())
    assert head.known_as == "C-9"


def test_a_row_says_what_the_customer_did_and_where_it_stands() -> None:
    installed()
    customer = make_customer(ago(days=10), ago(days=300), amount=12_50, name="Zoë Ångström", email="zoe@example.org")
    (row,) = customers(asked=Asked(), models=stage_models(), now=clock()).rows
    assert (row.id, row.name, row.email, row.initials) == (customer, "Zoë Ångström", "zoe@example.org", "ZÅ")
    assert (row.orders, row.revenue, row.touchpoints) == (2, 25_00, 2)
    assert row.stage is not None
    assert row.stage.key == "retention"
    assert {model: one.stage and one.stage.key for model, one in row.by_model.items()} == {
        "seven": "retention",
        "five": "retention",
        "cycle": "retention",
    }
    assert row.next is not None
    assert (row.next.stage.key, row.next.at.date()) == ("lapsed", ago(days=10 - 180).date())


def test_filters_hold_together() -> None:
    installed()
    lapsed = make_customer(ago(days=200), name="Anna Fell")
    bought = make_customer(ago(days=5), name="Anna Bought")
    quiet = make_customer(name="Berta")
    model, five = stage_model("seven"), stage_model("five")
    stage = {key: model.stage_id(key) for key in ("lapsed", "acquisition", "awareness")}
    assert ids(Asked(stages=((model, (stage["lapsed"],)),))) == [lapsed]
    assert ids(Asked(stages=((model, (stage["lapsed"], stage["acquisition"])),))) == [bought, lapsed]
    assert ids(Asked(stages=((model, (stage["awareness"],)), (five, (five.stage_id("awareness"),))))) == [quiet]
    assert ids(Asked(segment=segment("active_customer"))) == [bought]
    assert ids(Asked(search="ANNA")) == [bought, lapsed]
    assert ids(Asked(search="anna fell")) == [lapsed]
    assert ids(Asked(search=f"#{quiet}")) == [quiet]
    assert ids(Asked(search="100%")) == []
    assert ids(Asked(search="anna", segment=segment("active_customer"))) == [bought]
    assert everybody() == Size(3, True)


def test_as_of_asks_about_the_past() -> None:
    installed()
    customer = make_customer("2024-01-01", "2024-11-01")
    late = make_customer("2025-01-01")
    model = stage_model()
    lapsed = ((model, (model.stage_id("lapsed"),)),)
    summer = day("2024-08-01")
    assert ids(Asked(stages=lapsed, as_of=summer)) == [customer]
    assert ids(Asked(stages=lapsed, as_of=day("2024-02-01"))) == []
    assert ids(Asked(as_of=summer)) == [customer]
    assert ids(Asked(as_of=day("2025-01-01"))) == [late, customer]
    (row,) = customers(asked=Asked(as_of=summer), models=[model], now=clock()).rows
    assert (row.orders, row.stage and row.stage.key, row.next) == (1, "lapsed", None)
    assert ids(Asked(segment=segment("active_customer"), as_of=day("2024-12-01"))) == [customer]


def test_known_at_asks_about_what_was_believed() -> None:
    installed()
    customer = make_customer("2024-01-01")
    model = make_model()
    make_transition(model, customer, "a", "2024-01-01", superseded="2024-03-01")
    make_transition(model, customer, "b", "2024-01-01", recorded="2024-03-01")
    sorting = stage_model("made")
    in_a = ((sorting, (sorting.stage_id("a"),)),)
    assert ids(Asked(stages=in_a, as_of=day("2024-02-01")), model="made") == []
    assert ids(Asked(stages=in_a, as_of=day("2024-02-01"), known_at=day("2024-02-01")), model="made") == [customer]
    assert ids(Asked(stages=in_a, known_at=day("2024-03-01")), model="made") == []
    with pytest.raises(QuestionError):
        ids(Asked(as_of=day("2024-02-02"), known_at=day("2024-02-01")))


def test_who_falls_to_lapsed_within_thirty_days() -> None:
    installed()
    make_customer(ago(days=100))  # in 80 days
    soon = make_customer(ago(days=151))  # in 29
    make_customer(ago(days=200))  # is there already
    # First out of Expansion when its growth ends, then out of Retention when it lapses, both within 30 days.
    twice = make_customer(ago(days=400), ago(days=390), ago(days=170), ago(days=168), ago(days=167), amount=10_00)
    model = stage_model()
    falls = Falls(model, model.stage_id("lapsed"), 30)
    assert falling(falls=falls, now=clock()) == [soon, twice]
    assert ids(Asked(falls=falls)) == [twice, soon]
    assert falling(falls=Falls(model, model.stage_id("lapsed"), 100), now=clock()) != [soon, twice]
    with pytest.raises(QuestionError):
        ids(Asked(falls=falls, as_of=ago(days=3)))


def test_the_customers_behind_a_figure() -> None:
    installed()
    make_customer("2024-02-01")
    lost = make_customer("2023-10-01")
    year = days(start=day("2024-01-01").date(), until=day("2025-01-01").date(), zone="UTC")
    scope = Scope(year, clock())
    assert ids(Asked(group="lost", scope=scope)) == [lost]
    assert len(ids(Asked(group="customers", scope=scope))) == 2
    with pytest.raises(QuestionError):
        ids(Asked(group="happy", scope=scope))


def test_merged_customers_are_listed_once() -> None:
    installed()
    first, second = make_customer(ago(days=3)), make_customer(ago(days=2))
    merge(customers=(first, second), now=clock())
    settle()
    (row,) = customers(asked=Asked(), models=[stage_model()], now=clock()).rows
    assert (row.id, row.orders) == (first, 2)


@pytest.mark.parametrize("size", [1, 20])
def test_a_page_costs_the_same_queries_whatever_is_on_it(size: int, django_assert_num_queries) -> None:
    installed()
    for _ in range(size):
        make_customer(clock() - timedelta(days=3))
    models = stage_models()
    customers(asked=Asked(), models=models, now=clock())
    with django_assert_num_queries(13):
        customers(asked=Asked(), models=models, now=clock())


def test_a_nul_byte_in_a_search_is_refused() -> None:
    with pytest.raises(QuestionError):
        matching(asked=Asked(search="a\x00b"), now=clock())


def test_the_list_reads_nothing_of_one_with_very_many_touchpoints_and_says_so() -> None:
    installed()
    for person in ("many", "few"):
        for number in (1, 2):
            tell(make_order(person, ago(days=number), 100))
    settle()
    keep_listed(known_at=clock())
    many, few = customer_of("many"), customer_of("few")
    HotCustomer.objects.create(customer_id=many, touchpoints=30_000, not_before=clock())
    page = customers(asked=Asked(), models=[stage_model()], now=clock())
    large, small = sorted(page.rows, key=lambda row: row.id != many)
    assert (large.id, large.is_large, large.touchpoints, large.orders, large.revenue) == (many, True, 30_000, 2, 200)
    assert large.next is None and large.last_seen and small.last_seen
    assert abs((large.last_seen - small.last_seen).total_seconds()) < 60
    assert (small.id, small.is_large, small.touchpoints) == (few, False, 2)
    assert small.next is not None
