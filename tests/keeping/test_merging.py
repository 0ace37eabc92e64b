"""Merging two customers on the pages, and undoing it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from analytics.customer_figures import names_of
from customers.ingest import clock
from customers.models import Customer, Identity, Merge
from tests.factories import make_order
from tests.keeping.conftest import faults, said
from tests.lifecycle.making import customer_of, profile_of, settle, tell


@pytest.fixture
def agent(browsers: dict[str, Client]) -> Client:
    return browsers["agent"]


@pytest.fixture
def two(agent: Client) -> tuple[int, int]:
    """Amelia, met first, and A. Novak with the same phone; both bought once."""
    for person, name, at in (("1", "Amelia Novak", "2026-01-05"), ("2", "A. Novak", "2026-02-05")):
        tell(make_order(person, at, traits={"name": name, "phone": "+442079460018", "plan": f"plan {person}"}))
        settle()
        Identity.objects.create(kind="ext:stripe", value=f"cus_{person}", profile_id=profile_of(person))
    return customer_of("1"), customer_of("2")


def test_the_two_are_shown_side_by_side_and_merged(agent: Client, two: tuple[int, int]) -> None:
    first, second = two
    look = agent.get(f"/customers/{second}/merge/?with={first}")
    pair = look.context["pair"]
    assert (pair.left.head.id, pair.right.head.id) == (first, second)
    assert pair.touchpoints == pair.left.head.touchpoints + pair.right.head.touchpoints
    rows = {row.label: (row.shared, row.differs) for row in pair.facts}
    assert rows["phone"] == (True, False)
    assert rows["plan"] == (False, True)
    assert rows["ext:stripe"] == (False, True)
    shown = look.content.decode()
    assert "stripe id" in shown and "ext:stripe" not in shown
    assert len(pair.stages) == 3
    done = agent.post(f"/customers/{second}/merge/?with={first}", {"reason": "Same phone."}, follow=True)
    assert said(done) == ["They are one customer now."]
    assert done.redirect_chain[-1][0] == f"/customers/{first}/merge/"
    record = Merge.objects.get()
    assert (record.survivor_id, record.absorbed_id, record.reason) == (first, second, "Same phone.")
    assert record.author is not None
    assert record.author.role == "agent"
    assert "Same phone." in done.content.decode()


def test_a_merge_is_undone_from_the_list_of_the_customer(agent: Client, two: tuple[int, int]) -> None:
    first, second = two
    agent.post(f"/customers/{first}/merge/?with={second}", {"reason": ""})
    tell(make_order("2", "2026-03-05"))
    settle()
    number = Merge.objects.get().pk
    assert f"/merges/{number}/undo/" in agent.get(f"/customers/{first}/merge/").content.decode()
    assert "computed anew" in agent.get(f"/merges/{number}/undo/").content.decode()
    assert Merge.objects.get().undone_at is None
    done = agent.post(f"/merges/{number}/undo/", follow=True)
    assert done.redirect_chain[-1][0] == f"/customers/{second}/"
    assert customer_of("2") == second
    assert Customer.objects.get(pk=second).merged_into is None
    assert agent.post(f"/merges/{number}/undo/").status_code == 409
    assert "undone" in agent.get("/customers/merge/").content.decode()


def test_names_told_at_one_instant_are_foretold_and_kept_apart(agent: Client) -> None:
    """Of two names of one instant the one recorded later counts, so the one who stays is called otherwise after it."""
    for person, name in (("1", "Nina Newcomer"), ("2", "Nino Newcomer")):
        tell(make_order(person, "2026-01-05", traits={"name": name}))
        settle()
    first, second = customer_of("1"), customer_of("2")
    look = agent.get(f"/customers/{first}/merge/?with={second}").content.decode()
    assert f"Customer #{first} stays" in look
    assert f"the address of #{second} leads there" in look
    assert f"#{first} will be called Nino Newcomer." in look
    agent.post(f"/customers/{first}/merge/?with={second}", {"reason": ""})
    settle()
    assert Customer.objects.get(pk=first).name == "Nino Newcomer"
    undo = agent.get(f"/merges/{Merge.objects.get().pk}/undo/").content.decode()
    assert f"Undo the merge of #{second} Nino Newcomer into #{first} Nina Newcomer?" in undo


@pytest.mark.parametrize(
    "traits",
    [
        ({"firstName": "Ada", "lastName": "Novak"}, {"email": "ada@example.org"}),
        ({"email": "b@example.org"}, {"phone": "+442079460018"}),
        ({"phone": "+442079460018"}, {"plan": "team"}),
        ({"name": "Ada"}, {"name": ""}),
        ({"plan": "team"}, {}),
    ],
    ids=["parts of a name", "address", "number", "emptied name", "an id alone"],
)
def test_whoever_stays_is_called_as_was_foretold(traits: tuple[Any, Any], agent: Client) -> None:
    for person, told in zip(("1", "2"), traits, strict=True):
        tell(make_order(person, "2026-01-05", traits=told))
        settle()
    first, second = customer_of("1"), customer_of("2")
    foretold = agent.get(f"/customers/{first}/merge/?with={second}").context["pair"].called
    agent.post(f"/customers/{first}/merge/?with={second}", {"reason": ""})
    settle()
    kept = Customer.objects.get(pk=first)
    assert foretold == names_of([kept])[first]


def test_who_looks_alike_is_offered_and_others_are_found(agent: Client, two: tuple[int, int]) -> None:
    first, second = two
    tell(make_order("3", "2026-03-05", traits={"name": "Kenji Watanabe"}))
    settle()
    page = agent.get(f"/customers/{first}/merge/")
    assert [one.id for one in page.context["found"]] == [second]
    found = agent.get(f"/customers/{first}/merge/?search=kenji").context["found"]
    assert [one.id for one in found] == [customer_of("3")]
    assert agent.get("/customers/merge/?search=novak").context["found"]


@pytest.mark.parametrize("other", ["x", "999999", "-1", "²"])
def test_somebody_who_is_not_there_is_said_on_the_page(other: str, agent: Client, two: tuple[int, int]) -> None:
    answer = agent.get(f"/customers/{two[0]}/merge/?with={other}")
    assert answer.status_code == 422
    assert answer.context["fault"]
    assert answer.context["found"]


def test_the_same_one_twice_is_refused(agent: Client, two: tuple[int, int]) -> None:
    first, second = two
    assert "one customer already" in agent.get(f"/customers/{first}/merge/?with={first}").context["fault"]
    agent.post(f"/customers/{first}/merge/?with={second}", {})
    # Where the absorbed one is named, the survivor is meant.
    assert agent.get(f"/customers/{second}/merge/").status_code == 302
    assert "one customer already" in agent.get(f"/customers/{first}/merge/?with={second}").context["fault"]


def test_a_reason_that_is_too_long_stays_in_its_field(agent: Client, two: tuple[int, int]) -> None:
    first, second = two
    answer: Any = agent.post(f"/customers/{first}/merge/?with={second}", {"reason": "x" * 2001})
    assert answer.status_code == 422
    assert set(faults(answer)) == {"reason"}
    assert "x" * 2001 in answer.content.decode()
    assert not Merge.objects.exists()


def test_a_viewer_is_offered_no_merge(browsers: dict[str, Client], two: tuple[int, int]) -> None:
    assert "/merge/" not in browsers["viewer"].get(f"/customers/{two[0]}/").content.decode()
    assert browsers["viewer"].get(f"/customers/{two[0]}/merge/").status_code == 403
    assert "/merge/" in browsers["agent"].get(f"/customers/{two[0]}/").content.decode()


def test_the_page_of_who_stayed_leads_to_undoing_it_whoever_may(
    agent: Client, browsers: dict[str, Client], two: tuple[int, int]
) -> None:
    first, second = two
    agent.post(f"/customers/{first}/merge/?with={second}", {"reason": ""})
    undo = f"/merges/{Merge.objects.get().pk}/undo/"
    assert undo in agent.get(f"/customers/{first}/").content.decode()
    seen_by_all = browsers["viewer"].get(f"/customers/{first}/").content.decode()
    assert "was merged into this customer" in seen_by_all
    assert undo not in seen_by_all
    # Who looks at a day on which they were one is not led to undoing what was undone since.
    agent.post(undo)
    Merge.objects.update(at=F("at") - timedelta(days=2), undone_at=F("at") - timedelta(hours=1))
    earlier = (clock() - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    then = agent.get(f"/customers/{first}/?known_at={earlier}").content.decode()
    assert "was merged into this customer" in then
    assert undo not in then
