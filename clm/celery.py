"""The Celery application and the schedule of its wake-ups.

A message only wakes somebody up: the work itself is a row, found again by the next tick. So a message may be lost,
repeated or late, the broker may be frozen, and nothing but promptness suffers. Requests never publish."""

import os
from typing import Any

from celery import Celery, Task, signals
from celery.schedules import crontab
from django.conf import settings
from structlog.contextvars import bound_contextvars

from clm import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clm.settings")


class TaskWithLog(Task):
    """A task whose log lines say to which task they belong."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with bound_contextvars(task=self.name, task_id=self.request.id):
            return super().__call__(*args, **kwargs)


broker.use()
app = Celery("clm", task_cls=TaskWithLog)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["clm"])
app.conf.beat_scheduler = "clm.schedule:WakeUps"
app.conf.beat_schedule_filename = str(settings.DATA_DIR / "beat-schedule")
app.conf.beat_schedule = {
    # One that waited longer than its successor has nothing left to say.
    "advance": {"task": "clm.tasks.advance", "schedule": 2.0, "options": {"expires": 2.0}},
    "advance_hot": {"task": "clm.tasks.advance_hot", "schedule": 10.0, "options": {"expires": 10.0}},
    "previews": {"task": "clm.tasks.previews", "schedule": 2.0, "options": {"expires": 2.0}},
    "publish": {"task": "clm.tasks.publish", "schedule": 2.0, "options": {"expires": 2.0}},
    "imports": {"task": "clm.tasks.imports", "schedule": 2.0, "options": {"expires": 2.0}},
    "convert": {"task": "clm.tasks.convert", "schedule": 5.0, "options": {"expires": 5.0}},
    "fill": {"task": "clm.tasks.fill", "schedule": 10.0, "options": {"expires": 10.0}},
    "erasures": {"task": "clm.tasks.erasures", "schedule": 10.0, "options": {"expires": 10.0}},
    "webhooks": {"task": "clm.tasks.webhooks", "schedule": 1.0, "options": {"expires": 1.0}},
    "experiments": {"task": "clm.tasks.experiments", "schedule": 5.0, "options": {"expires": 5.0}},
    "deliveries": {"task": "clm.tasks.deliveries", "schedule": crontab(minute=26), "options": {"expires": 3600.0}},
    "exports": {"task": "clm.tasks.exports", "schedule": 2.0, "options": {"expires": 2.0}},
    "export_files": {"task": "clm.tasks.export_files", "schedule": crontab(minute=11), "options": {"expires": 3600.0}},
    "score": {"task": "clm.tasks.score", "schedule": 60.0, "options": {"expires": 60.0}},
    "old_imports": {"task": "clm.tasks.old_imports", "schedule": crontab(minute=23), "options": {"expires": 3600.0}},
    "reports": {"task": "clm.tasks.reports", "schedule": 5.0, "options": {"expires": 5.0}},
    "old_mailings": {"task": "clm.tasks.old_mailings", "schedule": crontab(minute=37), "options": {"expires": 3600.0}},
    "duplicates": {"task": "clm.tasks.duplicates", "schedule": 10.0, "options": {"expires": 10.0}},
    "partitions": {"task": "clm.tasks.partitions", "schedule": crontab(hour=3, minute=17)},
    "answers": {"task": "clm.tasks.answers", "schedule": crontab(minute=41), "options": {"expires": 3600.0}},
}

if settings.EMBEDDED_VALKEY:
    from clm.embedded.installation import installation

    app.conf.broker_url = installation.valkey.celery_url()

    @signals.celeryd_init.connect
    @signals.beat_init.connect
    @signals.before_task_publish.connect
    def start_the_broker(**_: object) -> None:
        """Whoever talks to the private Valkey first starts it."""
        installation.ensure_valkey()
