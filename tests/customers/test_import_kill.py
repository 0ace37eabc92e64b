"""kill -9 at any point of an import, run again, and nothing is lost or doubled: real processes, real signals."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from customers.models import Import, Installation, OrderLine, Reject, Touchpoint, Trait
from customers.order_mapping import OrderMapping
from tests.lasting import seed

from .order_files import line, write

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).resolve().parents[2]
INVOICES = 2_500
KILLS = 4


@pytest.fixture
def orders(tmp_path) -> Path:
    dice = random.Random(7)
    lines = []
    for number in range(INVOICES):
        invoice = f"C{500_000 + number}" if number % 9 == 0 else str(500_000 + number)
        quantity = "-1" if number % 9 == 0 else str(dice.randint(1, 20))
        customer = "" if number % 5 == 0 else str(12_000 + dice.randint(0, 200))
        country = dice.choice(["France", "EIRE", "NA"])
        for _line in range(dice.randint(1, 9)):
            price = "?" if dice.random() < 0.001 else f"{dice.randint(0, 900) / 100}"
            when = f"{dice.randint(1, 12)}/{dice.randint(1, 28)}/2011 {dice.randint(8, 18)}:{dice.randint(10, 59)}"
            lines.append(
                line(invoice, str(dice.randint(10_000, 99_999)), "THING", quantity, when, price, customer, country)
            )
    dice.shuffle(lines)
    return write(tmp_path, *lines)


def mapping_file(folder: Path, key: str) -> Path:
    """A source and people of its own, so that two imports of one file share no row."""
    document = {**OrderMapping.load("online_retail").document, "source": {"key": key}, "identity_kind": f"{key}_id"}
    path = folder / f"{key}.json"
    path.write_text(json.dumps(document))
    return path


def start(env: dict[str, str], orders: Path, mapping: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROJECT / "manage.py"), "import_file", str(orders), "--mapping", str(mapping)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outcome(key: str) -> dict[str, Any]:
    """Everything an import left behind, without ids and arrival times."""
    record = Import.objects.get(source__key=key)
    touchpoints = Touchpoint.objects.filter(source__key=key)
    counts = {name: count for name, count in record.counts.items() if name != "rows_changed"}
    return {
        "state": (record.state, record.error, record.lines_read, record.lines_used, record.set_aside, counts),
        "touchpoints": sorted(
            touchpoints.values_list(
                "message_hash", "occurred_at", "amount", "type", "order_ref", "flags", "properties"
            ),
            key=str,
        ),
        "lines": sorted(
            OrderLine.objects.filter(touchpoint__in=touchpoints).values_list(
                "touchpoint__order_ref", "number", "product", "quantity", "amount", "is_product"
            )
        ),
        "people": sorted(touchpoints.values_list("profile__identities__value", "order_ref")),
        "traits": sorted(
            Trait.objects.filter(profile__identities__kind=f"{key}_id").values_list(
                "profile__identities__value", "key", "value", "set_at", "last_seen_at"
            ),
        ),
        "rejects": sorted(Reject.objects.filter(source__key=key).values_list("line_number", "path", "reason", "raw")),
    }


@pytest.mark.lasting("kills")
def test_an_import_killed_at_any_point_and_run_again_equals_an_undisturbed_one(orders, outside_env):
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP", "time_zone": "Europe/London"})
    began = time.monotonic()
    calm = start(outside_env, orders, mapping_file(orders.parent, "calm"))
    out, errors = calm.communicate(timeout=120)
    assert calm.returncode == 0, errors
    took = time.monotonic() - began

    mapping = mapping_file(orders.parent, "killed")
    dice = random.Random(seed(11))
    others = sessions()
    seen_half_way = 0
    for attempt in range(KILLS):
        killed = start(outside_env, orders, mapping)
        # Once it has begun to store, any moment will do; before that, the same.
        if attempt % 2:
            wait_for_chunks(killed, above=seen_half_way)
            time.sleep(dice.uniform(0, 0.1))
        else:
            time.sleep(dice.uniform(0.3, 1) * took * 0.5)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        wait_until_gone(but=others)
        stored = Touchpoint.objects.filter(source__key="killed").count()
        record = Import.objects.filter(source__key="killed").first()
        if record is not None:
            assert record.lines_read == record.lines_used + sum(kept["lines"] for kept in record.set_aside.values())
            assert stored == record.counts.get("orders", 0) + record.counts.get("refunds", 0)
        if 0 < stored < Touchpoint.objects.filter(source__key="calm").count():
            seen_half_way = stored
    assert seen_half_way, "no kill met the import half-way"

    last = start(outside_env, orders, mapping)
    out, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert outcome("killed") == outcome("calm")

    again = start(outside_env, orders, mapping)
    out, errors = again.communicate(timeout=120)
    assert out.splitlines()[-1] == "0 rows changed", out + errors


def wait_for_chunks(process: subprocess.Popen[str], *, above: int) -> None:
    """Wait until the process has committed something new, or has ended."""
    while process.poll() is None and Touchpoint.objects.filter(source__key="killed").count() <= above:
        time.sleep(0.01)


def sessions() -> set[int]:
    """The other sessions on this test's database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def wait_until_gone(*, but: set[int]) -> None:
    """A killed client's last statement may still be running in the server. `but`: sessions that were there before."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if sessions() <= but:
            return
        time.sleep(0.02)
    pytest.fail("a killed import's session is still there")


def test_two_imports_of_one_source_do_not_run_at_once(orders, outside_env, monkeypatch):
    mapping = mapping_file(orders.parent, "both")
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP", "time_zone": "Europe/London"})
    both = [start(outside_env, orders, mapping) for _one in range(2)]
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    # The second waited for the first and found nothing left to do.
    changed = sorted(int(out.splitlines()[-1].split()[0]) for out, _errors in ends)
    assert changed[0] == 0 < changed[1]
    assert Import.objects.filter(source__key="both").count() == 1
