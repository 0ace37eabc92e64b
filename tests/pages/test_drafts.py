"""What is only drafted stands with the changes and definitions; where customers are listed or counted nobody meets it
before it is live."""

from collections.abc import Iterator

import pytest

from customers.ingest import clock
from lifecycle.install import publish
from lifecycle.models import Revision, StageModel
from lifecycle.revise import add_segment, add_stage, copy_model, discard
from tests.pages.conftest import Shop

STAGE, MODEL, SEGMENT = "Zealots to be", "Copied model to be", "Segment to be"
RULE = {"did": {"role": "purchase"}, "at_least": 5}
ABOUT_CUSTOMERS = [
    "/",
    "/?known_at=2026-01-01",
    "/customers/",
    "/customers/?stage=retention",
    "/customers/{customer}/",
    "/customers/{customer}/?as_of=2026-01-01",
    "/customers/{customer}/place/",
    "/movement/",
    "/retention/",
    "/metrics/",
    "/api/v1/customers/?stage=seven:retention",
    "/api/v1/customers/{customer}/",
    "/api/v1/stage-models/seven/",
    "/api/v1/stage-models/seven/counts/",
    "/api/v1/stage-models/seven/trend/",
    "/api/v1/stage-models/seven/flows/",
    "/api/v1/movement/",
]


@pytest.fixture
def drafted(shop: Shop) -> Iterator[list[Revision]]:
    seven = StageModel.objects.get(key="seven").pk
    made = [
        copy_model(model=seven, key="twin-of-seven", name=MODEL),
        add_stage(model=seven, key="zealots", name=STAGE, rule=RULE, above="advocacy"),
        add_segment(key="to-be", name=SEGMENT, rule=RULE),
    ]
    yield made
    for revision in made:
        if revision.published_at is None:
            discard(revision=revision.pk)


@pytest.mark.parametrize("path", ABOUT_CUSTOMERS)
def test_nobody_meets_what_is_only_drafted(path: str, shop: Shop, drafted: list[Revision]) -> None:
    client = shop.client("admin")
    answer = client.get(path.format(customer=shop.customer("1005").pk))
    assert answer.status_code == 200
    text = answer.content.decode()
    for name in (STAGE, MODEL, SEGMENT, "zealots", "twin-of-seven", "to-be"):
        assert name not in text, name


def test_it_is_found_where_definitions_are(shop: Shop, drafted: list[Revision]) -> None:
    client = shop.client("admin")
    found_at = (
        ("/models/", MODEL),
        ("/segments/", SEGMENT),
        ("/changes/", MODEL),
        ("/models/twin-of-seven/", "Retention"),
    )
    for path, name in (*found_at, (f"/changes/{drafted[1].pk}/", STAGE)):
        assert name in client.get(path).content.decode(), path
    # A search leads to its definition, and to no customers of it.
    found = client.get("/search/?search=to+be").content.decode()
    assert MODEL in found
    assert "segment=to-be" not in found and "stage=zealots" not in found
    for asked in ("/customers/?stage=zealots", "/api/v1/customers/?stage=seven:zealots"):
        assert client.get(asked).status_code in (400, 404), asked


def test_a_change_speaks_of_its_new_stage_by_name(shop: Shop, drafted: list[Revision]) -> None:
    client = shop.client("admin")
    answer = client.get(f"/changes/{drafted[1].pk}/")
    (diff,) = answer.context["effect"].subjects
    moves = {(move.source and move.source.key, move.target and move.target.key): move.customers for move in diff.moves}
    assert moves and {target for _source, target in moves} == {"zealots"}
    assert sum(moves.values()) == diff.moved.customers
    columns = [stage.name if stage else None for stage in diff.matrix.columns]
    assert STAGE in columns and None not in columns
    told = client.get(f"/api/v1/changes/{drafted[1].pk}/preview/").json()["effect"]["subjects"][0]
    assert {move["to"]["name"] for move in told["moves"]} == {STAGE}


def test_a_stage_that_goes_live_is_met_at_once_by_everybody(shop: Shop) -> None:
    revision = add_stage(model=StageModel.objects.get(key="five").pk, key="fans", name="Fans", rule=RULE)
    client = shop.client("admin")
    pages = ("/?model=five", "/customers/?model=five", "/api/v1/stage-models/five/counts/")
    assert not [path for path in pages if "Fans" in client.get(path).content.decode()]
    publish(revision=revision.pk, now=clock())
    assert [path for path in pages if "Fans" in client.get(path).content.decode()] == list(pages)
