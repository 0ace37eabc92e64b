"""What a newcomer's machine lacks is said in one line, with the command that helps."""

import subprocess
import sys
from pathlib import Path

import pytest

from clm import bootstrap

PROJECT = Path(__file__).resolve().parents[2]


def find_python(tmp_path: Path, **scripts: str) -> subprocess.CompletedProcess[str]:
    """Run bin/find-python with nothing on the search path but these scripts and uname."""
    folder = tmp_path / "path"
    folder.mkdir()
    for name, text in {"uname": "echo Linux", **scripts}.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(PROJECT / "bin" / "find-python")], env={"PATH": str(folder)}, capture_output=True, text=True
    )


def test_a_python_that_is_too_old_is_named_in_one_line_with_the_command_that_helps(tmp_path):
    old = 'test "$1" = --version && echo Python 3.9.2 && exit 0; exit 1'
    said = find_python(tmp_path, python3=old)
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "CLM needs Python 3.11 or newer (found: Python 3.9.2)" in said.stderr
    assert "sudo apt-get install" in said.stderr


def test_a_newer_python_beside_an_old_one_is_found(tmp_path):
    said = find_python(tmp_path, **{"python3": "exit 1", "python3.12": "exit 0"})
    assert (said.returncode, said.stdout) == (0, f"{tmp_path}/path/python3.12\n")


def test_on_a_mac_without_python_homebrew_is_named(tmp_path):
    said = find_python(tmp_path, uname="echo Darwin")
    assert "brew install python@3.13" in said.stderr


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder that stands for a fresh clone; `ran` in it collects the commands that would have been run."""
    for name in ("requirements.txt", "package-lock.json"):
        (tmp_path / name).write_text("pinned")
    for name, path in {"PROJECT": "", "VENV": ".venv", "NODE_MODULES": "node_modules"}.items():
        monkeypatch.setattr(bootstrap, name, tmp_path / path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_missing_venv_module_is_said_with_the_package_that_brings_it(clone, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(bootstrap.Refused) as refused:
        bootstrap.make_venv()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert str(refused.value).endswith(f"sudo apt-get install -y python{version}-venv")
    assert "\n" not in str(refused.value)


def test_packages_are_installed_again_only_when_their_list_has_changed(clone, capsys):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\necho called >> {clone}/calls\n")
    python.chmod(0o755)
    for _ in range(2):
        bootstrap.install_python_packages("requirements.txt")
    assert (clone / "calls").read_text() == "called\n"
    (clone / "requirements.txt").write_text("other pins")
    bootstrap.install_python_packages("requirements.txt")
    assert (clone / "calls").read_text() == "called\ncalled\n"


def test_whoever_waits_at_a_terminal_sees_how_far_the_packages_are(clone, capsys, monkeypatch):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        "#!/bin/sh\necho Collecting one; echo Collecting two; sleep 1.5; echo Installing collected packages\n"
    )
    python.chmod(0o755)
    (clone / "requirements.txt").write_text("one==1 \\\n    --hash=sha256:1\ntwo==2\nthree==3\n")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    bootstrap.install_python_packages("requirements.txt")
    assert "... 2 of 3\b\b\b\b\b\b" in capsys.readouterr().out


def test_a_failed_installation_is_tried_again_and_shows_the_end_of_its_log(clone):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho no network\nexit 1\n")
    python.chmod(0o755)
    for _ in range(2):
        with pytest.raises(bootstrap.Refused, match="no network"):
            bootstrap.install_python_packages("requirements.txt")


def test_an_environment_that_is_a_link_is_left_alone(clone):
    (clone / "elsewhere").mkdir()
    (clone / ".venv").symlink_to(clone / "elsewhere")
    (clone / "node_modules").symlink_to(clone / "elsewhere")
    bootstrap.make_venv()
    bootstrap.install_python_packages("requirements.txt")
    bootstrap.install_front_end_packages()
    assert list((clone / "elsewhere").iterdir()) == []


def test_what_tests_alone_need_of_npm_is_added_once_and_not_taken_away(clone, monkeypatch):
    npm = clone / "npm"
    npm.write_text(f'#!/bin/sh\nmkdir -p node_modules\necho "$*" >> {clone}/calls\n')
    npm.chmod(0o755)
    monkeypatch.setattr(bootstrap, "_machines_npm", lambda: str(npm))
    (clone / ".venv").mkdir()
    for with_tests in (False, False, True, True, False):
        bootstrap.install_front_end_packages(with_tests=with_tests)
    calls = (clone / "calls").read_text().splitlines()
    assert ["--omit=dev" in call for call in calls] == [True, False]


def test_without_a_browser_and_without_the_right_to_install_one_the_command_is_named(clone, monkeypatch):
    monkeypatch.delenv("REQUIRE_BROWSER", raising=False)
    monkeypatch.setattr(bootstrap, "find_chromium", lambda: None)
    monkeypatch.setattr(bootstrap, "_privilege", lambda: None)
    with pytest.raises(bootstrap.Refused, match="This command helps"):
        bootstrap.install_browser()
