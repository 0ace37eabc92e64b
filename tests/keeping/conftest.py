"""What comes with the software, and somebody of every role who is signed in."""

from typing import Any

import pytest
from django.test import Client

from clm.lib.access.models import Role, User
from tests.api.conftest import installed_once  # noqa: F401 (a fixture)
from tests.factories import make_user


@pytest.fixture
def people(installed_once: None, db: None) -> dict[str, User]:  # noqa: F811 (the same fixture)
    """One user of every role, on an installation without customers."""
    return {role.value: make_user(role.value) for role in Role}


@pytest.fixture
def browsers(people: dict[str, User]) -> dict[str, Client]:
    """Where each of them is signed in."""
    made = {role: Client() for role in people}
    for role, browser in made.items():
        browser.force_login(people[role])
    return made


@pytest.fixture
def admin(browsers: dict[str, Client]) -> Client:
    return browsers["admin"]


@pytest.fixture
def marketer(browsers: dict[str, Client]) -> Client:
    return browsers["marketer"]


@pytest.fixture
def without_mail(settings: Any) -> None:
    """As an installation is that names no mail server."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"


def faults(answer: Any) -> dict[str, str]:
    """What the form of an answer says of each field, __all__ for what belongs to none."""
    return {field: " ".join(said) for field, said in answer.context["form"].errors.items()}


def said(answer: Any) -> list[str]:
    """The messages that the next page tells."""
    return [str(message) for message in answer.context["messages"]]
