"""What a command changes says so in the history. It stands apart from what pages change: theirs is one transaction for
a whole file, which would hold the row that a process of its own waits for."""

import pghistory.models
import pytest

from customers.models import Installation
from tests.conftest import Command
from tests.lifecycle.making import installed


@pytest.mark.django_db(transaction=True)
def test_a_change_by_a_command_names_the_command(manage: Command) -> None:
    installed()
    manage("configure", "--name", "Ours", check=True)
    assert Installation.current().name == "Ours"
    events = next(one for one in pghistory.models.Event.__subclasses__() if one.pgh_tracked_model is Installation)
    entry = events.objects.select_related("pgh_context").latest("pgh_id")
    assert entry.pgh_context.metadata == {"author": "manage.py configure"}
