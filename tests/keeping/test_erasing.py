"""Erasing a customer on the pages, and what admins see of it afterwards."""

import pytest
from django.test import Client

from customers.models import Erasure, Identity, Touchpoint
from lifecycle.models import Standing
from tests.factories import make_order
from tests.keeping.conftest import faults, said
from tests.lifecycle.making import ago, customer_of, settle, tell


@pytest.fixture
def una(admin: Client) -> int:
    tell(
        make_order("una", ago(days=9), traits={"name": "Una Novak", "email": "una@example.org"}, properties={"a": "b"})
    )
    settle()
    return customer_of("una")


def test_the_page_says_what_will_happen_and_erases_who_is_named_by_number(admin: Client, una: int) -> None:
    look = admin.get(f"/customers/{una}/erase/")
    assert "Una Novak" in look.content.decode()
    assert "cannot be undone" in look.content.decode()
    assert Identity.objects.exists()
    done = admin.post(f"/customers/{una}/erase/", {"number": f" #{una}"}, follow=True)
    assert said(done) == [f"Customer #{una} is erased."]
    page = done.content.decode()
    assert "Una" not in page
    assert "was erased" in page
    for act in ("/erase/", "/merge/", "/edit/", "/log/", "/place/"):
        assert f"/customers/{una}{act}" not in page
    record = Erasure.objects.get()
    assert record.author is not None
    assert record.author.role == "admin"
    assert record.finished_at is not None
    assert Touchpoint.objects.get(profile__customer=una).amount == 10_000
    assert Standing.objects.filter(customer=una).exists()
    assert "Una" not in admin.get("/customers/?search=una").content.decode().replace('value="una"', "")


@pytest.mark.parametrize("typed", ["", "1", "una", "yes"])
def test_nobody_is_erased_by_accident(typed: str, admin: Client, una: int) -> None:
    answer = admin.post(f"/customers/{una}/erase/", {"number": typed if typed != "1" else str(una + 1)})
    assert answer.status_code == 422
    assert set(faults(answer)) == {"number"}
    assert not Erasure.objects.exists()


def test_erasing_twice_is_said(admin: Client, una: int) -> None:
    admin.post(f"/customers/{una}/erase/", {"number": str(una)})
    answer = admin.post(f"/customers/{una}/erase/", {"number": str(una)})
    assert answer.status_code == 422
    assert "erased already" in faults(answer)["__all__"]


def test_only_an_admin_is_offered_to_erase(browsers: dict[str, Client], una: int) -> None:
    for role in ("viewer", "agent", "marketer"):
        assert "/erase/" not in browsers[role].get(f"/customers/{una}/").content.decode()
        assert browsers[role].get(f"/customers/{una}/erase/").status_code == 403
        assert browsers[role].get("/erasures/").status_code == 403
    assert "/erase/" in browsers["admin"].get(f"/customers/{una}/").content.decode()


def test_the_list_names_nobody_and_lets_in_again_who_comes_back(admin: Client, una: int) -> None:
    assert "Nobody was erased" in admin.get("/erasures/").content.decode()
    admin.post(f"/customers/{una}/erase/", {"number": str(una)})
    page = admin.get("/erasures/").content.decode()
    assert f"#{una}" in page
    assert "finished" in page
    tell(make_order("una", ago(days=1)))
    assert "named again since" in admin.get("/erasures/").content.decode()
    assert not Identity.objects.exists()
    done = admin.post("/erasures/", {"kind": "user_id", "value": "una"}, follow=True)
    assert "let in again" in said(done)[0]
    done = admin.post("/erasures/", {"kind": "user_id", "value": "una"}, follow=True)
    assert "Nobody asked" in said(done)[0]
    answer = admin.post("/erasures/", {"kind": "email", "value": "una"})
    assert answer.status_code == 422
    assert set(faults(answer)) == {"value"}
    tell(make_order("una", ago(days=1)))
    assert customer_of("una") != una
