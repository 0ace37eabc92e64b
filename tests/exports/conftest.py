"""People to take away, whoever asks for them, and processes of their own, as the tests of truth start them."""

from pathlib import Path
from typing import Any

import pytest

from clm.lib.access.models import User
from tests.factories import make_customer, make_user
from tests.lifecycle.conftest import spawn  # noqa: F401 (a fixture)
from tests.lifecycle.making import ago, installed


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "exports"


@pytest.fixture
def marketer() -> User:
    return make_user("marketer")


@pytest.fixture
def people(marketer: User) -> list[int]:
    installed()
    return [make_customer(ago(days=5), ago(days=3), name=name) for name in ("Ann", "=cmd()", "Cy")]
