"""Beat wakes whoever listens and shouts at nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from clm.celery import app
from clm.embedded.servers import Embedded
from clm.schedule import MOST_WAITING, WakeUps
from tests.embedded.conftest import embedded, room  # noqa: F401 (fixtures)


@pytest.fixture
def broker(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:  # noqa: F811
    """A broker of this test's own, to which the program's Celery sends."""
    embedded.ensure_valkey()
    monkeypatch.setattr(app.conf, "broker_url", embedded.valkey.celery_url())
    app.pool.force_close_all()
    with redis.Redis(unix_socket_path=str(embedded.valkey.socket)) as client:
        yield client
    app.pool.force_close_all()


@pytest.fixture
def beat(broker: redis.Redis, tmp_path: Path) -> Iterator[WakeUps]:
    made = WakeUps(app=app, schedule_filename=str(tmp_path / "schedule"))
    yield made
    made.producer.connection.close()
    made.close()


def send(beat: WakeUps, name: str, times: int) -> None:
    for _ in range(times):
        beat.apply_entry(beat.schedule[name], producer=beat.producer)


def test_while_no_worker_runs_wake_ups_do_not_pile_up(beat, broker):
    send(beat, "advance", 500)
    assert broker.llen("celery") == MOST_WAITING


def test_wake_ups_go_on_as_soon_as_somebody_listens_again(beat, broker):
    send(beat, "advance", 100)
    broker.delete("celery")
    send(beat, "advance", 3)
    assert broker.llen("celery") == 3


def test_what_is_no_mere_wake_up_is_always_sent(beat, broker):
    send(beat, "advance", 100)
    send(beat, "partitions", 1)
    assert broker.llen("celery") == MOST_WAITING + 1


def test_every_entry_but_the_daily_ones_is_a_wake_up():
    always = {name for name, entry in app.conf.beat_schedule.items() if not entry.get("options", {}).get("expires")}
    assert always == {"partitions"}
    assert app.conf.beat_schedule["partitions"]["schedule"].hour == {3}


def test_a_broker_that_is_away_ends_nothing(beat, broker, embedded, caplog):  # noqa: F811
    send(beat, "advance", 1)
    embedded.valkey.stop()
    send(beat, "advance", 2)
    assert caplog.text.count("Message Error") == 2
    embedded.ensure_valkey()
    send(beat, "advance", 1)
    assert broker.llen("celery") == 2
