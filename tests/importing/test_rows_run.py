"""A file of people comes in: every row is new, updates somebody, changes nothing, or is rejected with its reason."""

from datetime import UTC, datetime

import pytest

from customers.events import Event
from customers.importing import store
from customers.importing.errors import error_file
from customers.ingest import Raced, clock, ingest
from customers.models import (
    Account,
    Affiliation,
    Cause,
    Consent,
    Customer,
    Identity,
    Import,
    Reject,
    Source,
    Stale,
    Touchpoint,
    Trait,
    TraitTelling,
)
from customers.parsing import BadFile

from .files import LATER, NOW, bring, columns, counts, document, owner_of, person, traits_of, tried, write

pytestmark = pytest.mark.django_db


def test_a_row_becomes_a_customer_with_identities_traits_and_dated_touchpoints(tmp_path):
    done = bring(write(tmp_path, person(7, name="Ada", plan="pro", made="2025-03-04")))
    assert counts(done.record) == (1, 0, 0, 0)
    assert (done.record.state, done.record.lines_read, done.record.lines_used) == ("done", 1, 1)
    assert set(Identity.objects.values_list("kind", "value")) == {("ext:crm", "7"), ("email", "p7@example.org")}
    assert traits_of("7") == {"firstName": "Ada", "plan": "pro", "email": "p7@example.org"}
    assert Trait.objects.get(key="plan").set_at == NOW
    touchpoint = Touchpoint.objects.get()
    assert (touchpoint.type.name, touchpoint.channel.key) == ("Contact Created", "crm")
    assert touchpoint.occurred_at == datetime(2025, 3, 4, tzinfo=UTC)
    assert list(Stale.objects.values_list("cause", flat=True).distinct()) == [Cause.IMPORT]
    assert done.rows_changed > 0


def test_somebody_without_a_dated_touchpoint_is_created_by_one(tmp_path):
    bring(write(tmp_path, person(made="")))
    assert Touchpoint.objects.get().type.name == "Created"


def test_the_same_file_again_changes_no_row(tmp_path):
    path = write(tmp_path, *(person(number) for number in range(1, 30)), person(30, opted_out="yes"))
    bring(path)
    stored = [model.objects.count() for model in (Touchpoint, TraitTelling, Trait, Consent, Identity, Stale)]
    again = bring(path, now=LATER)
    assert again.rows_changed == 0
    assert counts(again.record) == (0, 0, 30, 0)
    assert [model.objects.count() for model in (Touchpoint, TraitTelling, Trait, Consent, Identity, Stale)] == stored


def test_another_file_updates_who_differs_and_leaves_who_does_not(tmp_path):
    bring(write(tmp_path, person(1), person(2)))
    done = bring(write(tmp_path, person(1, plan="pro"), person(2), person(3), name="next.csv"), now=LATER)
    assert counts(done.record) == (1, 1, 1, 0)
    assert traits_of("1")["plan"] == "pro"
    assert Customer.objects.count() == 3


def test_what_went_there_and_back_again_is_told_each_time(tmp_path):
    for number, plan in enumerate(("free", "pro", "free")):
        bring(write(tmp_path, person(plan=plan), f"{9 + number},,x,y,,"), now=NOW.replace(day=2 + number))
    steps = Trait.objects.filter(profile__identities__value="1", key="plan").order_by("set_at")
    assert [step.value for step in steps] == ["free", "pro", "free"]


def test_a_row_that_says_when_it_changed_is_told_of_that_instant(tmp_path):
    said = document(columns={**columns(), "Plan": {"as": "trait", "key": "plan"}, "Changed": {"as": "told_at"}})
    header = "Record ID,Email,First Name,Plan,Create Date,Opted out,Changed"
    bring(write(tmp_path, f"{person(plan='pro')},2026-02-01T10:00:00Z", header=header), said=said)
    assert Trait.objects.get(key="plan").set_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    # The next export says the same of the same instant, whatever else is in it.
    both = write(tmp_path, f"{person(plan='pro')},2026-02-01T10:00:00Z", f"{person(2)},", header=header, name="b.csv")
    assert counts(bring(both, said=said, now=LATER).record) == (1, 0, 1, 0)
    assert TraitTelling.objects.filter(profile__identities__value="1").count() == 1


def test_text_is_stored_as_it_stands_in_the_file(tmp_path):
    cells = ["NA", "null", "01234", "1E5", " padded ", "1,5", "3/4/2024", "Zoë 王"]
    header = "id," + ",".join(f"c{number}" for number in range(len(cells)))
    said = document(
        columns={"id": {"as": "id", "kind": "crm"}}
        | {f"c{number}": {"as": "trait", "key": f"c{number}"} for number in range(len(cells))}
    )
    quoted = ",".join(f'"{cell}"' for cell in cells)
    bring(write(tmp_path, f"x,{quoted}", header=header), said=said)
    assert [traits_of("x")[f"c{number}"] for number in range(len(cells))] == cells


@pytest.mark.parametrize("row", ["1,a@example.org", "1,a@example.org,Ada,free,2025-03-04,no,more"])
def test_a_row_of_another_width_is_rejected_and_its_neighbours_are_not(tmp_path, row):
    done = bring(write(tmp_path, person(1), row, person(2)))
    assert counts(done.record) == (2, 0, 0, 1)
    assert done.record.set_aside == {"wrong_width": {"lines": 1, "amount": 0, "ranges": [[3, 3]]}}
    assert set(traits_of("1")) == {"firstName", "plan", "email"}


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        (",,Ada,free,,", "no_person", "Record ID"),
        ("1,not an address,Ada,free,,", "bad_email", "Email"),
        ("1,,Ada,free,31/12/2024,", "bad_time", "Create Date"),
        ("1,,Ada,free,1989-12-31,", "bad_time", "Create Date"),
        ("1,,Ada,free,2027-01-01,", "in_the_future", "Create Date"),
        ("1,,Ada,free,,perhaps", "bad_value", "Opted out"),
        ("1,,A\0da,free,,", "bad_text", "First Name"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_column(tmp_path, row, reason, column):
    done = bring(write(tmp_path, row, person(2)))
    assert counts(done.record) == (1, 0, 0, 1)
    assert list(done.record.set_aside) == [reason]
    reject = Reject.objects.get()
    assert (reject.line_number, reject.path, reject.from_import_id) == (2, column, done.record.pk)


def test_the_file_of_errors_can_be_mended_and_brought_in_again(tmp_path):
    done = bring(write(tmp_path, person(1), person(2, email="=cmd()"), "3,,+49 30 1,pro,,,"))
    text = b"".join(error_file(record=done.record)).decode("utf-8-sig")
    header, first, second, end = text.split("\r\n")
    assert header == "Record ID,Email,First Name,Plan,Create Date,Opted out,import_line,import_column,import_error"
    assert first.startswith("2,'=cmd(),Ada,free,2025-03-04,,3,Email,")
    assert second.startswith("3,,+49 30 1,pro,,,4,,")
    assert end == ""
    mended = tmp_path / "mended.csv"
    mended.write_text(text.replace("'=cmd()", "two@example.org"))
    again = bring(mended, now=LATER)
    assert counts(again.record) == (2, 0, 0, 0)


def test_a_file_that_cannot_be_read_stores_nothing(tmp_path):
    with pytest.raises(BadFile, match="there is no column"):
        bring(write(tmp_path, "a,b", header="x,y"))
    assert Import.objects.get().state == "failed"
    assert not Customer.objects.exists()


def test_encodings_separators_and_decimal_commas_are_read_as_the_mapping_says(tmp_path):
    said = document(
        encoding="cp1252",
        delimiter=";",
        decimal_mark=",",
        time_formats=["%d.%m.%Y", "%d.%m.%Y %H:%M"],
        time_zone="Europe/Berlin",
        columns={
            "id": {"as": "id", "kind": "crm"},
            "Name": {"as": "trait", "key": "name"},
            "Umsatz": {"as": "trait", "key": "spend", "type": "number"},
            "Seit": {"as": "touchpoint", "type": "Customer Since"},
        },
    )
    lines = ["1;Jürgen;1.234,50;31.12.2024", "2;Zoë;0,5;01.07.2024 10:30", "3;Ada;1E5;"]
    done = bring(write(tmp_path, *lines, header="id;Name;Umsatz;Seit", encoding="cp1252"), said=said)
    assert counts(done.record) == (2, 0, 0, 1)
    assert list(done.record.set_aside) == ["bad_number"]
    assert traits_of("1") == {"name": "Jürgen", "spend": 1234.5}
    assert set(Touchpoint.objects.values_list("occurred_at", flat=True)) == {
        datetime(2024, 12, 30, 23, tzinfo=UTC),
        datetime(2024, 7, 1, 8, 30, tzinfo=UTC),
    }


def test_long_rows_come_in_smaller_portions(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.importing.staging.LONGEST", 200)
    rows = [person(1, name="A" * 150), person(2), person(3), person(4, name="B" * 300), person(5)]
    done = bring(write(tmp_path, *rows))
    assert list(done.record.rows.order_by("number").values_list("number", "rows")) == [(1, 2), (2, 2), (3, 1)]
    assert counts(done.record) == (5, 0, 0, 0)


def test_a_portion_that_was_raced_is_counted_once(tmp_path, monkeypatch):
    stored, tries = store.ingest_within, []

    def raced_once(**asked):
        tries.append(len(asked["events"]))
        done = stored(**asked)
        if len(tries) == 2:
            raise Raced
        return done

    monkeypatch.setattr("customers.importing.staging.PORTION", 2)
    monkeypatch.setattr(store, "ingest_within", raced_once)
    rows = [person(1), person(2, opted_out="yes"), person(3), "oops", person(1, plan="pro")]
    done = bring(write(tmp_path, *rows))
    assert len(tries) == 4
    assert counts(done.record) == (3, 1, 0, 1)
    assert (done.record.counts["customers_new"], done.record.counts["consents_new"]) == (3, 1)
    assert (Customer.objects.count(), Reject.objects.count(), done.record.brought.count()) == (3, 1, 3)


def test_a_dry_run_counts_what_a_run_then_does_and_stores_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("customers.importing.staging.PORTION", 300)
    bring(write(tmp_path, person(1), person(2), person(3, opted_out="yes"), name="before.csv"))
    tables = (Customer, Identity, Touchpoint, Trait, TraitTelling, Consent, Stale, Import, Reject, Account)
    before = [model.objects.count() for model in tables]
    # More than one portion, with people named again in other portions.
    many = [person(number) for number in range(10, 700)]
    again = [person(10), person(11, plan="pro"), person(12, made="2025-05-05"), "12,,,free,,"]
    path = write(
        tmp_path, person(1, plan="pro"), person(2), person(3, opted_out="no"), *many, *again, "oops", name="next.csv"
    )
    said = tried(path, now=LATER)
    assert [model.objects.count() for model in tables] == before
    done = bring(path, now=LATER)
    assert (said["new"], said["updated"], said["unchanged"], said["rejected"]) == counts(done.record)
    assert counts(done.record) == (690, 3, 4, 1)
    assert said["set_aside"] == done.record.set_aside
    assert said["rows"] == done.record.lines_read == 698
    assert said["touchpoints"] == {"Contact Created": 691}
    assert said["conflicts"]["kept_unsubscribed"]["rows"] == 1
    assert said["conflicts"]["named_again"]["rows"] == 4
    (example, *_more) = said["examples"]["updated"]
    assert example["who"] == "1"
    assert example["changes"] == [["plan", '"free"', '"pro"']]
    assert said["examples"]["rejected"][0]["line"] == 699


def test_an_import_never_subscribes_again_who_has_unsubscribed(tmp_path):
    bring(write(tmp_path, person(1, opted_out="no"), person(2, opted_out="yes")))
    done = bring(write(tmp_path, person(1, opted_out="yes"), person(2, opted_out="no"), name="next.csv"), now=LATER)
    assert done.record.counts["consents_new"] == 1
    states = Consent.objects.order_by("pk").values_list("address", "state")
    assert list(states) == [
        ("p1@example.org", "granted"),
        ("p2@example.org", "withdrawn"),
        ("p1@example.org", "withdrawn"),
    ]
    back = bring(write(tmp_path, person(1, opted_out="no"), person(2, opted_out="no"), name="b.csv"), now=clock())
    assert back.record.counts["consents_new"] == 0


def test_consent_is_for_whoever_has_the_address_however_it_was_written(tmp_path):
    bring(write(tmp_path, person(1, email="ANNA@Example.org", opted_out="yes")))
    assert Consent.objects.get().address == "anna@example.org"
    bring(write(tmp_path, person(2, email="anna@example.ORG ", opted_out="no"), name="b.csv"), now=LATER)
    assert Consent.objects.count() == 1


def test_companies_become_accounts_and_people_belong_to_them(tmp_path):
    said = document(
        columns={
            **columns(),
            "Company": {"as": "account", "key": "name"},
            "Industry": {"as": "account", "key": "industry"},
        }
    )
    header = "Record ID,Email,First Name,Plan,Create Date,Opted out,Company,Industry"
    rows = (f"{person(1)},Acme Ltd,Tools", f"{person(2)},ACME  ltd,Tools", f"{person(3)},,")
    path = write(tmp_path, *rows, header=header)
    bring(path, said=said)
    account = Account.objects.get()
    assert (account.key, account.properties) == ("name:acme ltd", {"industry": "Tools"})
    assert Affiliation.objects.filter(account=account).count() == 2
    assert counts(bring(path, said=said, now=LATER).record) == (0, 0, 3, 0)


def test_an_amount_is_money_on_a_touchpoint(tmp_path):
    said = document(
        columns={"Email": {"as": "email"}},
        touchpoints=[
            {
                "type": "Order Completed",
                "at": "Paid at",
                "amount": "Amount",
                "currency": "Currency",
                "order_ref": "id",
                "only": {"Status": ["Paid"]},
                "properties": {"description": "What"},
            }
        ],
    )
    rows = ("ch_1,a@example.org,12.50,eur,2025-01-02,Paid,Tea", "ch_2,a@example.org,5,xyz,2025-01-03,paid,",
            "ch_3,a@example.org,7,eur,2025-01-04,Failed,")  # fmt: skip
    done = bring(write(tmp_path, *rows, header="id,Email,Amount,Currency,Paid at,Status,What"), said=said)
    assert counts(done.record) == (1, 1, 1, 0)
    paid = Touchpoint.objects.get(order_ref="ch_1")
    assert (paid.amount, paid.currency, paid.properties) == (1250, "EUR", {"description": "Tea"})
    unrated = Touchpoint.objects.get(order_ref="ch_2")
    assert (unrated.amount, unrated.original_amount, unrated.flags) == (None, 5, Touchpoint.Flag.NO_RATE)
    assert Touchpoint.objects.count() == 2


def test_people_known_by_what_is_sent_are_updated_and_not_made_again(tmp_path):
    web = Source.objects.create(key="web", name="Web")
    sent = Event("1", (("user_id", "u1"), ("email", "p1@example.org")), "Signed Up", "web", NOW, traits={"plan": "pro"})
    ingest(source=web, events=[sent])
    done = bring(write(tmp_path, person(1, plan="free")), now=LATER)
    assert counts(done.record) == (0, 1, 0, 0)
    assert owner_of("1") == owner_of("u1")
    assert Customer.objects.count() == 1
