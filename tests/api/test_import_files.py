"""Files of any size are given to the API as files."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from customers.importing.work import work_on_imports
from customers.models import Customer, Import, ImportContent
from tests.factories import client_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/imports/files/"
STRIPE = b"id,Email,Created (UTC),Delinquent\ncus_1,ada@example.org,2025-03-04,FALSE\n"


@pytest.fixture
def marketer(db: None) -> Client:
    return client_of("marketer")


def file(content: bytes = STRIPE, name: str = "customers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/csv")


def test_a_file_is_uploaded_tried_and_brought_in(marketer: Client) -> None:
    answer = marketer.post(URL, {"file": file()})
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["state"], told["preset"], told["file_bytes"]) == ("draft", "stripe_customers", len(STRIPE))
    assert answer["Location"] == f"/api/v1/imports/{told['id']}/"
    for wish in ("check", "start"):
        assert marketer.post(f"{answer['Location']}ask/", {"wish": wish}, "application/json").status_code == 200
        work_on_imports()
    assert marketer.get(answer["Location"]).json()["checked"]["new"] == 1
    assert Customer.objects.count() == 1


def test_a_file_larger_than_a_text_may_be_is_kept_whole_in_parts(marketer: Client) -> None:
    rows = b"".join(b"cus_%d,a%d@example.org,2025-03-04,FALSE\n" % (number, number) for number in range(80_000))
    answer = marketer.post(URL, {"file": file(STRIPE.splitlines()[0] + b"\n" + rows)})
    assert answer.status_code == 201
    assert answer.json()["file_bytes"] > 3_000_000
    assert ImportContent.objects.filter(from_import=answer.json()["id"]).count() == 4  # of a mebibyte


def test_what_its_columns_mean_can_be_said_beside_it(marketer: Client) -> None:
    said = {"source": {"key": "crm"}, "columns": {"who": {"as": "email"}, "plan": {"as": "trait", "key": "plan"}}}
    answer = marketer.post(URL, {"file": file(b"who,plan\nada@example.org,pro\n"), "mapping": json.dumps(said)})
    assert (answer.status_code, answer.json()["source"]) == (201, "crm")


def test_what_its_columns_mean_can_be_a_file_of_its_own(marketer: Client) -> None:
    said = {"source": {"key": "crm"}, "columns": {"who": {"as": "email"}, "plan": {"as": "trait", "key": "plan"}}}
    mapping = SimpleUploadedFile("crm.json", b"\xef\xbb\xbf" + json.dumps(said).encode())
    form = {"file": file(b"who,plan\nada@example.org,pro\n"), "mapping": mapping}
    answer = marketer.post(URL, form, HTTP_IDEMPOTENCY_KEY="upload-1")
    assert (answer.status_code, answer.json()["source"]) == (201, "crm"), answer.content


def test_a_mapping_of_orders_is_taken_as_the_command_takes_it(marketer: Client) -> None:
    columns = {"invoice": "no", "customer": "who", "time": "when", "product": "what", "quantity": "many"}
    said = {
        "source": {"key": "shop", "name": "Our shop"},
        "columns": {**columns, "price": "each"},
        "time_format": "iso",
        "time_zone": "UTC",
        "currency": "EUR",
    }
    lines = b"no,who,when,what,many,each\n1,ada,2025-03-04,tea,2,5.00\n1,ada,2025-03-04,cup,1,3.00\n"
    answer = marketer.post(URL, {"file": file(lines, "lines.csv"), "mapping": json.dumps(said)})
    assert answer.status_code == 201, answer.content
    assert (answer.json()["kind"], answer.json()["source"]) == ("orders", "shop")
    where = answer["Location"]
    for wish in ("check", "start"):
        assert marketer.post(f"{where}ask/", {"wish": wish}, "application/json").status_code == 200
        work_on_imports()
    done = marketer.get(where).json()
    assert (done["state"], done["counts"]["orders"], done["lines_used"]) == ("done", 1, 2), done
    once = {name: done["checked"][name] for name in ("orders", "orders_new", "customers", "customers_new")}
    assert once == {"orders": 1, "orders_new": 1, "customers": 1, "customers_new": 1}
    assert Customer.objects.count() == 1
    assert Import.objects.count() == 1


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "file"),
        ({"file": file(b"")}, "file"),
        ({"file": file(b"PK\x03\x04 no zip", "x.xlsx"), "preset": "nobodys"}, "preset"),
        ({"file": file(), "mapping": "{no"}, "mapping"),
        ({"file": file(), "mapping": "[1]"}, "mapping"),
        ({"file": file(), "mapping": SimpleUploadedFile("crm.json", b"\xff\xfe{")}, "mapping"),
        ({"file": file(), "mapping": '{"source": {"key": "x"}}'}, "columns"),
        ({"file": file(), "surprise": "1"}, "surprise"),
    ],
    ids=["none", "empty", "no_preset", "no_json", "no_object", "no_text", "no_columns", "unknown"],
)
def test_what_cannot_be_read_is_said_of_its_member(marketer: Client, form: dict[str, object], field: str) -> None:
    answer = marketer.post(URL, form)
    assert answer.status_code in (400, 422), answer.content
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert not Import.objects.exists()


def test_json_is_no_file(marketer: Client) -> None:
    assert marketer.post(URL, {"file": "x"}, "application/json").status_code == 415


def test_the_same_upload_under_the_same_key_is_done_once(marketer: Client) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "upload-1"}
    first = marketer.post(URL, {"file": file()}, **key)
    again = marketer.post(URL, {"file": file()}, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert Import.objects.count() == 1
    other = marketer.post(URL, {"file": file(STRIPE + b"cus_2,b@example.org,2025-03-04,FALSE\n")}, **key)
    assert other.status_code == 422
