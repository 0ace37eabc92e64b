"""Every entry in the history of what is configured names who made it."""

from typing import Any

import pghistory.models
import pytest
from django.db import models
from django.test import Client

from clm.lib.access.models import ApiKey, Role, User
from lifecycle.models import StageModel, Subject


def latest(model: type[models.Model]) -> Any:
    """What the newest entry of a model's history says besides what it keeps."""
    events = next(one for one in pghistory.models.Event.__subclasses__() if one.pgh_tracked_model is model)
    entry = events.objects.select_related("pgh_context").latest("pgh_id")
    return entry.pgh_context.metadata if entry.pgh_context else None


@pytest.mark.django_db
def test_a_change_on_a_page_names_the_person(admin: Client, people: dict[str, User]) -> None:
    known = {"name": "Seven", "description": "Of mine"}
    assert admin.post("/models/seven/edit/", known).status_code == 302
    who = people["admin"]
    assert latest(Subject) == {"author": str(who), "user": who.pk, "url": "/models/seven/edit/"}


@pytest.mark.django_db
def test_a_change_over_the_api_names_the_key_and_whose_it_is(people: dict[str, User]) -> None:
    model = StageModel.objects.get(key="five")
    address = "/api/v1/stage-models/five/"
    for owner in (None, people["admin"]):
        key, secret = ApiKey.issue(name="till", role=Role.ADMIN, owner=owner)
        machine = Client(headers={"Authorization": f"Bearer {secret}"})
        told = {"description": f"by {key.pk}"}
        assert machine.patch(address, told, content_type="application/json").status_code == 200
        expected = {"author": str(key), "key": key.pk, "url": address}
        # A key is nobody: its number is never taken for that of a person.
        assert latest(Subject) == expected | ({"user": owner.pk} if owner else {})
    model.refresh_from_db()
    assert model.description == f"by {key.pk}"


@pytest.mark.django_db
def test_what_a_person_does_over_the_api_names_the_person(admin: Client, people: dict[str, User]) -> None:
    told = {"description": "signed in"}
    assert admin.patch("/api/v1/stage-models/five/", told, content_type="application/json").status_code == 200
    assert (latest(Subject)["user"], latest(Subject)["author"]) == (people["admin"].pk, str(people["admin"]))
    assert "key" not in latest(Subject)
