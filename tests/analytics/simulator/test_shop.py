"""What the demo simulates around real orders: every stage has somebody in it, and no figure about orders changes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from analytics import demo
from analytics.feedback import comments, feedback
from analytics.made_up_spend import make_up_spend
from analytics.metrics import METRICS, figures
from analytics.scope import Scope
from analytics.simulator.run import SOURCE
from analytics.sources import simulation, sources_of_orders
from clm.lib.periods import days
from customers import catalogue, online_retail
from customers.models import Customer, Identity, Merge, Stale, Touchpoint
from lifecycle.models import Stage, Standing, Subject
from tests.factories import make_user

NOW = datetime.now(UTC)  # stages are computed as of now: the demo ends in the last seven days
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker, tmp_path_factory):
    """A fifth of the real buyers with the last invoice of all; the figures about their orders before and after their
    simulated touches were added, and what was added the first and the second time."""
    header, *lines = (
        online_retail.fetched(folder=settings.DATA_DIR / "downloads").read_bytes().splitlines(keepends=True)
    )
    some = [line for line in lines if line.rsplit(b",", 2)[1].strip(b'"')[-1:] in (b"1", b"6")]
    path = tmp_path_factory.mktemp("shop") / "part.csv"
    path.write_bytes(b"".join([header, *some, *lines[-20:]]))
    with django_db_blocker.unblock(), transaction.atomic():
        demo.set_up_shop(now=NOW)
        demo.bring_orders(path=path, as_is=False, now=NOW, tell=lambda _sentence: None)
        demo.compute_stages()
        make_up_spend(first=demo.order_days()[0], last=demo.order_days()[1])
        before = told()
        first = demo.add_simulated_touches(now=NOW, tell=lambda _sentence: None)
        demo.compute_stages()
        second = demo.add_simulated_touches(now=NOW, tell=lambda _sentence: None)
        # Checked now, once; left to each test's end, references are checked as often as there are tests.
        connection.check_constraints()
        yield before, told(), first, second
        transaction.set_rollback(True)
    catalogue.forget()


def told() -> dict[str, object]:
    """The figures of half a year, by key."""
    _first, last = demo.order_days()
    half_a_year = days(start=last - timedelta(days=180), until=last, zone="Europe/London")
    found = figures(scope=Scope(half_a_year, NOW))
    return {one.key: (one.value, [source.key for source in one.sources]) for one in found}


def test_every_stage_of_all_models_has_somebody_in_it(shop):
    for model in Subject.objects.filter(kind=Subject.Kind.MODEL):
        for stage in Stage.objects.filter(subject=model):
            assert Standing.objects.filter(subject=model, stage=stage).exists(), f"{model.key}: {stage.key}"


def test_no_figure_about_orders_changes_and_each_names_the_real_source_alone(shop):
    before, after, _first, _second = shop
    assert set(before) == set(METRICS)
    assert after == before
    assert {key for _value, sources in after.values() for key in sources} == {"online-retail"}
    assert [one.key for one in sources_of_orders()] == ["online-retail"]


def test_nothing_simulated_carries_money_or_an_order(shop):
    simulated = Touchpoint.objects.filter(source__key=SOURCE)
    assert simulated.count() > 5_000
    assert not simulated.exclude(amount=None).exists() and not simulated.exclude(order_ref="").exists()
    roles = set(simulated.values_list("type__role", flat=True).distinct())
    assert roles.isdisjoint({"purchase", "refund", "subscribe", "cancel"})
    assert roles >= {
        "exposure", "visit", "signup", "onboarding", "usage", "cart", "checkout", "support", "feedback", "review",
        "referral", "share", "upgrade",
    }  # fmt: skip


def test_experience_has_all_its_cards_filled(shop):
    first, last = demo.order_days()
    scope = Scope(days(start=first, until=last, zone="Europe/London"), NOW)
    for one in feedback(scope=scope).surveys:
        assert one.score.value is not None and one.score.low is not None, one.kind.key
        assert one.response.rate is not None and 0.2 < one.response.rate < 0.9, one.kind.key
        assert one.off_scale == 0 and len(one.stages) > 1
        # A tenth of the shop: in some months fewer answer than a score is told of.
        assert sum(month.score.answers > 0 for month in one.months) > 3, one.kind.key
        assert comments(scope=scope, kind=one.kind.key).comments, one.kind.key


def test_buyers_keep_their_records_and_those_who_only_look_are_few(shop):
    _before, _after, first, _second = shop
    simulated = Touchpoint.objects.filter(source__key=SOURCE)
    buyers = set(Identity.objects.filter(kind="customer_id").values_list("profile", flat=True))
    touched = set(simulated.values_list("profile", flat=True).distinct())
    assert len(buyers & touched) > 0.9 * len(buyers)
    assert 1_200 <= len(touched - buyers) == first.lookers < 1_260
    assert Merge.objects.count() == first.merges > 0
    assert Customer.objects.count() == len(buyers) + first.lookers


def test_nothing_is_simulated_after_the_last_order_and_carts_come_before_theirs(shop):
    last = Touchpoint.objects.filter(source__key="online-retail").latest("occurred_at").occurred_at
    assert Touchpoint.objects.filter(source__key=SOURCE).latest("occurred_at").occurred_at < last


def test_the_second_time_nothing_changes(shop):
    _before, _after, first, second = shop
    assert first.rows_changed > 5_000
    assert second.rows_changed == 0
    assert not Stale.objects.exists()


def test_every_page_says_what_is_simulated(shop):
    about = simulation()
    assert about is not None and about.name == "Simulator" and not about.has_orders
    client = Client()
    client.force_login(make_user("viewer"))
    customer = Customer.objects.filter(merged_into=None).latest("pk").pk
    for path in ("/", "/customers/", f"/customers/{customer}/", "/metrics/", "/models/seven/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Partly simulated" in page.content.decode(), path
