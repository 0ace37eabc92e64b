"""What is done between loading the program and serving it."""

import subprocess
import sys


def test_what_is_loaded_before_the_processes_are_forked_is_set_aside_from_the_collector() -> None:
    script = "import gc; from clm import web_server; web_server.when_ready(None); print(gc.get_freeze_count() > 10_000)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "True"
