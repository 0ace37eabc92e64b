"""Whatever the Dockerfile and docker-compose.yml name exists and means what they think, without an engine to ask."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from clm import web_server
from clm.embedded.places import postgres_program, valkey_program
from clm.embedded.postgres import configuration
from tests.house.containers import (
    PROJECT,
    SECRETS,
    compose,
    dockerfile,
    example_env,
    image_env,
    kept_by_git,
    sent_to_builder,
    variables_used,
)

STAGES = dockerfile()
IMAGE = STAGES[-1]
COMPOSE = compose({**example_env(), **SECRETS})
SERVICES = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
LASTING = [name for name in SERVICES if name != "prepare"]
MANUAL = (PROJECT / "docs" / "operations.md").read_text()
READ = set(re.findall(r"""\benv\.\w+\(\s*"([A-Z_]+)\"""", (PROJECT / "clm" / "settings.py").read_text()))


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


# --- What it is made from --------------------------------------------------------------------------------------
def test_every_base_image_is_pinned_by_a_tag_that_names_a_version():
    images = {stage.image for stage in STAGES} | {SERVICES[name]["image"] for name in SERVICES if name not in OURS}
    assert {image for image in images if not re.fullmatch(r"[\w./-]+:\d+(\.\d+)*[\w.-]*", image)} == set()


@pytest.mark.parametrize(
    ("service", "program"), [("postgres", postgres_program("postgres")), ("valkey", valkey_program())]
)
def test_the_servers_are_of_the_very_versions_that_the_tests_run_against(service: str, program: Path):
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    tested = re.search(r"\b(\d+(?:\.\d+)+)\b", said)[1]
    assert re.search(r":([\d.]+)", SERVICES[service]["image"])[1] == tested


def test_the_image_is_named_after_the_release():
    (version,) = re.findall(r'^version = "([^"]+)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert {SERVICES[name]["image"] for name in OURS} == {f"clm:{version}"}


def test_the_image_has_the_oldest_python_that_the_program_promises_to_run_on():
    (promised,) = re.findall(r'requires-python = ">=(\d+\.\d+)"', (PROJECT / "pyproject.toml").read_text())
    assert {stage.image for stage in STAGES if stage.image.startswith("python:")} == {
        f"python:{promised}-slim-bookworm"
    }


def test_packages_are_checked_against_their_hashes_and_the_lock_file():
    commands = [one.text for stage in STAGES for one in stage.of("RUN")]
    (pip,) = [command for command in commands if "pip install" in command]
    assert "--require-hashes" in pip and pip.endswith("-r requirements.txt")
    (npm,) = [command for command in commands if "npm" in command]
    assert npm.startswith("npm ci ")


def test_what_is_copied_is_in_the_clone_and_is_sent_to_the_builder():
    kept, sent = kept_by_git(), sent_to_builder()
    for stage in STAGES:
        for copy in stage.of("COPY"):
            if "from" in copy.flags:
                assert copy.flags["from"] in {one.name for one in STAGES}
                continue
            for source in copy.words[:-1]:
                found = {name for name in kept if name == source or name.startswith(f"{source}/")}
                assert found, source
                assert found - sent == {name for name in found if name.endswith(".pyc")}, source


def test_nothing_is_sent_to_the_builder_that_no_stage_copies():
    sources = {s for stage in STAGES for copy in stage.of("COPY") if "from" not in copy.flags for s in copy.words[:-1]}
    assert {name.partition("/")[0] for name in sent_to_builder()} == sources


def test_all_that_settings_name_is_in_the_image():
    inside = [copy.words[-1].rstrip("/") for copy in IMAGE.of("COPY")]
    needed = [Path(folder) for folder in (*settings.STATICFILES_DIRS, *settings.LOCALE_PATHS, settings.ICONS_DIR)]
    needed += [Path(folder) for engine in settings.TEMPLATES for folder in engine["DIRS"]]
    needed += [Path(root) / name for root, names in settings.STATIC_PACKAGES.values() for name in names]
    needed += [settings.BASE_DIR / app.partition(".")[0] for app in settings.INSTALLED_APPS]
    relative = {
        str(path.relative_to(settings.BASE_DIR))
        for path in needed
        if path.is_relative_to(settings.BASE_DIR) and path.exists()
    }
    assert {one for one in relative if not any(f"{one}/".startswith(f"{copied}/") for copied in inside)} == set()
    assert len(relative) > 10


# --- What it leaves behind -------------------------------------------------------------------------------------
def test_the_image_runs_as_nobody_in_particular_and_knows_whether_it_lives():
    (user,) = IMAGE.of("USER")
    assert user.text not in ("root", "0")
    assert any(f"useradd --uid 10001 --gid {user.text}" in run.text for run in IMAGE.of("RUN"))
    order = [one.name for one in IMAGE.instructions]
    assert order.index("USER") > max(index for index, name in enumerate(order) if name in ("RUN", "COPY"))
    (health,) = IMAGE.of("HEALTHCHECK")
    assert health.words[:2] == ["python", "-c"]
    compile(health.words[2], "HEALTHCHECK", "exec")


def test_no_layer_holds_a_secret():
    assert not [one for stage in STAGES for one in stage.instructions if one.name in ("ARG", "ADD")]
    assert not {name for name in image_env() if re.search("KEY|PASSWORD|URL|TOKEN", name)}
    assert not [name for name in sent_to_builder() if re.search(r"(^|/)\.|secret_key$|\.pem$", name)]
    for run in IMAGE.of("RUN"):
        if "manage.py" in run.text:  # without a key of its own the program would make a real one, in this layer
            assert "SECRET_KEY=building" in run.text and "CLM_DATA_DIR=/tmp/" in run.text


# --- What it is told -------------------------------------------------------------------------------------------
def test_every_variable_the_program_is_given_is_one_it_reads_and_the_manual_explains():
    given = {name for name in image_env() if name not in ("PATH", "PYTHONUNBUFFERED")}
    for name in OURS:
        given |= set(SERVICES[name]["environment"])
    assert given - READ == set()
    assert {name for name in given if f"`{name}`" not in MANUAL} == set()


def test_every_variable_of_the_example_is_used_and_every_other_one_has_a_default_and_is_explained():
    assert set(example_env()) - variables_used() == set()
    assert set(SECRETS) == {name for name, value in example_env().items() if not value}
    assert {name for name in variables_used() - set(example_env()) if f"`{name}`" not in MANUAL} == set()
    compose(SECRETS)


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_without_its_secrets_nothing_starts(missing: str):
    with pytest.raises(KeyError, match=r"\.env\.example"):
        compose({name: value for name, value in SECRETS.items() if name != missing})


@pytest.mark.parametrize("service", OURS)
def test_every_command_is_understood_by_the_program_it_calls(service: str, tmp_path: Path):
    command = list(SERVICES[service]["command"])
    if command[0] == "python":
        assert command[1] == "manage.py" and command[2] in get_commands()
        asked = [*command, "--help"]
    elif command[0] == "celery":
        asked = [*command, "--help"]
    else:
        asked = [*command, "--check-config"]
    program = [sys.executable] if command[0] == "python" else [sys.executable, "-m", command[0]]
    env = {**os.environ, **SERVICES[service]["environment"], "CLM_DATA_DIR": str(tmp_path)}
    env["DJANGO_SETTINGS_MODULE"] = "clm.settings"
    done = subprocess.run([*program, *asked[1:]], cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_python_module_and_health_check_named_exists():
    text = (PROJECT / "docker-compose.yml").read_text() + (PROJECT / "Dockerfile").read_text()
    named = set(re.findall(r"\bclm\.\w+\b", text))
    assert named == {"clm.web_server", "clm.celery"}
    assert [name for name in named if importlib.util.find_spec(name) is None] == []
    for name in ("advance", "worker"):
        check = SERVICES[name]["healthcheck"]["test"]
        assert check[:4] == ["CMD", "python", "manage.py", "pulse"] and check[3] in get_commands()


# --- How it lives and dies -------------------------------------------------------------------------------------
@pytest.mark.parametrize("service", LASTING)
def test_every_lasting_service_is_restarted_and_is_given_time_to_end(service: str):
    assert SERVICES[service]["restart"] == "unless-stopped"
    if service != "beat":
        assert seconds(SERVICES[service]["stop_grace_period"]) >= 15
        # Its own, or the image's.
        assert SERVICES[service].get("healthcheck", {"test": IMAGE.of("HEALTHCHECK")})["test"]


def test_those_who_stop_us_wait_longer_than_we_need():
    assert seconds(SERVICES["web"]["stop_grace_period"]) > web_server.graceful_timeout
    assert seconds(SERVICES["worker"]["stop_grace_period"]) > settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT


def test_services_wait_for_what_they_need_and_only_for_that():
    waits = {name: SERVICES[name].get("depends_on", {}) for name in OURS}
    assert {name for name, on in waits.items() if on.get("postgres") == {"condition": "service_healthy"}} == set(OURS)
    for name in OURS:
        assert set(waits[name]) <= set(SERVICES)
        assert name == "prepare" or waits[name]["prepare"] == {"condition": "service_completed_successfully"}
    # No request needs the broker, and the tick does without it.
    assert {name for name, on in waits.items() if "valkey" in on} == {"worker", "beat"}


def test_volumes_and_networks_are_declared_and_only_the_web_can_be_reached():
    for service in SERVICES.values():
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(COMPOSE["volumes"])
        assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {SERVICES[name]["volumes"][0].partition(":")[2] for name in OURS} == {image_env()["CLM_DATA_DIR"]}


def test_postgresql_is_set_as_the_private_one_is():
    words = SERVICES["postgres"]["command"]
    given = dict(pair.split("=", 1) for flag, pair in zip(words[1::2], words[2::2], strict=True) if flag == "-c")
    text = configuration(sockets=Path("/run"), fast=False)
    private = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    del given["shared_buffers"]
    assert given == {name: private[name] for name in given}
    assert {"log_min_error_statement", "log_error_verbosity", "jit", "max_wal_size"} <= set(given)


def test_the_broker_drops_nothing_in_silence():
    command = " ".join(SERVICES["valkey"]["command"])
    assert "--maxmemory-policy noeviction" in command and "--appendonly yes" in command
