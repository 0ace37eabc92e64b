"""Forms of customers: everything that is wrong is said together, and ids of other systems are kept like addresses."""

import pytest

from clm.lib.questions import QuestionError
from customers.ingest import clock
from customers.keeping import create_customer, edit_customer, external_id_of, log_touchpoint
from customers.models import Customer, Identity, Touchpoint
from tests.factories import make_customer
from tests.lifecycle.making import ago, settle

pytestmark = pytest.mark.django_db


def problems(refused: pytest.ExceptionInfo[QuestionError]) -> dict[str, int | None]:
    return {one.field: one.customer for one in refused.value.errors}


def create(**told: str) -> int:
    made = create_customer(**told, author="Joan", now=clock())
    settle()
    return made


def edit(customer: int, **changes: str) -> tuple[str, ...]:
    done = edit_customer(customer=customer, changes=changes, now=clock())
    settle()
    return done


def test_all_that_is_wrong_with_a_new_customer_is_said_at_once() -> None:
    other = create(name="Ann", email="ann@example.org", external_id="7")
    with pytest.raises(QuestionError) as refused:
        create(name="x" * 300, email="ann@example.org", phone="call me", external_id="7", note="\x01")
    assert problems(refused) == {"name": None, "phone": None, "note": None, "email": other, "external_id": other}
    said = {one.field: one.message for one in refused.value.errors}
    assert said["email"] == f"Ann (customer {other}) has this e-mail address already."
    assert all(message[0].isupper() and message.endswith(".") for message in said.values())
    assert Customer.objects.count() == 1


def test_all_that_is_wrong_with_an_edit_is_said_at_once() -> None:
    other = create(email="ann@example.org", external_id="7")
    customer = create(name="Bo", external_id="8")
    with pytest.raises(QuestionError) as refused:
        edit(customer, email="ann@example.org", external_id="7", phone="?", nickname="B")
    assert problems(refused) == {"nickname": None, "phone": None, "email": other, "external_id": other}
    assert (Customer.objects.get(pk=customer).email, external_id_of(customer=customer)) == ("", "8")


def test_all_that_is_wrong_with_a_logged_call_is_said_at_once() -> None:
    customer = make_customer()
    with pytest.raises(QuestionError) as refused:
        log_touchpoint(
            customer=customer, kind="fax", text=" ", author="J", now=clock(), occurred_at=ago(days=-1), direction="up"
        )
    assert set(problems(refused)) == {"kind", "text", "occurred_at", "direction"}
    assert Touchpoint.objects.count() == 1


def test_an_external_id_is_replaced_and_the_former_one_stays_the_customers() -> None:
    customer = create(name="Bo", external_id="8")
    assert edit(customer, external_id="9") == ("external_id",)
    assert external_id_of(customer=customer) == "9"
    owners = Identity.objects.filter(kind="external_id").values_list("value", "profile__customer")
    assert dict(owners) == {"8": customer, "9": customer}
    assert edit(customer, external_id="9") == ()
    assert edit(customer, external_id="8") == ("external_id",)  # back to one it had
    assert external_id_of(customer=customer) == "8"
    with pytest.raises(QuestionError) as refused:
        edit(customer, external_id="")
    assert problems(refused) == {"external_id": None}


def test_an_external_id_is_kept_exactly() -> None:
    customer = create(name="Bo")
    edit(customer, external_id="  007-aB ")
    assert external_id_of(customer=customer) == "007-aB"


def test_an_id_that_a_source_told_is_the_one_before_the_first_edit() -> None:
    customer = make_customer()
    assert external_id_of(customer=customer) == ""
    assert edit(customer, external_id="K-1") == ("external_id",)
    assert external_id_of(customer=customer) == "K-1"
