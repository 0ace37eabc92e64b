"""The list of versions has an end that can be reached, however many there are."""

import pytest
from django.test import Client

from analytics import version_list
from customers.ingest import clock
from lifecycle.models import Segment, Version
from lifecycle.publications import ask_to_publish, publish_asked
from lifecycle.revise import add_segment
from tests.factories import make_user
from tests.lifecycle.making import installed

pytestmark = pytest.mark.django_db

VERSIONS = 60


@pytest.fixture
def segment(client: Client) -> Segment:
    """A segment whose first version is live, with drafts after it."""
    installed()
    revision = add_segment(key="big", name="Big", rule={"did": {"role": "visit"}})
    ask_to_publish(revision=revision.pk, now=clock())
    publish_asked()
    first = Version.objects.get(subject__key="big")
    drafts = []
    for number in range(2, VERSIONS + 1):
        drafts.append(
            Version(
                subject=first.subject,
                number=number,
                state=Version.State.RETIRED,
                document=first.document,
                lapse_days=first.lapse_days,
                time_zone=first.time_zone,
                tzdata=first.tzdata,
                minor_digits=first.minor_digits,
                role_table=first.role_table,
                engine=first.engine,
            )
        )
    Version.objects.bulk_create(drafts)
    client.force_login(make_user("admin"))
    return Segment.objects.get(key="big")


def test_versions_are_paged_to_the_first_one(segment: Segment, client: Client) -> None:
    page = client.get("/segments/big/versions/").context
    assert [row.number for row, _url, _change in page["rows"]] == list(range(60, 10, -1))
    text = client.get("/segments/big/versions/").content.decode()
    assert "60 versions" in text
    page = client.get(f"/segments/big/versions/?cursor={page['page'].next_cursor}").context
    assert [row.number for row, _url, _change in page["rows"]] == list(range(10, 0, -1))
    assert page["page"].next_cursor is None


def test_a_version_is_held_against_one_that_the_list_of_others_has_no_room_for(
    segment: Segment, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_list, "MOST", 5)
    assert client.get("/segments/big/versions/30/").context["others"][-1] == (1, "live", True)
    told = client.get("/segments/big/versions/30/?against=7").context["others"]
    assert [number for number, _state, _is_chosen in told] == [60, 59, 58, 57, 56, 7]
    assert client.get("/segments/big/versions/1/").context["comparison"] is None
    for against in ("61", "30", "x", "99999999999"):
        assert client.get(f"/segments/big/versions/30/?against={against}").status_code == 400, against
