"""Who is found by what people type into the search."""

import pytest
from django.db import connection

from analytics.account_list import account_page, found_accounts
from analytics.search import found_customers, searched, searched_digits
from clm.lib.questions import QuestionError
from customers.events import Event
from customers.ingest import clock, ingest
from customers.merge import merge
from customers.models import Account, Cause, Customer, Source
from tests.lifecycle.making import ago, installed, settle

pytestmark = pytest.mark.django_db


def meet(*names: str, **traits: str) -> dict[str, int]:
    """People of these names, each with the same other traits; their customers by name."""
    installed()
    source, _made = Source.objects.get_or_create(key="names", defaults={"name": "Names"})
    events = [
        Event(
            message_id=name,
            identities=(("user_id", f"user {number}"),),
            type="Page Viewed",
            channel="web",
            occurred_at=ago(days=3),
            traits={**traits, "name": name},
        )
        for number, name in enumerate(names)
    ]
    ingest(source=source, events=events, cause=Cause.IMPORT)
    settle()
    return dict(Customer.objects.filter(name__in=names).values_list("name", "pk"))


@pytest.fixture
def people() -> dict[str, int]:
    """Anna who ordered, Ann, Bo, and Liu Wei, by their ids at the shop."""
    installed()
    source, _made = Source.objects.get_or_create(key="shop", defaults={"name": "Shop"})
    told = [("1001", "Anna Berg", "A-100"), ("1002", "Ann Onym", ""), ("1003", "Bo Ek", "B-7"), ("1004", "刘伟", "")]
    events = [
        Event(
            message_id=f"m{person}",
            identities=(("external_id", person), ("email", f"person{person}@example.org"), ("phone", f"+4670{person}")),
            type="Order Completed",
            channel="web",
            occurred_at=ago(days=3),
            amount=100,
            order_ref=reference,
            traits={"name": name},
        )
        for person, name, reference in told
    ]
    ingest(source=source, events=events, cause=Cause.IMPORT)
    settle()
    return {person: Customer.objects.get(profiles__identities__value=person).pk for person, _name, _reference in told}


def found(text: str) -> list[int]:
    return [one.id for one in found_customers(text=text, most=8)]


@pytest.mark.parametrize(
    ("text", "persons"),
    [
        ("anna", ["1001"]),
        ("ANN", ["1002", "1001"]),
        ("nna", ["1001"]),
        ("be", ["1001"]),  # a short word is the beginning of one
        ("er", []),
        ("b.e", []),
        ("ann berg", ["1001"]),
        ("伟", ["1004"]),
        ("person1003@example.org", ["1003"]),
        ("+46701003", ["1003"]),
        ("1003", ["1003"]),
        ("a-100", ["1001"]),
        ("#B-7", ["1003"]),
        ("A-1", []),  # an order is named whole
        ("100%", []),
        ("", []),
        ("   ", []),
    ],
)
def test_customers_are_found_by(text: str, persons: list[str], people: dict[str, int]) -> None:
    assert found(text) == [people[person] for person in persons]


@pytest.mark.parametrize(
    "text",
    [
        "+44 20 7946 0018",
        "+442079460018",
        "00442079460018",
        "0044 20 7946-0018",
        "+44 (0)20 7946 0018",
        "020 7946 0018",
        "(020) 7946-0018",
        "02079460018",
        "20 7946 0018",
        "7946 0018",
        "7946.0018",
        "79460018",
    ],
)
@pytest.mark.parametrize("told", ["+44 20 7946 0018", "+442079460018", "020 7946 0018", "(020) 7946/0018"])
def test_a_telephone_is_found_however_it_is_written(told: str, text: str) -> None:
    installed()
    source = Source.objects.create(key="shop", name="Shop")
    people = [("a", told), ("b", "+44 20 7946 0019"), ("c", "+46 70 123 45 67"), ("d", "")]
    events = [
        Event(
            message_id=person,
            identities=(("external_id", person),),
            type="Page Viewed",
            channel="web",
            occurred_at=ago(days=3),
            traits={"name": person, "phone": phone},
        )
        for person, phone in people
    ]
    ingest(source=source, events=events, cause=Cause.IMPORT)
    settle()
    assert found(text) == [Customer.objects.get(name="a").pk]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+44 20 7946 0018", "2079460018"),
        ("+1 (212) 555-0100", "2125550100"),
        ("+354 555 0100", "5550100"),
        ("0171/555 01", "17155501"),
        ("12345", ""),  # too short for a number, long enough for an order
        ("anna 020 7946 0018", ""),
        ("020 7946 0018x", ""),
    ],
)
def test_what_is_looked_for_of_a_telephone_number(text: str, digits: str) -> None:
    assert searched_digits(text) == digits


def test_whoever_is_recognised_by_exactly_this_comes_first(people: dict[str, int]) -> None:
    source = Source.objects.get(key="shop")
    late = Event(
        message_id="late",
        identities=(("external_id", "9"),),
        type="Page",
        channel="web",
        occurred_at=ago(days=1),
        traits={"name": "1002 nights"},
    )
    ingest(source=source, events=[late], cause=Cause.IMPORT)
    settle()
    newest = Customer.objects.get(name="1002 nights").pk
    assert found("1002") == [people["1002"], newest]


@pytest.mark.parametrize("text", ["#2001", "2001", "#ab-7", "AB-7"])
def test_an_order_is_found_with_and_without_the_sign_of_its_number(text: str, people: dict[str, int]) -> None:
    source = Source.objects.get(key="shop")
    orders = [
        Event(
            message_id=f"order {person}",
            identities=(("external_id", person),),
            type="Order Completed",
            channel="web",
            occurred_at=ago(days=1),
            amount=100,
            order_ref=reference,
        )
        for person, reference in (("1001", "#2001"), ("1002", "2001"), ("1003", "#AB-7"), ("1004", "ab-7"))
    ]
    ingest(source=source, events=orders, cause=Cause.IMPORT)
    settle()
    ordered = ("1002", "1001") if "2001" in text else ("1003",) if text == "AB-7" else ("1004", "1003")
    assert found(text) == [people[person] for person in ordered]
    assert set(Customer.objects.filter(searched(text)).values_list("pk", flat=True)) == set(found(text))


def test_a_customer_found_by_an_order_says_so(people: dict[str, int]) -> None:
    (one,) = found_customers(text="a-100", most=8)
    assert one.detail == "order a-100"
    (two,) = found_customers(text="anna", most=8)
    assert two.detail == "person1001@example.org"


def test_the_order_of_a_merged_customer_leads_to_the_survivor(people: dict[str, int]) -> None:
    merge(customers=(people["1001"], people["1003"]), now=clock())
    assert found("B-7") == [people["1001"]]


def test_what_no_name_can_hold_is_refused() -> None:
    with pytest.raises(QuestionError):
        found_customers(text="a\x00b", most=8)


def test_an_order_is_looked_up_in_its_index(people: dict[str, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT profile_id FROM customers_touchpoint "
            "WHERE order_ref IN ('#A', '#a', 'A', 'a') AND NOT (order_ref = '')"
        )
        assert "touchpoint_order" in "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("müller", {"Jörg Müller", "Jo Mueller", "Jo Muller"}),
        ("MÜLLER", {"Jörg Müller", "Jo Mueller", "Jo Muller"}),
        ("mu\u0308ller", {"Jörg Müller", "Jo Mueller", "Jo Muller"}),
        ("mueller", {"Jörg Müller", "Jo Mueller"}),
        ("muller", {"Jörg Müller", "Jo Muller"}),
        ("joerg mueller", {"Jörg Müller"}),
        ("jorg muller", {"Jörg Müller"}),
        ("ülle", {"Jörg Müller", "Jo Mueller", "Jo Muller"}),
        ("élodie", {"Élodie Strauß", "Elodie Strauss"}),
        ("elodie strauss", {"Élodie Strauß", "Elodie Strauss"}),
        ("strauß", {"Élodie Strauß", "Elodie Strauss"}),
        ("él", {"Élodie Strauß", "Elodie Strauss"}),  # a short word is the beginning of one
        ("orsted", {"Søren Ørsted"}),
        ("oersted", {"Søren Ørsted"}),
        ("lukasz", {"Łukasz Żak"}),
        ("ФЁДОР", {"Фёдор"}),
        ("федор", {"Фёдор"}),
        ("samuel", {"Samuel Blue"}),  # nobody's plain letters are taken for an accent
        ("samul", set()),
    ],
)
def test_accents_are_found_however_they_are_typed(text: str, names: set[str]) -> None:
    known = meet(
        "Jörg Müller", "Jo Mueller", "Jo Muller", "Élodie Strauß", "Elodie Strauss", "Søren Ørsted", "Łukasz Żak",
        "Фёдор", "Samuel Blue",
    )  # fmt: skip
    assert set(found(text)) == {known[name] for name in names}


def test_an_address_with_accents_is_found_too() -> None:
    known = meet("Jörg", email="jörg.müller@exämple.org")
    for text in ("jorg.muller@example.org", "joerg.mueller@exaemple.org", "jörg.müller@exämple.org", "muller@ex"):
        assert found(text) == [known["Jörg"]], text


def test_whoever_has_no_name_is_still_called_by_what_was_told() -> None:
    installed()
    source = Source.objects.create(key="shop", name="Shop")
    event = Event(
        message_id="m", identities=(("user_id", "jürgen"),), type="Page", channel="web", occurred_at=ago(days=1)
    )
    ingest(source=source, events=[event], cause=Cause.IMPORT)
    settle()
    (one,) = found_customers(text="juergen", most=8)
    assert one.known_as == "jürgen"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("müller", ["m1", "mueller.example"]),
        ("muller gmbh", ["m1"]),
        ("mueller", ["mueller.example", "m1"]),  # what begins so comes first
        ("bauhaus.example", ["b1"]),  # the website that was told
        ("b1", ["b1"]),
        ("auha", ["b1"]),
        ("handel gmbh", ["m1"]),
        ("employees", []),
        ("40", []),
        ("", []),
    ],
)
def test_accounts_are_found_by_name_domain_and_key(text: str, keys: list[str]) -> None:
    Account.objects.create(key="mueller.example")
    Account.objects.create(key="b1", name="Bauwerk", properties={"Website": "https://www.Bauhaus.example/", "size": 40})
    Account.objects.create(key="m1", name="Müller Handel GmbH", properties={"employees": "none"})
    wanted = dict(Account.objects.values_list("key", "pk"))
    assert [one.id for one in found_accounts(text=text, most=8)] == [wanted[key] for key in keys]
    if text:
        listed = account_page(search=text, now=clock()).rows
        assert {row.key for row in listed} == set(keys)


def test_an_account_whose_name_begins_so_comes_first() -> None:
    for name in ("Acme", "The Acme Shop", "Acme Two", "Not acme"):
        Account.objects.create(key=name.lower(), name=name)
    assert [one.known_as for one in found_accounts(text="acme", most=3)] == ["Acme Two", "Acme", "Not acme"]


def test_what_no_account_can_be_called_is_refused() -> None:
    with pytest.raises(QuestionError):
        account_page(search="a\x00b", now=clock())


def test_accounts_are_looked_up_in_their_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM customers_account WHERE search_text LIKE '%acme%'")
        assert "account_search" in "\n".join(row[0] for row in cursor.fetchall())
