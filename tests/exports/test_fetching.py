"""Who fetches a file, for how long, and what is sent at once instead."""

import json
from pathlib import Path

import pytest
from django.test import Client

from analytics.exports.jobs import folder, forget_files, forget_in_exports, make_waiting
from analytics.exports.links import token
from analytics.models import Export
from clm.lib.access.models import Role, User
from customers.ingest import clock
from lifecycle.erase import erase
from tests.factories import make_user

from .asking import ask, rows_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("files")]


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_only_whoever_asked_fetches_the_file_and_only_while_allowed_to(marketer: User, people: list[int]) -> None:
    export = ask(marketer)
    make_waiting()
    export.refresh_from_db()
    address = f"/exports/{export.pk}/{token(export)}/"
    mine = browser_of(marketer)
    assert address in mine.get("/exports/").content.decode()
    answer = mine.get(address)
    assert b"".join(answer).startswith(b"id,name")  # type: ignore[arg-type]
    answer.close()
    assert answer["Cache-Control"] == "no-store"
    assert f"customers-{export.as_of:%Y-%m-%dT%H%M%SZ}.csv" in answer["Content-Disposition"]
    export.refresh_from_db()
    assert export.downloads == 1
    assert mine.get(f"/exports/{export.pk}/{'0' * 40}/").status_code == 404
    others = browser_of(make_user("admin"))
    assert others.get(address).status_code == 404
    assert address not in others.get("/exports/").content.decode()
    assert marketer.email in others.get("/exports/").content.decode()
    assert Client().get(address).status_code == 302
    User.objects.filter(pk=marketer.pk).update(role=Role.AGENT)
    assert mine.get(address).status_code == 403


def test_a_link_ends_and_the_file_goes(marketer: User, people: list[int]) -> None:
    export = ask(marketer)
    make_waiting()
    export.refresh_from_db()
    address, mine = f"/exports/{export.pk}/{token(export)}/", browser_of(marketer)
    Export.objects.update(expires_at=clock())
    assert mine.get(address).status_code == 404
    assert forget_files(now=clock()) == 1
    assert list(folder().iterdir()) == []
    export.refresh_from_db()
    assert export.state == "expired"
    assert mine.get("/exports/").status_code == 200


def test_a_file_made_before_an_erasure_ends_with_it(marketer: User, people: list[int], files: Path) -> None:
    before = ask(marketer, "search=Ann&stage=retention")
    assert make_waiting() == 1
    erase(customer=people[0], now=clock())
    after = ask(marketer, "search=Cy")
    assert make_waiting() == 1
    assert (forget_in_exports(), forget_in_exports()) == (1, 0)
    before.refresh_from_db()
    after.refresh_from_db()
    assert (before.state, before.question) == (Export.State.EXPIRED, "stage=retention")
    assert (after.state, after.question) == (Export.State.READY, "search=Cy")
    assert {path.name for path in files.iterdir()} == {after.file}


def test_a_lists_page_leads_to_a_file(marketer: User, people: list[int]) -> None:
    mine = browser_of(marketer)
    asked = mine.get("/exports/new/?search=ann&sort=name")
    assert "ann" in asked.content.decode()
    refused = mine.post("/exports/new/?search=ann", {"what": "planets", "format": "csv"})
    assert refused.status_code == 422
    assert mine.post("/exports/new/?search=ann&sort=name", {"what": "customers", "format": "jsonl"}).status_code == 302
    export = Export.objects.get()
    assert (export.question, export.asked_by) == ("search=ann&sort=name", marketer.email)
    make_waiting()
    assert [row["id"] for row in rows_of(export)] == [str(people[0])]
    assert mine.get(f"/exports/{export.pk}/remove/").status_code == 200
    assert mine.post(f"/exports/{export.pk}/remove/").status_code == 302
    assert list(folder().iterdir()) == []
    assert mine.post(f"/exports/{export.pk}/remove/").status_code == 409
    assert browser_of(make_user("admin")).post(f"/exports/{export.pk}/remove/").status_code == 404


# --- sent at once ---------------------------------------------------------------------------------------------
def test_what_is_sent_at_once_is_written_down(marketer: User, people: list[int]) -> None:
    mine = browser_of(marketer)
    answer = mine.get("/customers/export/?sort=name&what=touchpoints&format=jsonl")
    lines = answer.getvalue().decode().splitlines()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "application/jsonl"
    assert [json.loads(line)["known_as"] for line in lines] == ["=cmd()", "=cmd()", "Ann", "Ann", "Cy", "Cy"]
    export = Export.objects.get()
    assert (export.state, export.subject, export.rows, export.error) == ("streamed", "touchpoints", 6, "")
    assert export.size > 100


def test_whoever_hangs_up_is_written_down_too(
    marketer: User, people: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analytics.exports.people.ROWS", 1)
    answer = browser_of(marketer).get("/customers/export/?sort=name")
    sent = iter(answer)
    assert next(sent).decode("utf-8-sig").startswith("id,name")
    next(sent)
    answer.close()
    export = Export.objects.get()
    assert export.error == "it was not sent to its end"
    assert export.rows <= 2


def test_nothing_is_sent_where_something_is_wrong(marketer: User, people: list[int]) -> None:
    mine = browser_of(marketer)
    for query in ("sort=colour", "format=xml", "what=planets", "as_of=2999-01-01"):
        assert mine.get(f"/customers/export/?{query}").status_code == 400, query
    assert not Export.objects.exists()
