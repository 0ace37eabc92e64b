"""What is told of an organisation's people whose figures were not counted yet."""

import pytest
from django.test import Client

from analytics.account_list import account, members
from analytics.sorting import stage_models
from clm.lib.access.models import Role, User
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Account, Affiliation, Customer
from tests.analytics.days.filling import filled
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

pytestmark = pytest.mark.django_db


def test_whoever_a_merge_gave_back_is_being_counted_and_has_not_bought_nothing(client: Client) -> None:
    installed(time_zone="UTC")
    for person, amount in (("anna", 900), ("bert", 4_200), ("cleo", 100)):
        tell(happened(person, "Order Completed", ago(days=20), amount=amount, id=f"{person} 1"))
    settle()
    absorbed = customer_of("bert")
    acme = Account.objects.create(key="acme", name="Acme")
    profile = Customer.objects.get(pk=absorbed).profiles.get()
    Affiliation.objects.create(profile=profile, account=acme, from_at=ago(days=30))
    done = merge(customers=(customer_of("anna"), absorbed), now=clock())
    settle()
    filled()
    unmerge(merge=done.pk, now=clock())

    def told() -> tuple[int, int, bool, list[bool]]:
        row, _properties = account(number=acme.pk, now=clock())
        people, _following = members(account=acme.pk, model=stage_models()[0], now=clock())
        return row.people, row.uncounted, row.is_counted, [one.is_counted for one in people]

    assert done.absorbed_id == absorbed
    assert told() == (1, 1, False, [False])
    client.force_login(User.objects.create_user("marketer@example.org", "a-long-enough-word", role=Role.VIEWER))
    assert client.get(f"/accounts/{acme.pk}/").content.decode().count("being counted") == 6
    assert client.get("/accounts/").content.decode().count("being counted") == 3
    other = Customer.objects.get(pk=customer_of("cleo")).profiles.get()
    Affiliation.objects.create(profile=other, account=acme, from_at=ago(days=30))
    assert told()[:3] == (2, 1, True)
    assert "1 of its people is being counted" in client.get(f"/accounts/{acme.pk}/").content.decode()
    settle()
    filled()
    assert told() == (2, 0, True, [True, True])
    page = client.get(f"/accounts/{acme.pk}/").content.decode()
    assert "being counted" not in page
    assert "£43.00" in page or "43.00" in page
