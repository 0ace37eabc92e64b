"""manage.py import_file with files of people: recognised, tried, stored, and gone on with after a kill."""

import json
import signal
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer, Identity, Import, Installation, Touchpoint, Trait, TraitTelling

from .files import DOCUMENT, person, write

ORDERS = "no,who,when,what,many,each"
SHOP = {
    "source": {"key": "shop"},
    "columns": {
        "invoice": "no",
        "customer": "who",
        "time": "when",
        "product": "what",
        "quantity": "many",
        "price": "each",
    },
    "time_format": "iso",
    "time_zone": "UTC",
    "currency": "EUR",
}
# manage.py, with portions so small that a file of some thousand rows has several.
SMALL_PORTIONS = """
import sys, django
django.setup()
from customers.importing import staging
from django.core.management import execute_from_command_line
staging.PORTION = 800
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("import_file", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_file_of_a_known_system_needs_no_mapping(tmp_path):
    path = write(tmp_path, "cus_1,ada@example.org,2025-03-04,FALSE", header="id,Email,Created (UTC),Delinquent")
    said = run(path)
    assert "Read as: Stripe, customers" in said
    assert "1 row = 1 new customer + 0 updates + 0 unchanged + 0 rejected" in said
    assert run(path).splitlines()[-1] == "0 rows changed"


@pytest.mark.django_db
def test_an_own_mapping_and_a_dry_run(tmp_path):
    mapping = tmp_path / "crm.json"
    mapping.write_text(json.dumps(DOCUMENT))
    path = write(tmp_path, person(1), person(2), "oops")
    said = run(path, "--mapping", mapping, "--dry-run")
    assert "3 rows = 2 new customers + 0 updates + 0 unchanged + 1 rejected" in said
    assert said.splitlines()[-1] == "Nothing was stored: 0 rows changed"
    assert not Customer.objects.exists()
    errors = tmp_path / "errors.csv"
    said = run(path, "--mapping", mapping, "--errors", errors)
    assert "rejected 1 row: the row has more or fewer cells than the header" in said
    assert "oops" in errors.read_text(encoding="utf-8-sig")
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_a_dump_of_messages_is_tried_brought_in_and_changes_nothing_the_second_time(tmp_path):
    path = tmp_path / "events.jsonl"
    said_it = {
        "type": "track",
        "messageId": "m1",
        "userId": "u1",
        "event": "Signed Up",
        "timestamp": "2025-02-02T00:00Z",
    }
    path.write_text(json.dumps(said_it) + "\n{nonsense\n")
    said = run(path, "--dry-run")
    assert "2 rows = 1 new customer + 0 updates + 0 unchanged + 1 rejected" in said
    assert "1 touchpoint Signed Up" in said
    assert not Customer.objects.exists()
    assert not Import.objects.exists()
    assert "2 messages = 1 used + 1 rejected" in run(path)
    assert Touchpoint.objects.get().type.name == "Signed Up"
    assert run(path).splitlines()[-1] == "0 rows changed"


@pytest.mark.django_db
def test_orders_are_tried_first_and_nothing_of_them_is_stored(tmp_path):
    mapping = tmp_path / "shop.json"
    mapping.write_text(json.dumps(SHOP))
    first = write(tmp_path, "1,ada,2025-01-02,tea,2,3.00", header=ORDERS, name="first.csv")
    run(first, "--mapping", mapping)
    path = write(
        tmp_path,
        "1,ada,2025-01-02,tea,2,3.00",  # known
        "2,ada,2025-01-03,tea,1,3.00",  # known, another order
        "2,ada,2025-01-03,cup,1,5.00",
        "3,cy,2025-01-04,cup,1,5.00",  # somebody new
        "4,,2025-01-04,cup,1,5.00",  # nobody
        "5,cy,some day,cup,1,5.00",
        header=ORDERS,
    )
    said = run(path, "--mapping", mapping, "--dry-run")
    assert "6 lines = 4 used + 2 set aside\n" in said
    assert "  3 orders, 2 new; 2 customers, 1 new\n" in said
    assert "2 touchpoints Order Completed" in said
    assert "1 rejected: no customer is named; lines 6" in said
    assert said.splitlines()[-1] == "Nothing was stored: 0 rows changed"
    assert Touchpoint.objects.count() == 1
    run(path, "--mapping", mapping)
    assert Touchpoint.objects.count() == 3


@pytest.mark.django_db
def test_a_file_of_no_known_system_is_refused_with_the_way_out(tmp_path):
    path = write(tmp_path, "a,b", header="x,y")
    with pytest.raises(CommandError, match=r"who a row is about.*--mapping FILE.*page Imports.*--preset"):
        run(path)
    with pytest.raises(CommandError, match="is none of"):
        run(path, "--preset", "nobodys")


@pytest.mark.django_db
def test_a_file_of_no_known_system_is_read_as_the_page_guesses_it(tmp_path):
    path = write(tmp_path, "1001,ada@example.org,pro", header="customer_id,email,plan")
    said = run(path)
    assert "columns guessed by what these are called" in said
    assert "  email: E-mail address" in said
    assert "1 row = 1 new customer +" in said
    assert Trait.objects.get(key="plan").value == "pro"
    assert run(path).splitlines()[-1] == "0 rows changed"


@pytest.mark.django_db
def test_order_lines_of_no_known_system_are_sent_to_their_mapping(tmp_path):
    path = write(tmp_path, "1,A,2,5.00,2025-03-04,7", header="Order,SKU,Qty,Unit price,Created at,Customer ID")
    with pytest.raises(CommandError, match=r"looks like order lines.*--mapping.*importing-orders\.md"):
        run(path)
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_one_order_of_one_customer_is_counted_in_the_singular(tmp_path):
    path = write(tmp_path, "1,A,2,5.00,2025-03-04,7", header="Order,SKU,Qty,Unit price,Created at,Customer ID")
    mapping = tmp_path / "shop.json"
    columns = {"invoice": "Order", "product": "SKU", "quantity": "Qty", "price": "Unit price"}
    columns |= {"time": "Created at", "customer": "Customer ID"}
    said = {"source": {"key": "shop"}, "columns": columns, "time_format": "iso", "time_zone": "UTC", "currency": "EUR"}
    mapping.write_text(json.dumps(said))
    told = run(path, "--mapping", mapping)
    assert "names 1 invoice of 1 customer\n" in told
    assert "1 line = 1 used + 0 set aside" in told
    assert "  1 order, 10.00 EUR" in told


@pytest.mark.django_db
def test_a_dry_run_of_orders_counts_each_order_and_each_customer_once(tmp_path):
    mapping = tmp_path / "shop.json"
    mapping.write_text(json.dumps(SHOP))
    lines = ["1,ada,2025-03-04,tea,2,5.00", "1,ada,2025-03-04,cup,1,3.00", "2,ada,2025-03-05,tea,1,5.00"]
    path = write(tmp_path, *lines, "3,bob,never,tea,1,5.00", header=ORDERS)
    said = run(path, "--mapping", mapping, "--dry-run")
    assert "4 lines = 3 used + 1 set aside\n" in said
    assert "  2 orders, 2 new; 1 customer, 1 new\n" in said
    assert not Customer.objects.exists()
    run(path, "--mapping", mapping)
    assert Customer.objects.count() == 1
    more = write(tmp_path, *lines, "4,ada,2025-03-06,tea,1,5.00", "5,eve,2025-03-06,tea,1,5.00", header=ORDERS)
    assert "  4 orders, 2 new; 2 customers, 1 new\n" in run(more, "--mapping", mapping, "--dry-run")


@pytest.mark.django_db
def test_times_of_a_guessed_file_lie_in_the_zone_of_the_organisation(tmp_path):
    Installation.objects.create(currency="EUR", time_zone="Europe/Berlin")
    path = write(tmp_path, "ada@example.org,2025-03-04 10:00", header="email,Seen")
    run(path)
    assert Import.objects.get().mapping["time_zone"] == "Europe/Berlin"
    assert Trait.objects.get(key="Seen").value.startswith("2025-03-04T09:00")


@pytest.mark.django_db
def test_files_that_are_not_there_are_named_in_one_line(tmp_path):
    people = write(tmp_path, "cus_1,oops,2025-03-04,FALSE", header="id,Email,Created (UTC),Delinquent")
    Installation.objects.update_or_create(id=1, defaults={"currency": "GBP"})
    mapping = tmp_path / "crm.json"
    mapping.write_text(json.dumps(DOCUMENT))
    for arguments in (
        [tmp_path / "nope.csv"],
        [tmp_path / "nope.csv", "--dry-run"],
        [tmp_path / "nope.csv", "--preset", "stripe_customers"],
        [tmp_path / "nope.csv", "--mapping", mapping],
        [tmp_path / "nope.csv", "--mapping", "online_retail"],
        [people, "--mapping", tmp_path / "nope.json"],
        [people, "--errors", tmp_path / "nope" / "errors.csv"],
    ):
        with pytest.raises(CommandError, match="nope") as refused:
            run(*arguments)
        assert "\n" not in str(refused.value)
    with pytest.raises(CommandError, match="cannot be read"):
        run(tmp_path)


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_at_any_point_goes_on_and_stores_everything_once(tmp_path, outside_env):
    """kill -9 again and again while it stores; then the same as if it had run through."""
    mapping = tmp_path / "crm.json"
    mapping.write_text(json.dumps(DOCUMENT))
    rows = [person(number, opted_out="yes" if number % 3 else "") for number in range(1, 4_001)]
    path = write(tmp_path, *rows, "oops")
    command = [sys.executable, "-c", SMALL_PORTIONS, "import_file", str(path), "--mapping", str(mapping)]
    killed_at = []
    for _kill in range(3):
        before = len(killed_at) and killed_at[-1]
        process = subprocess.Popen(command, env=outside_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        limit = time.monotonic() + 60
        while time.monotonic() < limit and process.poll() is None:
            record = Import.objects.order_by("-pk").first()
            if record is not None and record.progress.get("portion", 0) > before:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        record = Import.objects.get()
        killed_at.append(record.progress.get("portion", 0))
        if record.state == Import.State.DONE:
            break
    done = subprocess.run(command, env=outside_env, capture_output=True, text=True, timeout=120, check=True)
    assert len(killed_at) > 1, "it was over before it could be killed"
    assert "went on where it had stopped" in done.stdout
    record = Import.objects.get()
    assert (record.state, record.lines_read, record.lines_used) == ("done", 4_001, 4_000)
    assert record.counts["rows_new"] == 4_000
    assert (Customer.objects.count(), Identity.objects.count()) == (4_000, 8_000)
    assert (Touchpoint.objects.count(), TraitTelling.objects.count()) == (4_000, 4_000)
    again = subprocess.run(command, env=outside_env, capture_output=True, text=True, timeout=120, check=True)
    assert again.stdout.splitlines()[-1] == "0 rows changed"


@pytest.mark.django_db
def test_a_kind_of_file_said_against_its_columns_is_warned_of(tmp_path):
    path = write(tmp_path, "cus_1,ada@example.org,2025-03-04,FALSE", header="id,Email,Created (UTC),Delinquent")
    said = run(path, "--preset", "salesforce_contacts", "--dry-run")
    assert "ATTENTION: the file lacks its columns First Name, Last Name, Account Name" in said
    assert "it looks like Stripe, customers" in said
    assert "ATTENTION" not in run(path, "--preset", "stripe_customers", "--dry-run")
