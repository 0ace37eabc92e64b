"""Whether the program answers, and whether it can work: two addresses for those who watch it. They say which part is
broken and nothing else."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from clm.celery import app

OK = "ok"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as soon as the web process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served, 503 with the broken part named otherwise. The broker is told of but not needed:
    without it only wake-ups are lost, and the next tick finds the work."""
    parts = {"database": _said(_database), "migrations": _said(_migrations), "broker": _said(_broker)}
    ready = parts["database"] == parts["migrations"] == OK
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def _said(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, BrokerError, OSError):
        return "cannot be reached"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied" if missing else OK


def _broker() -> str:
    with app.connection_for_read(connect_timeout=0.5) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=0.5)
    return OK
