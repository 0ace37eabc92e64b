"""Work in a process of its own: one at a time, and only when there is something to do."""

import time
from pathlib import Path

import pytest
from django.conf import LazySettings

from clm.lib.own_process import OwnProcess

SCRIPT = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)\n"


def running(process: OwnProcess) -> bool:
    return process._running is not None and process._running.poll() is None


def test_it_is_started_when_needed_and_once_at_a_time(tmp_path: Path, settings: LazySettings) -> None:
    (tmp_path / "manage.py").write_text(SCRIPT)
    settings.BASE_DIR = tmp_path
    may_end = tmp_path / "may end"
    process = OwnProcess(str(may_end))
    assert not process.start_if(lambda: False)
    assert process.start_if(lambda: True)
    try:
        assert not process.start_if(lambda: pytest.fail("nobody is asked while it runs"))
    finally:
        may_end.touch()
    until = time.monotonic() + 20
    while running(process) and time.monotonic() < until:
        time.sleep(0.01)
    assert process.start_if(lambda: True)
    while running(process) and time.monotonic() < until:
        time.sleep(0.01)
