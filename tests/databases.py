"""How test databases are made and emptied: copied from one that was migrated, and cleared of what tests committed.

A copy is what the migrations make, to the last index. Emptied is more than `flush` leaves: tables without a model of
their own, such as raw bodies and the cache, are emptied too, and what describes the code stays instead of being written
again."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection

TEMPLATE = "clm_template"
# Held while a template is looked for and made, so that workers which begin together make one.
_LOCK = 7399
# What describes the code and not the tests' data: no test changes it.
_KEPT = ("django_migrations", "django_content_type", "auth_permission")

# A table that was written to has pages, even if all was rolled back; one that was emptied has none. To empty those
# and whatever refers to them takes a seventh of the time that all would. Parts are emptied with what they are of.
_EMPTY = """
DO $$
DECLARE written text;
BEGIN
    WITH RECURSIVE found AS (
        SELECT coalesce(pg_partition_root(oid)::oid, oid) AS oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL ('{%s}')
          AND pg_relation_size(oid) > 0
        UNION
        SELECT coalesce(pg_partition_root(conrelid)::oid, conrelid) FROM pg_constraint
        JOIN found ON confrelid = found.oid WHERE contype = 'f'
    )
    SELECT string_agg(oid::regclass::text, ', ') INTO written FROM found;
    IF written IS NOT NULL THEN
        EXECUTE 'TRUNCATE ' || written;
    END IF;
END
$$
"""


def empty() -> None:
    """Every table that tests have written to, made anew in one statement. Sequences go on where they are."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY % ",".join(_KEPT))


def fingerprint() -> str:
    """Of everything that a migrated database depends on: 16 hexadecimal digits."""
    digest = hashlib.sha256(repr((django.VERSION, version("django-pgtrigger"))).encode())
    for app in sorted(apps.get_app_configs(), key=lambda app: app.label):
        for path in sorted(Path(app.path).glob("migrations/*.py")):
            digest.update(f"\n{app.label} {path.name}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def template() -> str:
    """The name of a migrated database on the tests' own server; made if there is none of this schema yet, which is
    when those of other schemas are dropped."""
    name = f"{TEMPLATE}_{fingerprint()}"
    with connection._nodb_cursor() as cursor:
        # Until the cursor's connection ends.
        cursor.execute("SELECT pg_advisory_lock(%s, 0)", [_LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [TEMPLATE])
        known = {found for (found,) in cursor.fetchall()}
        if name not in known:
            for old in known:
                cursor.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
            making = f"{TEMPLATE}_making"
            cursor.execute(f'CREATE DATABASE "{making}"')
            with working_on(making):
                call_command("migrate", verbosity=0, interactive=False)
                call_command("createcachetable", verbosity=0)
            cursor.execute(f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    return name


@contextmanager
def working_on(name: str) -> Iterator[None]:
    """This thread's connection, and those that others open meanwhile, are to another database of the same server."""
    before = settings.DATABASES["default"]["NAME"]
    connection.close()
    for place in (settings.DATABASES["default"], connection.settings_dict):
        place["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        for place in (settings.DATABASES["default"], connection.settings_dict):
            place["NAME"] = before
