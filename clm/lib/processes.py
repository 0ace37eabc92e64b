"""What this machine says about a process, and running one short command. No psutil: /proc or ps is enough."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def command_line(pid: int) -> list[str]:
    """The arguments a process was started with; empty when there is none, or when it is dead and only waits to be
    reaped (which never happens under a container's first process that does not reap)."""
    if sys.platform == "linux":
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return []
        return [os.fsdecode(part) for part in raw.rstrip(b"\0").split(b"\0")] if raw else []
    shown = subprocess.run(
        ["/bin/ps", "-ww", "-o", "stat=", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    state, _, command = shown.partition(" ")
    return [] if not command or state.startswith("Z") else [command.strip()]


def birth(pid: int) -> str | None:
    """When a process was started, in the system's own words; with the pid it names one process for ever. None when
    there is none."""
    if sys.platform == "linux":
        try:
            # The name in parentheses may hold anything; the fields after it are numbers, the 20th the start.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    shown = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    state, _, started = shown.partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def runs(pid: int | None, *, naming: Path) -> bool:
    """Whether a living process of that id has `naming` among its arguments: a pid alone proves nothing, since the
    number may belong to another program by now."""
    if not pid:
        return False
    arguments = command_line(pid)
    if sys.platform == "linux":
        return str(naming) in arguments
    return any(str(naming) in argument for argument in arguments)


def end(pid: int | None, *, naming: Path, first: signal.Signals, last: signal.Signals, patience: float) -> None:
    """Ask a process to stop with `first`; after `patience` seconds insist with `last`."""
    if pid is None or not runs(pid, naming=naming):
        return
    for ask, seconds in ((first, patience), (last, 10.0)):
        try:
            os.kill(pid, ask)
            os.kill(pid, signal.SIGCONT)  # a frozen process hears nothing
        except ProcessLookupError:
            return
        if wait_until(lambda: not runs(pid, naming=naming), seconds=seconds):
            return
    raise TimeoutError(f"Process {pid} does not stop.")


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Poll `condition` until it holds; False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def run(
    command: Sequence[str | Path],
    *,
    uid: int | None = None,
    gid: int | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 120.0,
) -> tuple[int, str]:
    """Run a command to its end and return (exit code, output). The output goes through a file, never a pipe: a
    server started by the command inherits it, and reading a pipe would wait until that server ends."""
    as_user: dict[str, Any] = (
        {} if uid is None or uid == os.geteuid() else {"user": uid, "group": gid, "extra_groups": []}
    )
    with tempfile.TemporaryFile() as output:
        code = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal must not reach a server
            timeout=seconds,
            check=False,
            **as_user,
        ).returncode
        output.seek(0)
        return code, output.read().decode(errors="replace").strip()
