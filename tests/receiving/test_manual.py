"""The manual of sending: its commands are run as they stand."""

import re
import shlex
import subprocess
import sys

import pytest
from pytest_django.live_server_helper import LiveServer

from customers.models import OrderLine, Reject, Touchpoint
from tests.conftest import PROJECT

MANUAL = (PROJECT / "docs" / "ingestion.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", MANUAL, re.DOTALL)


@pytest.mark.django_db(transaction=True)
def test_the_commands_run_as_they_stand(live_server: LiveServer, outside_env: dict[str, str]) -> None:
    script = "set -eu\n" + "\n".join(COMMANDS)
    script = script.replace("http://127.0.0.1:8000", live_server.url)
    script = script.replace(".venv/bin/python", shlex.quote(sys.executable))
    env = {**outside_env, "no_proxy": "*"}
    done = subprocess.run(
        ["sh", "-c", script], cwd=PROJECT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('{"success": true}') == 5
    assert "means nobody" in done.stdout
    assert sorted(Touchpoint.objects.values_list("type__name", flat=True)) == [
        "Order Completed",
        "Page Viewed",
        "Product Viewed",
        "Signed Up",
    ]
    assert (OrderLine.objects.count(), Reject.objects.count()) == (1, 1)
