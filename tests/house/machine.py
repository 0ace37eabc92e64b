"""A folder and processes that stand for the containers of docker-compose.yml: the image's own steps, both servers with
their very flags, and every command as it is written."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psycopg2
import redis

from clm.embedded.account import Account, servers_account
from clm.embedded.places import Places, postgres_program, valkey_program
from clm.lib.processes import wait_until
from tests.house.containers import PROJECT, SECRETS, compose, dockerfile, example_env, image_env, kept_by_git
from tests.house.test_up import free_port

COMPOSE = compose({**example_env(), **SECRETS})
SERVICES = COMPOSE["services"]
NAMES = ("web", "advance", "worker", "beat")
# Containers know no root. Where this machine allows it, a root that runs the tests is shown to the processes as
# nobody; else Celery is kept from warning of it.
_MASK = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
MASKED = os.geteuid() == 0 and subprocess.run([*_MASK, "true"], capture_output=True, check=False).returncode == 0
AS_USER = _MASK if MASKED else []


class Machine:
    """A folder that stands for the containers' file systems, and the processes in them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ports = {"postgres": free_port(), "valkey": free_port(), "web": free_port()}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.postgres_account: Account

    # --- Building ------------------------------------------------------------------------------------------
    def inside(self, text: str) -> str:
        """A path of the container, or a text with some in it, as it is called on this machine."""
        return re.sub(r"(?<![\w.])/(app|data|srv/static|tmp/building)\b", lambda m: f"{self.root}/{m[1]}", text)

    def build(self) -> None:
        """The instructions of the last stage. Its two package stages are what `make packages` has done already, by
        the same commands: npm ci, and pip install --require-hashes of the same file (`make soak` does them anew)."""
        app = self.root / "app"
        for folder in (app, self.root / "data"):
            folder.mkdir(parents=True)
        kept = kept_by_git()
        for one in dockerfile()[-1].instructions:
            if one.name == "COPY" and "from" not in one.flags:
                *sources, target = one.words
                for name in sorted(kept):
                    for source in sources:
                        if name == source or name.startswith(f"{source}/"):
                            inner = Path(target) / name if target == "./" else Path(target + name[len(source) :])
                            (app / inner).parent.mkdir(parents=True, exist_ok=True)
                            shutil.copy(PROJECT / name, app / inner)
            elif one.name == "COPY" and one.flags["from"] == "frontend":
                source, target = one.words
                found = PROJECT / source.removeprefix("/build/")
                place = app / target / (found.name if target.endswith("/") else "")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(found)
            elif one.name == "RUN" and not one.text.startswith("groupadd"):
                done = subprocess.run(
                    ["/bin/sh", "-c", self.inside(one.text)],
                    cwd=app,
                    env=self.env({}),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr

    def env(self, given: dict[str, str]) -> dict[str, str]:
        """What a process of the image sees: its ENV and what compose adds, with the servers' names as addresses."""
        mapped = {name: self.inside(value) for name, value in {**image_env(), **given}.items()}
        mapped["PATH"] = f"{Path(sys.executable).parent}:{os.defpath}"
        for name, port in (("postgres", 5432), ("valkey", 6379)):
            mapped = {key: v.replace(f"{name}:{port}", f"127.0.0.1:{self.ports[name]}") for key, v in mapped.items()}
        # Others run on this machine too; the address inside a container is its own.
        if not AS_USER:
            mapped["PYTHONWARNINGS"] = "ignore:You're running the worker"
        return {**mapped, "PORT": str(self.ports["web"]), "HOST": "127.0.0.1", "HOME": str(self.root / "data")}

    # --- Running -------------------------------------------------------------------------------------------
    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text()

    def start(self, name: str, **env: str) -> None:
        service = SERVICES[name]
        with (self.root / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*AS_USER, *service["command"]],
                cwd=self.root / "app",
                env=self.env({**service["environment"], **env}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_again(self) -> None:
        """What an engine does under `restart: unless-stopped` to services that ended by themselves. Celery's worker
        may: a broker that dies while a message is acknowledged makes kombu raise an AttributeError in its clean-up."""
        for name in NAMES:
            ended = name in self.running and self.running[name].poll() is not None
            if ended and SERVICES[name]["restart"] == "unless-stopped":
                self.start(name)

    def run(self, service: str, command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*AS_USER, *command],
            cwd=self.root / "app",
            env={**self.env({**SERVICES[service]["environment"], **env}), "LOG_LEVEL": "WARNING"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def stop(self, name: str) -> int:
        """As an engine stops it: SIGTERM, and never longer than its grace."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(timeout=int(SERVICES[name].get("stop_grace_period", "10s").removesuffix("s")))

    def start_postgres(self) -> None:
        service, data = SERVICES["postgres"], self.root / "postgres"
        account = self.postgres_account = servers_account(Places(self.root), postgres_program("postgres"))
        if not data.exists():
            account.make_directory(data)
            secret = data.with_name("password")
            account.write(secret, service["environment"]["POSTGRES_PASSWORD"])
            command = [
                postgres_program("initdb"),
                "-D",
                data,
                "-U",
                service["environment"]["POSTGRES_USER"],
                "--no-sync",
            ]
            command += ["--auth-host=scram-sha-256", "--auth-local=trust", f"--pwfile={secret}"]
            code, said = account.run([*command, *shlex.split(service["environment"]["POSTGRES_INITDB_ARGS"])])
            assert code == 0, said
        flags = " ".join(shlex.quote(word) for word in service["command"][1:])
        place = f"-p {self.ports['postgres']} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -F"
        control = [postgres_program("pg_ctl"), "start", "-w", "-D", data, "-l", data / "log"]
        code, said = account.run([*control, "-o", f"{flags} {place}"])
        assert code == 0, said

    def stop_postgres(self) -> None:
        code, said = self.postgres_account.run(
            [postgres_program("pg_ctl"), "stop", "-w", "-D", self.root / "postgres", "-m", "fast"]
        )
        assert code == 0, said

    def start_valkey(self) -> None:
        (self.root / "valkey").mkdir(exist_ok=True)
        flags = SERVICES["valkey"]["command"][1:]
        place = ["--port", str(self.ports["valkey"]), "--bind", "127.0.0.1", "--dir", str(self.root / "valkey")]
        self.running["valkey"] = subprocess.Popen(
            [valkey_program(), *flags, *place], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        with redis.Redis(port=self.ports["valkey"]) as broker:
            assert wait_until(lambda: _pings(broker), seconds=10)
            assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

    def query(self, statement: str, database: str = "clm") -> list[tuple[object, ...]]:
        settings = {"host": "127.0.0.1", "port": self.ports["postgres"], "user": "clm", "dbname": database}
        connection = psycopg2.connect(**settings, password=SECRETS["POSTGRES_PASSWORD"])
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    # --- Asking --------------------------------------------------------------------------------------------
    def get(self, path: str, **options: object) -> tuple[int, bytes, dict[str, str]]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['web']}{path}", **options)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)
        except OSError:
            return 0, b"", {}

    def ready(self) -> tuple[int, dict[str, str]]:
        status, body, _headers = self.get("/readyz")
        return status, {name: said for name, said in json.loads(body)["parts"].items() if said != "ok"} if body else {}

    def parts(self) -> list[str]:
        return list(json.loads(self.get("/readyz")[1])["parts"])

    def end(self) -> None:
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL) if process.pid == os.getpgid(process.pid) else process.kill()
            process.wait()
        if (self.root / "postgres" / "postmaster.pid").exists():
            self.stop_postgres()


def _pings(broker: redis.Redis) -> bool:
    try:
        return broker.ping()
    except redis.ConnectionError:
        return False
