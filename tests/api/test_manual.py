"""The manual of the API: its commands are run as they stand, its example is what is answered, its table is complete."""

import json
import re
import shlex
import subprocess
import sys

import pytest
from pytest_django.live_server_helper import LiveServer

from customers.models import Touchpoint
from tests.api.test_every_route import ROUTES
from tests.conftest import PROJECT
from tests.lifecycle.making import installed

MANUAL = (PROJECT / "docs" / "api.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", MANUAL, re.DOTALL)
(EXAMPLE,) = re.findall(r"```json\n(.*?)```", MANUAL, re.DOTALL)


@pytest.mark.django_db(transaction=True)
def test_the_commands_run_as_they_stand(live_server: LiveServer, outside_env: dict[str, str]) -> None:
    installed()
    script = "set -eu\n" + "echo; echo '#'\n".join(COMMANDS)
    script = script.replace("http://127.0.0.1:8000", live_server.url)
    script = script.replace(".venv/bin/python", shlex.quote(sys.executable))
    env = {**outside_env, "no_proxy": "*"}
    done = subprocess.run(
        ["sh", "-c", script], cwd=PROJECT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    key, calls, paging, errors, twice, rules = done.stdout.split("#\n")
    assert json.loads(key)["role"] == "marketer"
    assert '"crr"' in calls
    assert "katherine@example.org" in calls
    assert paging.strip() == ""
    assert json.loads(errors) == json.loads(EXAMPLE)
    first, again = twice.strip()[: len(twice.strip()) // 2], twice.strip()[len(twice.strip()) // 2 :]
    assert json.loads(first) == json.loads(again)
    assert json.loads(first)["is_new"] is True
    assert Touchpoint.objects.filter(type__name="Note").count() == 1
    assert '"key":"twice"' in rules.replace(" ", "")
    assert '"added":1' in rules


def test_the_table_names_everything_there_is() -> None:
    nouns = {path.removeprefix("api/v1/").split("/")[0] for path, _one in ROUTES if path.startswith("api/v1/")}
    named = set(re.findall(r"`([a-z-]+)/`", MANUAL))
    assert nouns - {"", "schema", "docs"} - named == set()
