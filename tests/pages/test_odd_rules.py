"""Rules and names that nobody would write on purpose, all the way through the pages: drafted, counted, published,
listed, explained. Each is answered exactly, or refused with the reason; nothing breaks."""

import json
from typing import Any

import pytest
from django.test import Client

from lifecycle.models import Publication, Revision, Segment
from lifecycle.previews import RULE, estimated_rule, work_on_previews
from lifecycle.publications import publish_asked
from lifecycle.revise import add_segment
from tests.pages.conftest import Shop

ODD = "100% %s %(x)s 'quoted' \"twice\" {brace} \\back <b>&amp;"
RULES: dict[str, Any] = {
    "not around everything": {"not": {"all": [{"did": {}}, {"not": {"any": [{"did": {"role": "refund"}}]}}]}},
    "not of what never was": {"not": {"did": {"type": ODD}}},
    "a property nobody sent": {"did": {"where": [{"property": ODD, "exists": False}]}},
    "a test of a property nobody sent": {"did": {"where": [{"property": "nobody's 100%", "is_not": "%s"}]}},
    "a trait nobody has": {"not": {"trait": ODD, "contains": "%"}},
}


pytestmark = pytest.mark.usefixtures("nothing_left_drafted")


@pytest.fixture
def admin(shop: Shop) -> Client:
    return shop.client("admin")


@pytest.mark.parametrize("kind", sorted(RULES))
def test_an_odd_rule_is_counted_published_listed_and_explained(kind: str, shop: Shop, admin: Client) -> None:
    rule, name = RULES[kind], f"{kind} {ODD}"[:100]
    estimate = estimated_rule(rule=rule, now=shop.now)
    expected = sum(n for (_was, then), n in estimate.tallies[RULE].cells.items() if then)
    drafted = admin.post("/segments/new/", {"name": name, "rule": json.dumps(rule), "note": ODD})
    assert drafted.status_code == 302, drafted.content[:2000]
    assert admin.get(drafted["Location"]).status_code == 200
    work_on_previews()
    (diff,) = admin.get(drafted["Location"]).context["effect"].subjects
    assert diff.after.customers == expected
    admin.post(f"{drafted['Location']}publish/")
    assert publish_asked() == 1
    segment = Segment.objects.get(name=name)
    page = admin.get(f"/segments/{segment.key}/")
    assert page.context["matching"].number == expected
    for path in (
        f"/customers/?segment={segment.key}",
        f"/segments/{segment.key}/members.csv",
        f"/segments/{segment.key}/versions/1/",
        f"/segments/{segment.key}/rule/",
        f"/customers/{shop.customer('1005').pk}/?segment={segment.key}",
        f"/?segment={segment.key}",
        f"/search/?search={kind[:10]}",
        f"/api/v1/segments/{segment.key}/members/",
    ):
        answer = admin.get(path)
        assert answer.status_code == 200, path
        if answer.streaming:
            b"".join(answer.streaming_content)
        else:
            assert "<b>&amp;" not in answer.content.decode(), path  # said, never read as markup


def test_names_may_hold_anything_wherever_they_are_said(shop: Shop, admin: Client) -> None:
    named = admin.post("/rules/new/", {"name": ODD, "rule": json.dumps({"did": {"role": "purchase"}, "within": "99d"})})
    assert named.status_code == 302
    admin.post(f"{named['Location']}publish/")
    assert publish_asked() == 1
    uses = json.dumps({"all": [{"rule": "alive"}, {"not": {"rule": ODD}}]})
    drafted = admin.post("/models/five/stages/new/", {"name": ODD, "key": "odd", "rule": uses, "above": "advocacy"})
    assert drafted.status_code == 302, drafted.content[:2000]
    work_on_previews()
    assert admin.get(drafted["Location"]).status_code == 200
    admin.post(f"{drafted['Location']}publish/")
    assert publish_asked() == 1
    customer = shop.customer("1005").pk
    for path in (
        "/?model=five",
        "/models/five/",
        "/rules/",
        f"/customers/{customer}/?model=five",
        "/movement/?model=five",
    ):
        answer = admin.get(path)
        assert answer.status_code == 200, path
        assert "{brace}" in answer.content.decode(), path


@pytest.mark.parametrize(
    ("path", "rule", "said"),
    [
        ("/rules/alive/edit/", {"rule": "alive"}, "circle"),
        ("/rules/ended/edit/", {"rule": "alive"}, "circle"),
        ("/rules/alive/edit/", {"not": {"segment": "round"}}, "circle"),
        ("/models/seven/stages/retention/rule/", {"segment": "of-a-stage"}, "stage"),
        ("/models/seven/stages/retention/rule/", {"stage": ["five", "retention"]}, "stage"),
        ("/segments/new/", {"did": {}, "within": "90"}, "a duration is a whole number of m, h, d or w"),
        ("/segments/new/", {"did": {"where": [{"property": "", "is": 1}]}}, "property"),
        ("/segments/new/", {"not": {}}, "$.not"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(path: str, rule: Any, said: str, shop: Shop, admin: Client) -> None:
    for key, meaning in (("round", {"rule": "alive"}), ("of-a-stage", {"stage": ["seven", "retention"]})):
        if not Segment.objects.filter(key=key).exists():
            admin.post(f"/changes/{add_segment(key=key, name=key, rule=meaning).pk}/publish/")
            assert publish_asked() == 1
    drafts = Revision.objects.filter(published_at=None).count()
    answer = admin.post(path, {"name": "refused", "rule": json.dumps(rule)})
    assert answer.status_code == 422
    assert said in " ".join(error for errors in answer.context["form"].errors.values() for error in errors)
    assert Revision.objects.filter(published_at=None).count() == drafts
    assert not Publication.objects.filter(finished_at=None, refused_at=None).exists()
