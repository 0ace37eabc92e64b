"""Lists of what the installation keeps have no end that one cannot come to: pages lead to the next one and back."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from analytics.models import Export, Mailing
from campaigns.models import Delivery, Endpoint, Experiment
from customers.ingest import clock
from customers.models import Customer, Erasure, Merge, Reject, Source
from customers.receiving.write_keys import KIND
from lifecycle.models import Parked
from tests.reports.conftest import make_report

ROWS = 53
NEXT = re.compile(r'<a [^>]*rel="next"[^>]*href="([^"]+)"')
PREVIOUS = re.compile(r'<a [^>]*rel="prev"[^>]*href="([^"]+)"')


def deliveries() -> str:
    now = clock()
    one = Endpoint.objects.create(url="https://a.example", events=["ping"], salt="s", fingerprint="f", created_at=now)
    state = {"state": "delivered", "due_at": now, "finished_at": now, "body": "{}", "type": "ping"}
    Delivery.objects.bulk_create([Delivery(endpoint=one, event=f"row-{n:03}", **state) for n in range(ROWS)])
    return f"/webhooks/{one.pk}/?state=delivered"


def experiments() -> str:
    metrics = [{"kind": "conversion", "days": 7}]
    made = [Experiment(key=f"row-{n:03}", name="A", salt=f"{n}", planned=9, metrics=metrics) for n in range(ROWS)]
    Experiment.objects.bulk_create(made)
    return "/experiments/"


def reports() -> str:
    for n in range(ROWS):
        make_report(name=f"row-{n:03}")
    return "/reports/"


def mailings() -> str:
    now, report = clock(), make_report()
    Mailing.objects.bulk_create(
        [Mailing(report=report, due_at=now - timedelta(days=n), try_at=now, state="failed") for n in range(ROWS)]
    )
    return f"/reports/{report.pk}/"


def exports() -> str:
    state = {"subject": "customers", "format": "csv", "dialect": "page", "state": "expired", "asked_at": clock()}
    Export.objects.bulk_create([Export(asked_by=f"row-{n:03}", **state) for n in range(ROWS)])
    return "/exports/"


def erasures() -> str:
    people = Customer.objects.bulk_create([Customer(name="") for _ in range(ROWS)])
    now = clock()
    Erasure.objects.bulk_create([Erasure(customer_id=one.pk, at=now, finished_at=now) for one in people])
    return "/erasures/"


def refused() -> str:
    source = Source.objects.create(key="site", name="Site", kind=KIND, write_key_hash="h")
    Reject.objects.bulk_create([Reject(source=source, reason=f"row-{n:03}", raw=b"{}") for n in range(ROWS)])
    return "/sources/site/"


def merges() -> str:
    people = Customer.objects.bulk_create([Customer(name=f"row-{n:03}") for n in range(ROWS + 1)])
    now, survivor = clock(), people[-1]
    Merge.objects.bulk_create([Merge(survivor=survivor, absorbed=one, at=now) for one in people[:-1]])
    return "/customers/merge/"


def merges_of_one() -> str:
    merges()
    return f"/customers/{Merge.objects.latest('pk').survivor_id}/merge/"


def parked() -> str:
    people = Customer.objects.bulk_create([Customer(name="") for _ in range(ROWS)])
    now = clock()
    Parked.objects.bulk_create(
        [Parked(customer_id=one.pk, error=f"row-{n:03}", parked_at=now) for n, one in enumerate(people)]
    )
    return "/system/"


# What is listed, and what tells the rows apart where it is not `row-...`.
LISTS: list[tuple[Callable[[], str], str]] = [
    (deliveries, r"row-\d{3}, "),
    (experiments, r'/experiments/(row-\d{3})/"'),
    (reports, r">(row-\d{3})</a>"),
    (mailings, r'/mailings/(\d+)/"'),
    (exports, r"row-\d{3}"),
    (erasures, r'/customers/(\d+)/"'),
    (refused, r"</code> row-\d{3}<|>row-\d{3}<"),
    (merges, r"merges/(\d+)/undo/"),
    (merges_of_one, r"merges/(\d+)/undo/"),
    (parked, r"row-\d{3}"),
]


@pytest.mark.parametrize(("made", "row"), LISTS, ids=[made.__name__ for made, _row in LISTS])
def test_every_row_of_a_long_list_is_come_to_and_the_way_back(made: Callable[[], str], row: str, admin: Client) -> None:
    address: str | None = made()
    first = address
    pages: list[list[str]] = []
    said = ""
    path = str(first).partition("?")[0]
    while address is not None and len(pages) < 9:
        said = admin.get(address).content.decode()
        pages.append(re.findall(row, said))
        following = NEXT.search(said)
        address = None if following is None else path + following[1].replace("&amp;", "&")
    assert len(pages) > 1
    seen = [one for page in pages for one in page]
    assert (len(seen), len(set(seen))) == (ROWS, ROWS)
    back = PREVIOUS.search(said)
    assert back is not None
    before = admin.get(path + back[1].replace("&amp;", "&")).content.decode()
    assert re.findall(row, before) == pages[-2]


def test_a_page_that_cannot_be_read_is_refused(admin: Client) -> None:
    for path in (deliveries(), *(made() for made in (experiments, reports, exports, erasures, refused, parked))):
        more = "&" if "?" in path else "?"
        answer = admin.get(f"{path}{more}cursor=nonsense")
        assert answer.status_code == 400, path
