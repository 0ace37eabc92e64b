"""Looking for people who are in here twice: who is found, who is left alone, and going on after a stop."""

from collections.abc import Callable
from typing import Any

import pytest

from customers import duplicates
from customers.duplicates import done_percent, known_of, sound_of, start_search, work_on_duplicates
from customers.ingest import clock
from customers.models import DuplicateKey, DuplicateSearch, Identity, Merge, PossibleMerge
from customers.review import refuse
from lifecycle.erase import erase
from tests.factories import make_customer
from tests.lifecycle.making import ago, customer_of, happened, settle, tell

pytestmark = pytest.mark.django_db


def people(*told: dict[str, str]) -> None:
    """People of whom that was told, u0 the first; e-mail and phone are identities too."""
    for number, traits in enumerate(told):
        ids = [("user_id", f"u{number}"), *((kind, traits[kind]) for kind in ("email", "phone") if kind in traits)]
        tell(happened(f"u{number}", "Page Viewed", ago(days=2), traits=traits, identities=ids))
    settle()


def found() -> dict[tuple[int, int], tuple[int, dict[str, int]]]:
    """Look, and by pair of numbers how likely it is and why."""
    start_search(now=clock())
    work_on_duplicates()
    number_of = {
        profile: int(value[1:])
        for value, profile in Identity.objects.filter(kind="user_id").values_list("value", "profile")
        if value[0] == "u"
    }
    rows = PossibleMerge.objects.filter(kind="alike", decided_at=None)
    return {
        tuple(sorted((number_of[one.profile_id], number_of[one.other_id]))): (one.score, one.evidence)  # type: ignore[misc]
        for one in rows
    }


ALIKE = [
    ({"name": "Amelia Novak", "phone": "+44 20 7946 0958"}, {"name": "A. Novak", "phone": "020 7946 0958"}),
    ({"name": "Zoë Müller", "email": "zoe.mueller@a.org"}, {"name": "Zoe Muller", "email": "zoe.mueller@b.org"}),
    ({"name": "Kenji Watanabe", "email": "kenji.w@a.org"}, {"name": "Watanabe Kenji", "email": "kenjiw+shop@b.org"}),
    ({"email": "priya.raman@a.org"}, {"email": "Priya_Raman@b.org"}),
    (
        {"name": "Luís Ferreira", "email": "luis.fereira@a.org"},
        {"name": "Luis Ferreira", "email": "luis.ferreira@b.org"},
    ),
    ({"name": "Jon Novack", "phone": "+442079460958"}, {"name": "John Novak", "phone": "+44 (0)20 7946-0958"}),
]
NOT_ALIKE = [
    ({"name": "Amelia Novak"}, {"name": "Amelia Novak"}),
    (
        {"name": "Amelia Novak", "email": "amelia.novak.17@a.org"},
        {"name": "Amelia Novak", "email": "amelia.novak.18@a.org"},
    ),
    ({"name": "Amelia Novak", "phone": "+442079460958"}, {"name": "Kenji Watanabe", "phone": "+442079460958"}),
    ({"name": "Amelia Novak", "email": "info@a.org"}, {"name": "Kenji Watanabe", "email": "info@b.org"}),
    ({"plan": "pro"}, {"plan": "pro"}),
]


@pytest.mark.parametrize("pair", ALIKE, ids=[str(n) for n in range(len(ALIKE))])
def test_who_is_alike_in_two_ways_is_found(pair: Any) -> None:
    people(*pair)
    assert set(found()) == {(0, 1)}
    assert not Merge.objects.exists(), "nobody is merged by it"


@pytest.mark.parametrize("pair", NOT_ALIKE, ids=[str(n) for n in range(len(NOT_ALIKE))])
def test_who_is_alike_in_one_way_only_is_left_alone(pair: Any) -> None:
    people(*pair)
    assert found() == {}


def test_a_pair_says_how_likely_it_is_and_why() -> None:
    people({"name": "Una Lind", "email": "una.lind@a.org"}, {"name": "Una Lind", "email": "una.lind@b.org"})
    assert found() == {(0, 1): (90, {"name": 100, "email": 100})}


def test_what_very_many_share_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST_ALIKE", 3)
    people(*({"name": f"Person {letter}", "email": f"office@{letter}.org"} for letter in "abcd"))
    assert found() == {}


def test_looking_again_asks_nothing_twice() -> None:
    people({"name": "Una Lind", "email": "una.lind@a.org"}, {"name": "Una Lind", "email": "una.lind@b.org"})
    assert len(found()) == 1
    search = DuplicateSearch.objects.get()
    assert (search.counts, search.is_running, DuplicateKey.objects.exists()) == (
        {"customers": 2, "compared": 1, "new": 1},
        False,
        False,
    )
    refuse(possible=PossibleMerge.objects.get().pk, now=clock())
    assert found() == {}
    assert PossibleMerge.objects.count() == 1
    assert DuplicateSearch.objects.latest("pk").counts["new"] == 0


def test_who_was_erased_or_merged_is_not_looked_at() -> None:
    people({"name": "Una Lind", "email": "una.lind@a.org"}, {"name": "Una Lind", "email": "una.lind@b.org"})
    erase(customer=customer_of("u0"), now=clock())
    assert found() == {}
    assert DuplicateSearch.objects.get().counts["customers"] == 1


def test_in_portions_everybody_is_compared_with_everybody_who_shares_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "CUSTOMERS_AT_ONCE", 2)
    monkeypatch.setattr(duplicates, "KEYS_AT_ONCE", 3)
    people(*({"name": f"Una Lind{chr(97 + n // 3)}", "email": f"una.lind{chr(97 + n // 3)}@{n}.org"} for n in range(9)))
    assert set(found()) == {(a, b) for a in range(9) for b in range(a + 1, 9) if a // 3 == b // 3}


def test_a_search_is_shared_and_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "CUSTOMERS_AT_ONCE", 1)
    monkeypatch.setattr(duplicates, "KEYS_AT_ONCE", 2)
    people({"name": "Una Lind", "email": "una.lind@a.org"}, {"name": "Una Lind", "email": "una.lind@b.org"})
    first = start_search(now=clock())
    assert start_search(now=clock()) == first
    calls = 0

    def stops(*_told: object) -> None:
        nonlocal calls
        calls += 1
        raise KeyboardInterrupt

    percents = [0]
    while DuplicateSearch.objects.filter(is_running=True).exists():
        with pytest.raises(KeyboardInterrupt):
            work_on_duplicates(tell=stops)
        percents.append(done_percent(DuplicateSearch.objects.get()))
    assert percents == sorted(percents)
    assert (percents[-1], calls > 4) == (100, True)
    assert PossibleMerge.objects.count() == 1
    assert work_on_duplicates() == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("novak", "nowack"), ("philipp", "filip"), ("schmidt", "schmitt"), ("meyer", "maier"), ("thomas", "tomas")],
)
def test_words_that_sound_the_same_share_a_key(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)


def test_words_that_do_not_sound_the_same_share_none() -> None:
    assert len({sound_of(word) for word in ("novak", "lind", "raman", "watanabe", "ferreira", "meier")}) == 6


def test_too_little_is_no_key() -> None:
    assert known_of(name="Una", emails=["u@x.org", ""], phones=["12", ""]).keys == frozenset()
    assert known_of(name="", emails=[], phones=[]).keys == frozenset()


@pytest.mark.django_db(transaction=True)
def test_the_command_looks_and_says_what_it_found(manage: Callable[..., Any]) -> None:
    make_customer(name="Una Lind", email="una.lind@a.org")
    make_customer(name="Una Lind", email="una.lind@b.org")
    said = manage("find_duplicates", check=True).stdout.splitlines()[-1]
    assert said == "2 customers, 1 pairs compared, 1 new in the review queue, 1 of them by this run"
    assert "0 new in the review queue" in manage("find_duplicates", check=True).stdout
