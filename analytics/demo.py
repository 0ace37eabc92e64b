"""The demonstration: a real shop's orders in an empty installation, moved to the present, with what such files never
say (what marketing cost, who visited, signed up, asked and recommended) made up and called so. Every act here can be
repeated and changes nothing the second time.

Users are made last: an installation with users and the demo's orders is one whose demo is complete."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Min

from clm.lib.access.first_users import make_first_users
from clm.lib.access.models import Role, User
from customers import online_retail
from customers.models import Cause, Customer, Import, Installation, Stale, Touchpoint
from customers.order_import import Imported, import_orders
from customers.order_mapping import OrderMapping
from lifecycle.install import install, rebuild
from lifecycle.models import Standing
from lifecycle.replay import replay_all
from lifecycle.tick import tick

from .simulator.shop import Added, add_touches
from .simulator.trials import begin_trials, end_trials

SHOP = {"name": "Online Retail (demo)", "currency": "GBP", "time_zone": "Europe/London"}
DOMAIN = "demo.example"


def is_wanted() -> bool:
    """Whether a first start should load the demo: there is nothing yet, or a demo was begun and not finished."""
    begun = Import.objects.filter(source__key=OrderMapping.load(online_retail.MAPPING).source_key)
    if begun.exists():
        return not (begun.filter(state=Import.State.DONE).exists() and User.objects.exists())
    return not (Customer.objects.exists() or Touchpoint.objects.exists())


def set_up_shop(*, now: datetime) -> bool:
    """Make the installation the demo's shop, unless it is somebody's already; install models and segments."""
    with transaction.atomic():
        _row, is_new = Installation.objects.get_or_create(id=1, defaults=SHOP)
        untouched = Installation.objects.filter(
            id=1, name="CLM", currency="EUR", time_zone="UTC", lapse_days=180, minor_digits=2
        )
        if not is_new and not Customer.objects.exists():
            is_new = bool(untouched.update(**SHOP))
    install(now=now)
    if is_new:
        rebuild(now=now)  # models that were installed before the shop was known count days in another zone
    return is_new


def bring_orders(*, path: Path, as_is: bool, now: datetime, tell: Callable[[str], None]) -> Imported:
    """Import Online Retail, moved by whole weeks to end in the last seven days; the first time decides by how many."""
    mapping = OrderMapping.load(online_retail.MAPPING)
    shift: int | None = 0 if as_is else online_retail.whole_weeks(now=now)
    if not as_is and Touchpoint.objects.filter(source__key=mapping.source_key).exists():
        shift = None
    return import_orders(path=path, mapping=mapping, now=now, tell=tell, shift_days=shift)


def add_simulated_touches(*, now: datetime, tell: Callable[[str], None]) -> Added:
    """Add what order files never say: visits, sign-ups, tickets, opinions around the real orders, and people who only
    look."""
    mapping = OrderMapping.load(online_retail.MAPPING)
    return add_touches(buyers_of=mapping.source_key, identity_kind=mapping.identity_kind, now=now, tell=tell)


def add_experiments() -> int:
    """Add an experiment that has ended, with a known effect, and one that runs; how many rows are new. Stages are
    computed before, since they say who took part, and after."""
    rows = begin_trials(buyers_of=OrderMapping.load(online_retail.MAPPING).source_key)
    _customers, computed = compute_stages()
    return rows + computed + end_trials()


def compute_stages() -> tuple[int, int]:
    """Bring everybody up to date; returns customers computed and rows changed. A first computation is a replay, which
    takes whole buckets at a time, with those in them who have become part of others."""
    customers = rows = 0
    if Stale.objects.exists() and not Standing.objects.exists():
        done = replay_all(cause=Cause.IMPORT)
        customers = done.customers - Customer.objects.exclude(merged_into=None).count()
        rows = done.rows_changed
    while (step := tick()).customers or step.parked:
        customers += step.customers
        rows += step.written.rows
    return customers, rows


def order_days() -> tuple[date, date] | None:
    """The first and the last day of the demo's orders, in the shop's zone."""
    mapping = OrderMapping.load(online_retail.MAPPING)
    reach = Touchpoint.objects.filter(source__key=mapping.source_key).aggregate(
        first=Min("occurred_at"), last=Max("occurred_at")
    )
    if reach["first"] is None:
        return None
    zone = ZoneInfo(mapping.time_zone)
    return reach["first"].astimezone(zone).date(), reach["last"].astimezone(zone).date()


def make_users(*, logins: Path) -> list[tuple[str, str, str]]:
    """One user of each role, if there is no user yet: (role, address, password). The passwords are random, told once
    and kept in `logins`, which only the owner of this installation's data can read."""
    wanted = [(role, f"{role.value}@{DOMAIN}", f"Demo {role.value}") for role in reversed(Role)]
    return make_first_users(wanted=wanted, time_zone=Installation.current().time_zone, logins=logins)
