"""`manage.py simulate`: stopped, taken up, repeated, refused."""

import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from analytics.simulator.histories import block, selected
from analytics.simulator.run import SimulationRefused, simulate
from analytics.simulator.timeline import Span
from clm.lib.milliseconds import to_ms
from customers.models import Customer, Identity, Import, Stale, Touchpoint
from lifecycle.install import install
from lifecycle.models import StageModel, Standing

from .simulated import NOW, SPAN, P


def written() -> tuple:
    """What the tables of facts hold, whatever numbers the rows have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(hashtextextended(message_hash::text, body_hash)),"
            " sum(extract(epoch FROM received_at)), sum(amount) FROM customers_touchpoint"
        )
        return cursor.fetchone()


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_goes_on_and_ends_with_the_same_rows_as_any_number_of_processes(manage, outside_env):
    install(now=NOW)
    # Two portions and a person; one year, since what is written by whom is asked here and not how it goes on.
    arguments = ["simulate", "--customers", "10001", "--seed", "2", "--until", "2026-06-01", "--years", "1"]
    span = Span(start=to_ms(datetime(2025, 6, 1, tzinfo=UTC)), until=SPAN.until)
    killed = subprocess.Popen(
        [sys.executable, "manage.py", *arguments, "--no-stages", "--processes", "1"],
        env=outside_env,
        stdout=subprocess.DEVNULL,
    )
    while killed.poll() is None and not Touchpoint.objects.exists():
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    part = Identity.objects.filter(kind="anonymous_id").count()
    assert 0 < part < 10_001

    done = manage(*arguments, "--no-stages", "--processes", "2", check=True)
    assert "holds 10,001 people" in done.stdout
    assert Customer.objects.exists() and not Standing.objects.exists()
    resumed = written()
    counts = Import.objects.get().counts
    assert counts["touchpoints_new"] == resumed[0] == Touchpoint.objects.count()
    assert counts["customers_new"] == Customer.objects.count()

    stages = manage(*arguments, "--processes", "2", check=True)
    assert stages.stdout.splitlines()[-1] == "0 rows changed"
    assert "Stages of" in stages.stdout and not Stale.objects.exists()
    for model in StageModel.objects.all():
        assert Standing.objects.filter(subject=model).count() == Customer.objects.filter(merged_into=None).count()
    again = manage(*arguments, check=True)
    assert again.stdout.splitlines()[-1] == "0 rows changed" and "Stages of" not in again.stdout
    assert manage("replay", check=True).stdout.splitlines()[-1] == "0 rows changed"

    # Python's own count of the same people, portion by portion, agrees with what two kinds of runs stored.
    histories = [block(parameters=P, seed=2, number=number, span=span) for number in range(11)]
    histories[-1] = selected(histories[-1], histories[-1].people.number < 10_001)
    assert resumed[0] == sum(len(each.touches.ms) for each in histories)
    assert int(resumed[2] * 1000) == sum(int(each.touches.received.sum()) for each in histories)
    assert resumed[3] == sum(int(each.touches.amount.sum()) for each in histories)


def test_a_bad_argument_is_one_line_that_says_what_is_wrong(manage):
    refused = manage("simulate", "--customers", "-5")
    assert refused.returncode == 1
    said = refused.stderr.splitlines()[-1]
    assert said == "CommandError: the number of customers must lie between 1 and 100,000,000."


@pytest.mark.parametrize(
    ("asked_for", "said"),
    [
        ({"people": 0}, "number of customers"),
        ({"seed": -1}, "seed"),
        ({"years": 0}, "years"),
        ({"processes": 0}, "processes"),
        ({"until": date(2026, 6, 2)}, "lies ahead"),
        ({"until": date(1996, 6, 2), "years": 20}, "begin before 1995"),
    ],
)
def test_what_cannot_be_simulated_is_refused_before_anything_is_stored(db, asked_for, said):
    with pytest.raises(SimulationRefused, match=said):
        simulate(**{"people": 10, "seed": 1, "now": NOW, "tell": print, **asked_for})
    assert not Import.objects.exists()
