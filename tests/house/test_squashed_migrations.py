"""A new database is made in one step per app; one from before goes on by the steps that it knows; both end up alike."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.serializer import serializer_factory
from django.db.migrations.state import ModelState
from pytest_django import DjangoDbBlocker

from clm.embedded.places import postgres_program
from tests.databases import working_on

ROOMS = ("analytics", "campaigns", "customers", "lifecycle")
Key = tuple[str, str]


@cache
def squashed() -> dict[str, tuple[Key, list[Key]]]:
    """By room, its squashed migration and those that it stands for, in their order."""
    found = MigrationLoader(None).replacements
    return {key[0]: (key, migration.replaces) for key, migration in found.items() if key[0] in ROOMS}


def described(model: ModelState) -> object:
    """Everything of a model as a migration would write it, its fields in the order of their columns."""
    fields = [(name, serializer_factory(field).serialize()[0]) for name, field in model.fields.items()]
    # An option that was set and taken back is left as an empty list.
    options = {name: value for name, value in model.options.items() if value}
    return model.name, fields, options, model.bases, [name for name, _manager in model.managers]


@pytest.mark.parametrize("room", ROOMS)
def test_one_step_leads_where_the_steps_led(room: str) -> None:
    key, steps = squashed()[room]
    loader = MigrationLoader(None, replace_migrations=False)
    before, after = (loader.project_state([end]).models for end in (steps[-1], key))
    models = sorted(model for model in before if model[0] == room)
    assert models == sorted(model for model in after if model[0] == room)
    assert [model for model in models if described(before[model]) != described(after[model])] == []


def plan() -> list[Key]:
    executor = MigrationExecutor(connection)
    return [
        (each.app_label, each.name) for each, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]


def forget(*keys: Key) -> None:
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("DELETE FROM django_migrations WHERE app = %s AND name = %s", key)


@pytest.mark.django_db
def test_a_database_that_made_all_the_steps_has_nothing_to_do() -> None:
    forget(*(key for key, _steps in squashed().values()))
    assert plan() == []


@pytest.mark.django_db
@pytest.mark.parametrize("room", ROOMS)
def test_a_database_that_lacks_the_last_step_makes_that_step(room: str) -> None:
    key, steps = squashed()[room]
    later = [each for each in MigrationRecorder(connection).applied_migrations() if each[0] == room]
    forget(*(each for each in later if each not in steps[:-1]))
    wanted = plan()
    assert wanted[0] == steps[-1]
    assert key not in wanted


@contextmanager
def database(name: str) -> Iterator[None]:
    """An empty one, which this thread works on."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        with working_on(name):
            yield
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def schema() -> str:
    """All that there is in the database but rows, as pg_dump writes it."""
    connection.ensure_connection()
    told = connection.get_connection_params()
    address = ["-h", str(told.get("host", "")), "-p", str(told.get("port") or 5432), "-U", str(told["user"])]
    env = {**os.environ, "PGPASSWORD": str(told.get("password") or "")}
    command = [str(postgres_program("pg_dump")), "--schema-only", *address, str(connection.settings_dict["NAME"])]
    done = subprocess.run(command, env=env, capture_output=True, check=True, text=True).stdout
    # A word that is another one each time guards what psql does with the text.
    return "\n".join(line for line in done.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def by_steps(targets: list[Key]) -> None:
    """As a release from before the squashed migrations made a database: up to these steps, and no further."""
    executor = MigrationExecutor(connection)
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    executor.migrate(targets)
    forget(*(key for key, _steps in squashed().values()))


@pytest.mark.soak
def test_all_ways_lead_to_the_same_schema(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    steps = [found for _key, found in squashed().values()]
    with django_db_blocker.unblock():
        with database("clm_new"):
            call_command("migrate", verbosity=0, interactive=False)
            new = schema()
        with database("clm_all_the_steps"):
            by_steps([each[-1] for each in steps])
            call_command("migrate", verbosity=0, interactive=False)
            stepped = schema()
        with database("clm_halfway"):
            by_steps([each[len(each) // 2] for each in steps])
            call_command("migrate", verbosity=0, interactive=False)
            went_on = schema()
    assert stepped == new
    assert went_on == new
