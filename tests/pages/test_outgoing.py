"""Pages of files that leave and of programs that are told: accessible, in both themes and widths."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from analytics.exports.jobs import noted
from analytics.models import Export
from campaigns.models import Attempt, Delivery, Endpoint
from campaigns.outgoing.ending import disable
from campaigns.outgoing.events import TYPES
from campaigns.outgoing.keeping import create_endpoint, ping
from customers.ingest import clock
from tests.pages.conftest import MODES, Shop, faults, look, overflow


@pytest.fixture
def told(shop: Shop) -> Iterator[dict[str, int]]:
    """A webhook that has been answered and one that is switched off; files in every state."""
    now, admin = clock(), shop.people["admin"]
    endpoint, _secret = create_endpoint(told={"url": "https://example.org/hook", "events": list(TYPES)}, now=now)
    off, _secret = create_endpoint(
        told={"url": "https://example.org/" + "long/" * 30, "events": ["customer.merged"]}, now=now
    )
    delivery = ping(endpoint=endpoint, now=now)
    Delivery.objects.filter(pk=delivery.pk).update(attempts=2)
    Attempt.objects.create(delivery=delivery, number=1, began_at=now, ended_at=now, status=500, excerpt="no\n" * 3)
    Attempt.objects.create(delivery=delivery, number=2, began_at=now)
    disable(endpoint=off, because="it answered 410 Gone", now=now)
    for state in Export.State.values:
        export = noted(
            who=admin,
            subject="touchpoints",
            format="csv",
            dialect="page",
            question="stage=lapsed&search=" + "a" * 100,
            byte_order_mark=True,
            now=now,
        )
        Export.objects.filter(pk=export.pk).update(
            state=state, as_of=now, expires_at=now, finished_at=now, rows=12, size=10**6
        )
    yield {"endpoint": endpoint.pk, "off": off.pk}
    Endpoint.objects.all().delete()
    Export.objects.all().delete()


@pytest.mark.parametrize(
    "path",
    [
        "/exports/",
        "/exports/new/?search=novak",
        "/webhooks/",
        "/webhooks/new/",
        "/webhooks/{endpoint}/",
        "/webhooks/{off}/",
    ],
)
def test_page_is_accessible_and_fits(
    path: str, shop: Shop, told: dict[str, int], sign_in: Callable[[str], Page]
) -> None:
    page = sign_in("admin")
    for theme, width in MODES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        assert look(page, shop.url + path.format(**told)).status == 200
        assert faults(page) == [], (theme, width)
        assert not overflow(page), (theme, width)
