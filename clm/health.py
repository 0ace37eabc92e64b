"""Whether the program answers, and whether it can work: two addresses for those who watch it. They say which part is
broken and nothing else."""

import shutil
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from analytics.models import Broken
from clm.celery import app
from lifecycle.models import Fault
from lifecycle.pulse import TICK, WORKER, silence

OK = "ok"
# Without these no request can be served; the others are told of, and nothing is lost while they are broken.
NEEDED = ("database", "migrations")


class HealthMiddleware:
    """Answers both addresses before anything else looks at the request: whoever watches knows the address of a
    process and not the name people use, and asks without https."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.answers = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answers.get(request.path_info, self.get_response)(request)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as soon as the web process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served, 503 when not; either way each broken part is named. Advance, broker, tick and
    workers are told of but not needed: without them touchpoints wait as rows, and are worked off when they are back."""
    checks = {
        "database": _database,
        "migrations": _migrations,
        "advance": _advance,
        "broker": _broker,
        "tick": lambda: _seen(TICK),
        "worker": lambda: _seen(WORKER),
        "figures": _figures,
        "disk": _disk,
    }
    parts = {name: _said(check) for name, check in checks.items()}
    ready = all(parts[name] == OK for name in NEEDED)
    broken = sorted(name for name, said in parts.items() if said != OK)
    return JsonResponse({"ready": ready, "broken": broken, "parts": parts}, status=200 if ready else 503)


def _said(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, BrokerError, OSError):
        return "cannot be reached"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")
        (read_only,) = cursor.fetchone()
    return "takes no writes" if read_only else OK


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied" if missing else OK


def _advance() -> str:
    return "fails for every customer; the System page says how" if Fault.objects.exists() else OK


def _broker() -> str:
    with app.connection_for_read(connect_timeout=0.5) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=0.5)
    return OK


def _seen(part: str) -> str:
    """Whether a part that nobody waits for does its work. The tick beats by itself; the worker's pulse is that of the
    wake-ups it works off, so it also stops when beat sends none."""
    seconds = silence(part=part)
    if seconds is None:
        return "not seen yet"
    return OK if seconds <= settings.CLM_PULSE_SECONDS else f"not seen for {round(seconds)} seconds"


def _figures() -> str:
    """Whether the identities between kept figures held when they were counted last."""
    count = Broken.objects.count()
    return f"{count} identities do not hold" if count else OK


def _disk() -> str:
    free = shutil.disk_usage(settings.DATA_DIR).free // 10**6
    return OK if free >= settings.CLM_DISK_FREE_MB else f"{free} MB free"
