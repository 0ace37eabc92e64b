"""The house keeps its order: who may import whom, what modules are called, and that nothing listens in secret."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOMS = ("clm", "customers", "lifecycle", "campaigns", "analytics")
MODULES = sorted(
    path for room in ROOMS for path in (settings.BASE_DIR / room).rglob("*.py") if "migrations" not in path.parts
)
NAMES = [str(path.relative_to(settings.BASE_DIR)) for path in MODULES]
FORBIDDEN = {"services", "selectors", "utils", "helpers", "common", "core", "base", "manager", "managers", "handler"}
FORBIDDEN |= {"handlers", "helper", "service", "util", "misc"}


def test_imports_flow_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_named_for_a_drawer() -> None:
    found = [name for name, path in zip(NAMES, MODULES, strict=True) if path.stem in FORBIDDEN]
    # Where Django looks for a database backend.
    assert sorted(found) == ["clm/embedded/postgresql/base.py", "clm/lib/postgresql/base.py"]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_nothing_listens_to_djangos_signals() -> None:
    """Celery's own start-up hooks are the framework's; nothing else happens behind one's back."""
    found = [
        name
        for name, path in zip(NAMES, MODULES, strict=True)
        for node in ast.walk(_tree(path))
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("django")
            and "signals" in (node.module or "")
        )
        or (isinstance(node, ast.ImportFrom) and (node.module or "") == "django.dispatch")
    ]
    assert found == []


def _inside(tree: ast.Module) -> list[str]:
    """Modules of this house that functions import."""
    return [
        ast.unparse(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").split(".")[0] in ROOMS))
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] in ROOMS for alias in node.names))
    ]


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "clm"])
def test_no_function_imports_to_dodge_a_circle(room: str) -> None:
    found = {
        name: _inside(_tree(path)) for name, path in zip(NAMES, MODULES, strict=True) if name.startswith(room + "/")
    }
    assert {name: imports for name, imports in found.items() if imports} == {}


def test_packages_say_nothing_by_themselves() -> None:
    """An empty __init__ means that importing one module imports no other; the models' is Django's way to find them."""
    full = [name for name, path in zip(NAMES, MODULES, strict=True) if path.name == "__init__.py" and path.read_text()]
    assert [name for name in full if not name.endswith("models/__init__.py")] == []


def test_files_are_small_enough_to_mean_one_thing() -> None:
    long = {name: path.read_text().count("\n") for name, path in zip(NAMES, MODULES, strict=True)}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}
