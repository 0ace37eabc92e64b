"""Customers named in a file: every line means one customer, or says why it does not."""

import pytest

from clm.lib.questions import QuestionError
from customers.ingest import clock
from customers.merge import merge
from lifecycle.list_upload import Line, Recognised, lines_of, recognised

from .making import ago, customer_of, happened, settle, tell

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, int]:
    """Anna by address and shop number 7, Ben by user id, and Cleo, whose shop number is Anna's number here."""
    tell(
        happened("anna", "Signed Up", ago(days=9), identities=[("email", "anna@example.org"), ("external_id", "7")]),
        happened("ben", "Signed Up", ago(days=8)),
    )
    anna = customer_of("anna@example.org", "email")
    tell(happened("cleo", "Signed Up", ago(days=7), identities=[("external_id", str(anna))]))
    settle()
    return {"anna": anna, "ben": customer_of("ben"), "cleo": customer_of(str(anna), "external_id")}


def found(*texts: str, by: str = "any") -> Recognised:
    return recognised(lines=[Line(number, text) for number, text in enumerate(texts, start=1)], by=by)


# --- lines ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "column", "lines", "said"),
    [
        ("a@b.cd\n\nc@d.ef\n", "", [(1, "a@b.cd"), (3, "c@d.ef")], ""),
        ("\ufeffE-Mail\r\na@b.cd\r\n", "", [(2, "a@b.cd")], "email"),
        ("name;email\nAnna;a@b.cd\nBen\n", "", [(2, "a@b.cd"), (3, "")], "email"),
        ("Name\tCustomer ID\nAnna\t12\n", "", [(2, "12")], "customer"),
        ('who,"the ""one"""\nx,7\n', 'the "one"', [(2, "7")], ""),
        ('email,note\na@b.cd,"two\nlines"\nc@d.ef,x\n', "", [(2, "a@b.cd"), (4, "c@d.ef")], "email"),
        ("100% “off”\n🙂\n", "", [(1, "100% “off”"), (2, "🙂")], ""),
    ],
)
def test_lines_are_those_of_the_column_that_names_customers(
    text: str, column: str, lines: list[tuple[int, str]], said: str
) -> None:
    read, way = lines_of(text=text, column=column)
    assert ([(line.number, line.text) for line in read], way) == (lines, said)


@pytest.mark.parametrize(
    ("text", "column", "field"),
    [
        ("", "", "text"),
        (" \n\n", "", "text"),
        ("first,second\n1,2\n", "", "column"),
        ("first,second\n1,2\n", "third", "column"),
        ("x\n" * 50_001, "", "text"),
        ("x" * 2_000_001, "", "text"),
        ('email\n"' + "x" * 200_000, "", "text"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_at_its_field(text: str, column: str, field: str) -> None:
    with pytest.raises(QuestionError) as caught:
        lines_of(text=text, column=column)
    assert caught.value.field == field


# --- people -----------------------------------------------------------------------------------------------------
def test_people_are_known_by_address_by_id_and_by_number(people: dict[str, int]) -> None:
    assert found(" Anna@Example.ORG", by="email").customers == (people["anna"],)
    assert found("7", "ben", by="external_id").customers == (people["anna"], people["ben"])
    assert found(str(people["ben"]), by="customer").customers == (people["ben"],)
    assert found("anna@example.org", "7", "ben", by="any").customers == (people["anna"], people["ben"])


def test_every_line_that_means_nobody_says_why_and_keeps_its_number(people: dict[str, int]) -> None:
    read = found("nobody@example.org", "", "anna@example.org", str(people["anna"]), "a\x00b", "7")
    assert [line.number for line in read.not_found] == [1]
    assert [line.number for line in read.unreadable] == [2, 5]
    (several,) = read.several
    assert (several.number, several.customers) == (4, tuple(sorted([people["anna"], people["cleo"]])))
    assert (read.customers, read.repeated, read.lines) == ((people["anna"],), 1, 6)
    assert [line.number for line in read.refused] == [1, 2, 4, 5]


@pytest.mark.parametrize(("text", "by"), [("anna", "email"), ("x7", "customer"), ("٣", "customer"), ("9" * 30, "any")])
def test_what_cannot_be_such_a_name_is_nobody(people: dict[str, int], text: str, by: str) -> None:
    read = found(text, by=by)
    assert (read.customers, len(read.refused)) == ((), 1)


def test_a_merged_customer_means_its_survivor(people: dict[str, int]) -> None:
    merge(customers=(people["ben"], people["anna"]), now=clock())
    assert len(set(found(str(people["ben"]), str(people["anna"]), by="customer").customers)) == 1
    assert found("ben", "anna@example.org").repeated == 1


def test_a_thousand_lines_cost_the_queries_of_one(
    people: dict[str, int], django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        found(*(f"nobody{n}@example.org" for n in range(1000)), str(people["anna"]))
