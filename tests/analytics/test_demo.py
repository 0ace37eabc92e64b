"""The demo on a part of its file; the whole file is imported in tests/customers/test_import_online_retail.py."""

import os
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Max, Sum
from hypothesis import given
from hypothesis import strategies as st

from analytics import demo
from analytics.made_up_spend import BUDGETS, make_up_spend
from campaigns.models import Campaign, Spend
from clm.lib.access.models import User
from customers import online_retail
from customers.file_lock import ImportRefused
from customers.models import Customer, Import, Installation, OrderLine, Source, Stale, Touchpoint
from lifecycle.install import install
from lifecycle.models import Segment, StageModel, Standing, Subject, Transition, Version

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def part(tmp_path_factory) -> Path:
    """The first and the last lines of the real file: its last invoice is the whole file's."""
    whole = online_retail.fetched(folder=settings.DATA_DIR / "downloads").read_bytes().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("demo") / "part.csv"
    path.write_bytes(b"".join(whole[:1_500] + whole[-500:]))
    return path


def load(part: Path, *, now: datetime = NOW, as_is: bool = False) -> int:
    """What the command does, at a time of our own."""
    demo.set_up_shop(now=now)
    imported = demo.bring_orders(path=part, as_is=as_is, now=now, tell=lambda _sentence: None)
    _customers, rows = demo.compute_stages()
    days = demo.order_days()
    return imported.rows_changed + rows + make_up_spend(first=days[0], last=days[1])


def last_order() -> datetime:
    return Touchpoint.objects.aggregate(Max("occurred_at"))["occurred_at__max"].astimezone(LONDON)


@pytest.mark.lasting("figures")
@given(st.datetimes(datetime(2012, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_last_invoice_lies_within_the_last_seven_local_days_and_never_ahead(now):
    days = online_retail.whole_weeks(now=now)
    assert days % 7 == 0
    last = (online_retail.LAST_INVOICE + timedelta(days=days)).replace(tzinfo=LONDON)
    assert last <= now
    assert now.astimezone(LONDON).replace(tzinfo=None) - last.replace(tzinfo=None) < timedelta(days=7)
    assert (last.weekday(), last.hour, last.minute) == (4, 12, 50)


@pytest.mark.django_db
def test_the_demo_is_a_shop_with_customers_in_stages_up_to_the_present(part):
    assert demo.is_wanted()
    load(part)
    shop = Installation.current()
    assert (shop.currency, shop.time_zone) == ("GBP", "Europe/London")
    source = Source.objects.get(key="online-retail")
    assert source.shift_days == 5_285 == 755 * 7
    assert last_order().replace(tzinfo=None) == online_retail.LAST_INVOICE + timedelta(days=source.shift_days)
    assert timedelta(0) <= NOW - last_order() < timedelta(days=7)
    assert not Touchpoint.objects.filter(flags__gte=1, flags__lt=4).exists()  # nothing clamped, nothing without a rate
    assert not Stale.objects.exists()
    customers = Customer.objects.count()
    assert customers > 50
    for model in StageModel.objects.filter(kind=Subject.Kind.MODEL):
        assert Standing.objects.filter(subject=model).count() == customers
    active = Segment.objects.get(key="active_customer")
    assert Standing.objects.filter(subject=active, stage__key="in").exists()


@pytest.mark.django_db
def test_a_morning_order_stays_a_morning_order_of_the_same_weekday(part):
    load(part)
    first = Touchpoint.objects.get(order_ref="536365").occurred_at.astimezone(LONDON)
    assert first.strftime("%A %H:%M") == datetime(2010, 12, 1, 8, 26, tzinfo=LONDON).strftime("%A %H:%M")


@pytest.mark.django_db
def test_a_second_demo_with_a_later_date_keeps_the_shift_and_changes_nothing(part):
    assert load(part) > 1_000
    before = sorted(Touchpoint.objects.values_list("message_hash", "occurred_at", "amount"))
    spend, transitions = Spend.objects.count(), Transition.objects.count()
    assert load(part, now=NOW + timedelta(days=60)) == 0
    assert sorted(Touchpoint.objects.values_list("message_hash", "occurred_at", "amount")) == before
    assert Source.objects.get(key="online-retail").shift_days == 5_285
    assert (Spend.objects.count(), Transition.objects.count()) == (spend, transitions)
    assert Import.objects.count() == 1


@pytest.mark.django_db
def test_as_is_keeps_the_dates(part):
    load(part, as_is=True)
    assert Source.objects.get(key="online-retail").shift_days == 0
    assert last_order() == datetime(2011, 12, 9, 12, 50, tzinfo=LONDON)
    assert load(part) == 0  # a later run does not move what is stored


@pytest.mark.django_db
def test_moved_orders_are_not_stored_again_as_they_were(part):
    load(part)
    orders = Touchpoint.objects.count()
    with pytest.raises(ImportRefused, match="make reset"):
        load(part, as_is=True)
    assert Touchpoint.objects.count() == orders


@pytest.mark.django_db
def test_an_installation_that_is_somebodys_keeps_its_name_and_zone(part):
    Installation.objects.create(id=1, name="Our shop", currency="GBP", time_zone="Europe/Dublin")
    assert demo.set_up_shop(now=NOW) is False
    assert (Installation.current().name, Installation.current().time_zone) == ("Our shop", "Europe/Dublin")


@pytest.mark.django_db
def test_models_installed_before_the_shop_was_known_count_days_in_its_zone():
    Installation.current()
    install(now=NOW)
    assert set(Version.objects.filter(state="live").values_list("time_zone", flat=True)) == {"UTC"}
    assert demo.set_up_shop(now=NOW) is True
    live = Version.objects.filter(state="live")
    assert set(live.values_list("time_zone", flat=True)) == {"Europe/London"}
    assert live.count() == Subject.objects.count() == Version.objects.filter(state="retired").count()


@pytest.mark.django_db
def test_made_up_spend_sums_to_its_budget_each_month_and_says_what_it_is():
    Installation.objects.create(id=1, currency="GBP", time_zone="Europe/London")
    first, last = date(2024, 1, 1), date(2024, 12, 31)
    rows = make_up_spend(first=first, last=last)
    assert rows == Spend.objects.count() > 1_000
    assert all("made-up" in name for name in Campaign.objects.values_list("name", flat=True))
    assert Source.objects.get(key="made-up-spend").is_simulated
    for budget in BUDGETS:
        for month, pounds in enumerate(budget.monthly, start=1):
            spent = Spend.objects.filter(campaign__key=budget.key, day__month=month).aggregate(Sum("amount"))
            assert (spent["amount__sum"] or 0) == pounds * 100
    assert make_up_spend(first=first, last=last) == 0


@pytest.mark.django_db
def test_four_users_are_made_once_and_can_sign_in(tmp_path):
    logins = tmp_path / "new" / "logins.txt"
    made = demo.make_users(logins=logins)
    assert [(role, email) for role, email, _password in made] == [
        (role, f"{role}@demo.example") for role in ("admin", "marketer", "agent", "viewer")
    ]
    for role, email, password in made:
        user = authenticate(None, email=email, password=password)
        assert user is not None and user.role == role
    assert [line.split() for line in logins.read_text().splitlines()] == [list(each) for each in made]
    assert stat.S_IMODE(logins.stat().st_mode) == 0o600
    assert demo.make_users(logins=logins) == []


@pytest.mark.django_db
def test_no_user_is_made_where_there_is_one(tmp_path):
    User.objects.create_user("owner@example.com", "a-long-password")
    assert demo.make_users(logins=tmp_path / "logins.txt") == []
    assert not (tmp_path / "logins.txt").exists()


@pytest.mark.django_db
def test_a_first_start_leaves_real_customers_alone():
    Customer.objects.create()
    assert not demo.is_wanted()


@pytest.mark.django_db(transaction=True)
def test_the_command_loads_the_demo_once_even_if_it_was_killed_on_the_way(part, outside_env):
    env = outside_env
    written = settings.DATA_DIR / "demo-logins.txt"
    written.unlink(missing_ok=True)
    command = [sys.executable, str(PROJECT / "manage.py"), "demo", "--if-first", "--file", str(part)]

    killed = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    while killed.poll() is None and not Touchpoint.objects.exists():
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()

    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert "Computing every customer's stages" in done.stdout
    for line in written.read_text().splitlines():
        assert line in done.stdout
    assert Import.objects.get().state == "done"
    assert OrderLine.objects.count() == Import.objects.get().lines_used
    assert not Stale.objects.exists() and Standing.objects.exists()

    again = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert again.stdout == ""
    without = [argument for argument in command if argument != "--if-first"]
    repeated = subprocess.run(without, env=env, capture_output=True, text=True, timeout=120, check=True)
    assert repeated.stdout.splitlines()[-1] == "0 rows changed"


def test_without_a_connection_the_way_out_is_told(tmp_path, monkeypatch):
    # Real pip, told to ask nobody.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(online_retail.NotFetched, match="put it here") as caught:
        online_retail.fetched(folder=tmp_path)
    assert str(tmp_path / "online_retail.csv") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_the_one_expected_is_fetched_anew(tmp_path):
    (tmp_path / "online_retail.csv").write_text("something else")
    path = online_retail.fetched(folder=tmp_path)
    assert path.stat().st_size == 45_580_638
    assert [each.name for each in tmp_path.iterdir()] == ["online_retail.csv"]
