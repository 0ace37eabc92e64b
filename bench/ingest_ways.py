"""A process that stores batches into one database, each way that bench/ingest.py compares, and tells how long each
took. It reads one JSON object a line and answers with one: {"do": name, ...}. Start Django before this is imported.

The rows of the floor are those the program itself writes for its batch: the batch is stored in a transaction that is
rolled back, its rows are read before, and given ids and hashes of their own."""

import io
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from rest_framework.test import APIRequestFactory

from bench.ingest_peer import PeerView
from bench.measuring import computed
from clm.web_server import when_ready
from clm.wsgi import application
from customers.models import Source
from customers.receiving.bodies import envelope_of
from customers.receiving.door import Door, door_of
from customers.receiving.receive import receive
from customers.receiving.write_keys import create_source

FLOOR = (Path(__file__).parent / "ingest_floor.sql").read_text()
# In the order in which they may be deleted.
TABLES = (
    "customers_stale", "customers_trait", "customers_traittelling", "customers_touchpoint", "customers_identity",
    "customers_profile", "customers_customer",
)  # fmt: skip


class Store:
    """One database, a source in it, and what is to be removed at the end."""

    def __init__(self) -> None:
        self.marks = {table: _one(f"SELECT coalesce(max(id), 0) FROM {table}") for table in TABLES}
        self.source, self.key = create_source(name=f"Measurement {uuid.uuid4().hex[:8]}")

    def begin(self, *, people: int, seed: int) -> dict[str, Any]:
        """The write key, how many touchpoints there are, and some of the people known by a user id, drawn evenly."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT setseed(%s)", [seed / 1000])
            cursor.execute(
                "SELECT own.value, coalesce((SELECT min(other.value) FROM customers_identity AS other"
                "   WHERE other.profile_id = own.profile_id AND other.kind = 'anonymous_id'), '')"
                " FROM customers_identity AS own"
                " WHERE own.kind = 'user_id' AND own.id IN ("
                "   SELECT 1 + floor(random() * (SELECT max(id) FROM customers_identity))::bigint"
                "   FROM generate_series(1, %s))",
                [6 * people],
            )
            found = cursor.fetchall()
        rows = _one("SELECT reltuples::bigint FROM pg_class WHERE oid = 'customers_touchpoint'::regclass")
        known = _one("SELECT reltuples::bigint FROM pg_class WHERE oid = 'customers_customer'::regclass")
        return {"key": self.key, "rows": rows, "customers": known, "people": found[:people]}

    def whole(self, bodies: list[str]) -> list[float]:
        """The program: the request through its middleware and view, as the web server hands it over."""
        return [_timed(lambda body=body: self._requested(body.encode())) for body in bodies]

    def floor(self, bodies: list[str]) -> list[float]:
        """The rows alone, in one statement and one transaction."""
        return [_timed(lambda rows=rows: self._inserted(rows)) for rows in [self._rows_of(one) for one in bodies]]

    def peer(self, bodies: list[str]) -> list[float]:
        """The usual way, without any middleware."""
        PeerView.source = self.source
        view, make = PeerView.as_view(), APIRequestFactory()
        requests = [make.post("/", body.encode(), content_type="application/json") for body in bodies]

        def asked(request: Any) -> None:
            answer = view(request).render()
            assert answer.status_code == 200, answer.content

        return [_timed(lambda request=request: asked(request)) for request in requests]

    def processor(self, bodies: list[str]) -> list[float]:
        """Seconds that this process and its session of the database computed for all of the bodies."""
        connection.ensure_connection()
        connection.close_at = None  # else a session that is a minute old would end while it is watched
        mine, session = os.getpid(), connection.connection.info.backend_pid
        before = computed(mine), computed(session)
        self.whole(bodies)
        assert connection.connection.info.backend_pid == session
        return [computed(mine) - before[0], computed(session) - before[1]]

    def wal(self, bodies: list[str]) -> dict[str, Any]:
        """Where the write-ahead log stood before and after so many batches, and where its files are."""
        before = _one("SELECT pg_current_wal_insert_lsn()")
        self.whole(bodies)
        after = _one("SELECT pg_current_wal_insert_lsn()")
        size = _one("SELECT pg_wal_lsn_diff(%s, %s)::bigint", [after, before])
        _one("SELECT pg_switch_wal()")
        database = _one("SELECT oid::bigint FROM pg_database WHERE datname = current_database()")
        folder = _one("SHOW data_directory")
        return {"from": before, "until": after, "bytes": size, "folder": folder, "database": database}

    def relations(self) -> list[Any]:
        """Which file is which table or index."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_relation_filenode(oid), relname FROM pg_class WHERE relkind IN ('r', 'i', 't')")
            return cursor.fetchall()

    def deadlocks(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        return _one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")

    def stored(self) -> int:
        """Messages of this source that are stored: touchpoints but for those that say somebody is new, and tellings."""
        touchpoints = _one(
            "SELECT count(*) FROM customers_touchpoint WHERE source_id = %s AND type_id NOT IN ("
            "   SELECT id FROM customers_touchpointtype WHERE name = 'Created')",
            [self.source.pk],
        )
        return touchpoints + _one(
            "SELECT count(*) FROM customers_traittelling WHERE source_id = %s AND message_hash IS NOT NULL",
            [self.source.pk],
        )

    def forget(self) -> None:
        """Remove everything that was stored since the beginning."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            touchpoint = self.marks["customers_touchpoint"]
            for table in ("customers_propertyvalue", "customers_orderline"):
                cursor.execute(f"DELETE FROM {table} WHERE touchpoint_id > %s", [touchpoint])
            cursor.execute("DELETE FROM customers_rawbody WHERE source_id = %s", [self.source.pk])
            cursor.execute("DELETE FROM customers_reject WHERE source_id = %s", [self.source.pk])
            for table, mark in self.marks.items():
                cursor.execute(f"DELETE FROM {table} WHERE id > %s", [mark])
            Source.objects.filter(pk=self.source.pk).delete()
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"VACUUM {table}")

    @property
    def door(self) -> Door:
        found = door_of(self.key, now=datetime.now(UTC))
        assert found is not None
        return found

    def _requested(self, body: bytes) -> None:
        said: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/v1/batch",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": f"Bearer {self.key}",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        answer = application(environ, lambda status, _headers, _info=None: said.append(status))
        b"".join(answer)
        answer.close()
        assert said == ["200 OK"], said

    def _inserted(self, rows: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR, {"rows": rows, "source": self.source.pk})

    def _rows_of(self, body: str) -> str:
        """The rows that storing this batch writes, as JSON, all of them new."""
        with transaction.atomic():
            before = {table: _one(f"SELECT coalesce(max(id), 0) FROM {table}") for table in TABLES}
            receive(door=self.door, envelope=envelope_of(body.encode()), kind=None, received=datetime.now(UTC))
            rows = {
                table: json.loads(
                    _one(
                        f"SELECT coalesce(json_agg(t ORDER BY id), '[]')::text FROM {table} AS t WHERE id > %s", [mark]
                    )
                )
                for table, mark in before.items()
            }
            hashes = [row["message_hash"] for name in TABLES for row in rows[name] if row.get("message_hash")]
            rows["customers_rawbody"] = json.loads(
                _one(
                    "SELECT coalesce(json_agg(json_build_object('received_at', received_at, 'message_hash',"
                    " message_hash, 'messages', messages, 'body', encode(body, 'hex'))), '[]')::text"
                    " FROM customers_rawbody WHERE source_id = %s AND message_hash = ANY(%s::uuid[])",
                    [self.source.pk, hashes],
                )
            )
            transaction.set_rollback(True)
        # What a rolled back row leaves in an index is met by whoever writes the same key again.
        customers = self._numbers("customers_customer", rows)
        profiles = self._numbers("customers_profile", rows)
        for row in rows["customers_profile"]:
            row["customer_id"] = customers.get(row["customer_id"], row["customer_id"])
        for each in rows.values():
            for row in each:
                if "profile_id" in row:
                    row["profile_id"] = profiles.get(row["profile_id"], row["profile_id"])
                if row.get("message_hash"):
                    row["message_hash"] = str(uuid.uuid5(uuid.NAMESPACE_OID, row["message_hash"]))
        for row in rows["customers_identity"]:
            row["value"] += "'"
        return json.dumps(rows)

    def _numbers(self, table: str, rows: dict[str, list[dict[str, Any]]]) -> dict[int, int]:
        """Give the rows of a table ids nobody has; by former id."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, len(rows[table])],
            )
            fresh = [number for (number,) in cursor.fetchall()]
        given = {row["id"]: number for row, number in zip(rows[table], fresh, strict=True)}
        for row in rows[table]:
            row["id"] = given[row["id"]]
        return given


def _one(statement: str, values: list[Any] | None = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def serve(lines: Iterator[str]) -> None:
    """Answer one line after the other."""
    when_ready(None)  # as the web server does
    store = Store()
    for line in lines:
        asked = json.loads(line)
        answer = getattr(store, asked.pop("do"))(**asked)
        print(json.dumps(answer), flush=True)
