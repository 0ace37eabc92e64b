"""Keeps the program's own processes running: starts them, starts them again when they die, ends them together.

It knows nothing of Django. What is kept beside it is one file naming the processes it started, so that the next
supervisor can end what a killed one left behind."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clm.lib.processes import birth, wait_until

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# A process that ran this long was healthy: its next death starts counting from the shortest pause again.
HEALTHY_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOK_SECONDS = 0.1


@dataclass
class Child:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    deaths: int = 0
    not_before: float = 0.0

    @property
    def pause(self) -> float:
        """Seconds to wait before the next start: doubling with every death in a row."""
        return 0.0 if not self.deaths else min(FIRST_PAUSE * 2 ** (self.deaths - 1), LONGEST_PAUSE)


@dataclass
class Supervisor:
    """Runs `children` until told to stop; `say` takes one line for the person at the terminal."""

    children: list[Child]
    record: Path
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    stopping: bool = field(default=False, init=False)
    hurried: bool = field(default=False, init=False)

    def run(self, *, each_look: Callable[[], None]) -> None:
        """Keep the children running until a signal asks to stop; `each_look` is called about ten times a second."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            while not self.stopping:
                self.look()
                each_look()
                time.sleep(LOOK_SECONDS)
        finally:
            self.stop()

    def look(self) -> None:
        """Start what should run and does not."""
        now = self.clock()
        for child in self.children:
            if child.process is not None and (code := child.process.poll()) is not None:
                _kill_group(child.process.pid)  # what it started must not meet its successor
                child.process = None
                child.deaths = 1 if now - child.born > HEALTHY_SECONDS else child.deaths + 1
                child.not_before = now + child.pause
                self.say(f"{child.name} {_manner_of_death(code)}; starting it again in {child.pause:g} s")
            if child.process is None and now >= child.not_before:
                # A session of its own: Ctrl-C reaches the supervisor alone, which then ends all in order.
                child.process = subprocess.Popen(child.command, stdin=subprocess.DEVNULL, start_new_session=True)
                child.born = now
                self._write_record()

    def stop(self) -> None:
        """End all children together: ask, wait, insist. A second signal insists at once; work is rows, so nothing is
        lost by it."""
        self.say("Stopping ...")
        alive = [child.process for child in self.children if child.process is not None]
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        wait_until(lambda: self.hurried or all(p.poll() is not None for p in alive), seconds=STOP_SECONDS)
        for process in alive:
            _kill_group(process.pid)
            process.wait()
        for child in self.children:
            child.process = None
        self.record.unlink(missing_ok=True)

    def _asked_to_stop(self, *_: object) -> None:
        self.hurried = self.stopping
        self.stopping = True

    def _write_record(self) -> None:
        pids = [child.process.pid for child in self.children if child.process is not None]
        fresh = self.record.with_suffix(".new")
        fresh.write_text(json.dumps([[pid, birth(pid)] for pid in pids]))
        fresh.replace(self.record)


def end_leftovers(record: Path) -> int:
    """End the processes of a supervisor that was killed; returns how many still ran."""
    try:
        left = [(pid, born) for pid, born in json.loads(record.read_text()) if born and birth(pid) == born]
    except (OSError, ValueError):
        return 0
    for pid, _ in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: all(birth(pid) != born for pid, born in left), seconds=STOP_SECONDS)
    for pid, _ in left:
        _kill_group(pid)
    record.unlink(missing_ok=True)
    return len(left)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _manner_of_death(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
