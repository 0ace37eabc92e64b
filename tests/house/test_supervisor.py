"""The supervisor keeps its children running, and takes all of them along when it goes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clm.lib.processes import birth, command_line, wait_until
from clm.supervisor import HEALTHY_SECONDS, LONGEST_PAUSE, Child, Supervisor, end_leftovers

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]):
    made = Supervisor(children=[], record=tmp_path / "up.json", say=said.append, clock=Clock())
    yield made
    made.stop()


def die(child: Child) -> None:
    child.process.kill()
    child.process.wait()


def test_a_dead_child_is_started_again_after_a_pause_that_doubles_with_every_death(supervisor, said):
    child = Child("web", SLEEP)
    supervisor.children.append(child)
    pauses = []
    for _ in range(9):
        supervisor.look()
        assert child.process is not None
        die(child)
        supervisor.look()
        assert child.process is None
        pauses.append(child.pause)
        supervisor.clock.now += child.pause
    assert pauses == [0.5, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]
    assert said[0] == "web was killed by SIGKILL; starting it again in 0.5 s"


def test_a_child_that_ran_well_for_long_starts_with_the_shortest_pause_again(supervisor, said):
    child = Child("beat", [sys.executable, "-c", "raise SystemExit(7)"], deaths=6)
    supervisor.children.append(child)
    supervisor.look()
    child.process.wait()
    supervisor.clock.now += HEALTHY_SECONDS + 1
    supervisor.look()
    assert said == ["beat ended with exit code 7; starting it again in 0.5 s"]


def test_what_a_dead_child_had_started_ends_with_it(supervisor):
    nest = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    child = Child("worker", SLEEP)
    child.process = subprocess.Popen([sys.executable, "-c", nest], stdout=subprocess.PIPE, start_new_session=True)
    output = child.process.stdout
    grandchild = int(output.readline())
    assert wait_until(lambda: command_line(grandchild) == ["sleep", "600"], seconds=5)
    supervisor.children.append(child)
    die(child)
    supervisor.look()
    assert wait_until(lambda: command_line(grandchild) == [], seconds=5)
    output.close()


def test_stop_ends_all_children_and_their_record(supervisor, tmp_path):
    supervisor.children += [Child("web", SLEEP), Child("worker", SLEEP)]
    supervisor.look()
    pids = [child.process.pid for child in supervisor.children]
    assert (tmp_path / "up.json").exists()
    supervisor.stop()
    assert [birth(pid) for pid in pids] == [None, None]
    assert not (tmp_path / "up.json").exists()


def test_a_second_signal_ends_a_child_that_does_not_listen(supervisor):
    child = Child("web", DEAF)
    child.process = subprocess.Popen(DEAF, stdout=subprocess.PIPE, start_new_session=True)
    assert child.process.stdout.readline() == b"ready\n"
    supervisor.children.append(child)
    process = child.process
    supervisor.stopping = supervisor.hurried = True
    supervisor.stop()
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


def test_the_next_supervisor_ends_what_a_killed_one_left_behind(supervisor, tmp_path):
    supervisor.children += [Child("web", SLEEP)]
    supervisor.look()
    pid = supervisor.children[0].process.pid
    assert end_leftovers(tmp_path / "up.json") == 1
    assert birth(pid) is None
    assert end_leftovers(tmp_path / "up.json") == 0


def test_a_recorded_number_that_another_program_has_by_now_is_left_alone(tmp_path):
    record = tmp_path / "up.json"
    record.write_text(f'[[{os.getpid()}, "long ago"], [4194305, null]]')
    assert end_leftovers(record) == 0
