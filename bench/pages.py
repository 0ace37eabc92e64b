"""How long do pages take at a million customers? Random requests of each kind through the whole program (middleware,
view, template) in one process, without the network: server time, its median and 95th percentile, and how many
statements a request makes. The first request of a kind in the process stands apart.

Questions that are not kept per day (a segment, a period of one's own, cohorts) stand in a second table: each is asked
for the first time, and again at once.

The database must be filled and computed: `manage.py simulate` or an import, `manage.py replay`. Figures per day are
counted first if they are not (`manage.py fill_days`), and how long that took is the first line. A user to look at the
pages with is made, and removed at the end."""

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import measuring

LOOKER = "bench-pages@example.org"
SEED, REQUESTS, KIND_SECONDS = 7, 200, 30.0
QUESTIONS, AGAIN = 12, 3  # different questions of a kind, and how often each is asked again

Ask = Callable[[random.Random], str]


def kinds() -> dict[str, Ask]:
    """By name, what makes up one address of that kind."""
    from analytics.attribution.declared import MODELS, WINDOWS
    from analytics.days.kept import kept
    from analytics.listing_order import Order, Place, place_cursor
    from analytics.models import Listed, StageDay
    from analytics.sorting import stage_models
    from clm.lib.cursors import cursor
    from clm.lib.periods import PRESETS, local_day
    from customers.models import Customer, Touchpoint

    counted = kept()
    if counted.known_at is None:
        raise measuring.Refused("nothing is counted yet: run manage.py fill_days")
    today: date = local_day(counted.known_at, counted.zone)
    models = stage_models()
    sizes = {
        (row.version_id, row.stage_id): row.customers for row in StageDay.objects.filter(day=today, customers__gt=0)
    }
    stages = [(model, number, ref) for model in models for number, ref in model.stages.items()]
    there = sorted((sizes[m.version or 0, n], m.key, r.key) for m, n, r in stages if (m.version, n) in sizes)
    rare, common = there[:3], there[-3:]
    last = Customer.objects.order_by("-pk").values_list("pk", flat=True)[0]
    some = list(Customer.objects.filter(pk__in=random.Random(SEED).sample(range(1, last), 300), merged_into=None))
    orders = [f"{minus}{key}" for key in ("last_seen", "orders", "revenue", "name") for minus in ("", "-")]
    letters = "abcdefghijklmnopqrstuvwxyz"
    busiest = _busiest([one.pk for one in some])
    refs = list(
        Touchpoint.objects.exclude(order_ref="").order_by("order_ref").values_list("order_ref", flat=True)[:200]
    )

    def customer(chance: random.Random) -> Any:
        return chance.choice(some)

    def back(chance: random.Random) -> str:
        return (today - timedelta(days=chance.randint(1, 300))).isoformat()

    def deep(chance: random.Random) -> str:
        order = Order(chance.choice(["last_seen", "orders", "revenue"]), chance.random() < 0.5)
        somebody = Listed.objects.filter(pk__gte=chance.randint(1, last)).order_by("pk").values_list("pk", order.key)[0]
        place = Place(0, somebody[1], somebody[0])
        return f"/customers/?sort={order.asked}&cursor={place_cursor('n', place, 51, order)}"

    def word(text: str, otherwise: str) -> str:
        return text.split()[0] if text.split() else otherwise

    return {
        "overview": lambda c: f"/?period={c.choice(list(PRESETS))}&model={c.choice(models).key}",
        "overview, as of a past day": lambda c: f"/?period={c.choice(list(PRESETS))}&as_of={back(c)}",
        "metrics": lambda c: f"/metrics/?period={c.choice(list(PRESETS))}&lines={c.choice(['all', 'products'])}",
        "acquisition": lambda c: (
            f"/acquisition/?period={c.choice(list(PRESETS))}"
            f"&attribution={c.choice(list(MODELS))}&window={c.choice(WINDOWS)}"
        ),
        "customers credited to a channel": lambda c: (
            f"/customers/?group=credited:linear:30:{c.choice(['search', 'social', 'direct'])}&period=30d"
        ),
        "value": lambda _: "/value/",
        "spend": lambda _: "/spend/",
        "experiments": lambda _: "/experiments/",
        "reports": lambda _: "/reports/",
        "a stage model": lambda c: f"/models/{c.choice(models).key}/",
        "customers": lambda _: "/customers/",
        "customers, a deep page": lambda c: f"/customers/?cursor={cursor('n', c.randint(1, last), 51)}",
        "customers in any order": lambda c: f"/customers/?sort={c.choice(orders)}",
        "customers in any order, a deep page": lambda c: deep(c),
        "anonymous visitors": lambda _: "/customers/?who=anonymous",
        "customers in a common stage": lambda c: "/customers/?model={1}&stage={2}".format(*c.choice(common)),
        "customers in a rare stage": lambda c: "/customers/?model={1}&stage={2}".format(*c.choice(rare)),
        "customers in any stage, a deep page": lambda c: (
            "/customers/?model={1}&stage={2}".format(*c.choice(there))
            + f"&cursor={cursor('n', c.randint(1, last), 51)}"
        ),
        "customers of a segment": lambda _: "/customers/?segment=active_customer",
        "customers, a rare stage and a name": lambda c: (
            "/customers/?model={1}&stage={2}".format(*c.choice(rare)) + f"&search={word(customer(c).name, 'anna')}"
        ),
        "search by a first name": lambda c: f"/customers/?search={word(customer(c).name, 'anna')}",
        "search by a whole name": lambda c: f"/customers/?search={customer(c).name.replace(' ', '+') or 'anna'}",
        "search by an e-mail address": lambda c: f"/customers/?search={customer(c).email or 'a@b.example'}",
        "search by digits of a telephone": lambda c: f"/customers/?search={customer(c).phone[-7:] or '1234567'}",
        "search by an order's number": lambda c: f"/customers/?search={c.choice(refs) if refs else 'R1'}",
        "search without a hit": lambda c: f"/customers/?search=zq{c.randint(10**6, 10**7)}xv",
        "search by a common beginning": lambda c: (
            f"/customers/?search={c.choice(['a', 'an', 'use', 'user', 'example'])}"
        ),
        "search by two short words nobody has": lambda c: (
            f"/customers/?search={c.choice(letters)}q+{c.choice(letters)}x"
        ),
        "search as typed (Ctrl+K)": lambda c: f"/search/?search={customer(c).name[: c.randint(1, 9)] or 'a'}",
        "a customer": lambda c: f"/customers/{customer(c).pk}/",
        "a customer's timeline": lambda c: f"/customers/{customer(c).pk}/timeline/",
        "the customer with most touchpoints": lambda _: f"/customers/{busiest}/",
        "the timeline of that customer": lambda _: f"/customers/{busiest}/timeline/",
        "who falls to Lapsed within 30 days": lambda _: "/customers/?falling=1",
    }


def questions() -> dict[str, Ask]:
    """By name, what makes up one address of a kind whose figures are not kept; hardly ever the same one twice."""
    from analytics.attribution.declared import MODELS, WINDOWS
    from analytics.cohorts import BEGINNINGS, MODES, UNITS
    from analytics.days.kept import kept
    from analytics.sorting import live_segments, stage_models
    from clm.lib.periods import PRESETS, local_day

    counted = kept()
    assert counted.known_at is not None
    today: date = local_day(counted.known_at, counted.zone)
    models, segments = stage_models(), live_segments()

    def own(chance: random.Random) -> str:
        until = today - timedelta(days=chance.randint(0, 200))
        return f"from={until - timedelta(days=chance.randint(7, 370))}&until={until}"

    def among(chance: random.Random) -> str:
        then = today - timedelta(days=chance.randint(1, 200))
        period = own(chance) if chance.random() < 0.5 else f"period={chance.choice(list(PRESETS))}&as_of={then}"
        return f"{period}&segment={chance.choice(segments).key}"

    def cohorts(chance: random.Random) -> str:
        begins = chance.choice([*BEGINNINGS, *(f"segment:{one.key}" for one in segments)])
        chosen = f"by={begins}&unit={chance.choice(list(UNITS))}&mode={chance.choice(list(MODES))}"
        return f"{chosen}&as_of={today - timedelta(days=chance.randint(1, 200))}"

    def model(chance: random.Random) -> str:
        return f"model={chance.choice(models).key}"

    return {
        "overview among a segment": lambda c: f"/?{among(c)}&{model(c)}",
        "overview, a period of one's own": lambda c: f"/?{own(c)}&{model(c)}",
        "metrics among a segment": lambda c: f"/metrics/?{among(c)}",
        "metrics, a period of one's own": lambda c: f"/metrics/?{own(c)}&lines={c.choice(['all', 'products'])}",
        "movement": lambda c: (
            f"/movement/?period={c.choice(list(PRESETS))}&{model(c)}&as_of={today - timedelta(days=c.randint(1, 200))}"
        ),
        "movement among a segment": lambda c: f"/movement/?{among(c)}&{model(c)}",
        "movement, a period of one's own": lambda c: f"/movement/?{own(c)}&{model(c)}",
        "experience": lambda c: (
            f"/experience/?period={c.choice(list(PRESETS))}&{model(c)}"
            f"&as_of={today - timedelta(days=c.randint(1, 200))}"
        ),
        "experience among a segment": lambda c: f"/experience/?{among(c)}&{model(c)}",
        "support": lambda c: (
            f"/support/?period={c.choice(list(PRESETS))}&as_of={today - timedelta(days=c.randint(1, 200))}"
        ),
        "support among a segment": lambda c: f"/support/?{among(c)}",
        "acquisition, a period of one's own": lambda c: (
            f"/acquisition/?{own(c)}&attribution={c.choice(list(MODELS))}&window={c.choice(WINDOWS)}"
        ),
        "customers credited to a channel in a period of one's own": lambda c: (
            f"/customers/?group=credited:{c.choice(list(MODELS))}:30:{c.choice(['search', 'social'])}&{own(c)}"
        ),
        "customers of a score": lambda c: (
            f"/customers/?group=score:{c.choice(['alive', 'risk', 'worth'])}:{c.randint(1, 10)}"
        ),
        "customers with a ticket": lambda c: f"/customers/?group=tickets:{c.choice(['opened', 'open'])}&{own(c)}",
        "retention": lambda c: f"/retention/?{cohorts(c)}",
        "retention among a segment": lambda c: f"/retention/?{cohorts(c)}&segment={c.choice(segments).key}",
        "who is behind a number, among a segment": lambda c: (
            f"/customers/?group={c.choice(['buyers', 'kept', 'lost', 'came:seven:lapsed'])}&{among(c)}"
        ),
    }


def ask_again(client: Any, only: Sequence[str]) -> None:
    """The table of questions that are not kept."""
    timed(client, "/")  # what a process needs once
    print("\n| question | first: median | p95 | slowest | again: median | p95 | questions | statements |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, ask in questions().items():
        if not any(part in name for part in only):
            continue
        chance, first, again, counts = random.Random(SEED), list[float](), list[float](), set[int]()
        for _question in range(QUESTIONS):
            address = ask(chance)
            first.append(timed(client, address))
            again.extend(timed(client, address) for _time in range(AGAIN))
            counts.add(statements(client, address))
        told = (
            *(measuring.percentile(first, share) for share in (0.5, 0.95)),
            max(first),
            *(measuring.percentile(again, share) for share in (0.5, 0.95)),
        )
        cells = " | ".join(f"{seconds * 1e3:.0f} ms" for seconds in told)
        print(f"| {name} | {cells} | {QUESTIONS} | {min(counts)} to {max(counts)} |", flush=True)


def _busiest(customers: list[int]) -> int:
    """The customer with most touchpoints among the noted hot ones, the planner's most common profile and some."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT profile.customer_id FROM customers_profile AS profile"
            " WHERE profile.customer_id = ANY(%s) OR profile.id IN ("
            "   SELECT unnest(most_common_vals::text::bigint[]) FROM pg_stats"
            "   WHERE tablename = 'customers_touchpoint' AND attname = 'profile_id')"
            " ORDER BY (SELECT count(*) FROM customers_touchpoint AS t WHERE t.profile_id = profile.id) DESC LIMIT 1",
            [customers],
        )
        (found,) = cursor.fetchone()
    return int(found)


@contextmanager
def looker() -> Iterator[Any]:
    """A browser that is signed in."""
    from django.conf import settings
    from django.test import Client

    from clm.lib.access.models import Role, User

    # Names of static files as they are: what a page costs must not depend on whether they were collected here.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    User.objects.filter(email=LOOKER).delete()  # what a killed run has left
    user = User.objects.create_user(LOOKER, None, role=Role.ADMIN)
    client = Client(SERVER_NAME="127.0.0.1")
    try:
        client.force_login(user)
        yield client
    finally:
        User.objects.filter(pk=user.pk).delete()


def timed(client: Any, address: str) -> float:
    """Seconds of one request."""
    began = time.perf_counter()
    answer = client.get(address)
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        raise measuring.Refused(f"{address} answered {answer.status_code}")
    return seconds


def statements(client: Any, address: str) -> int:
    """How many statements one request makes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as made:
        client.get(address)
    return len(made)


def main(only: Sequence[str]) -> None:
    """only: parts of the names of the kinds to ask."""
    measuring.start_django()
    measuring.need_touchpoints()
    from analytics.days.fill import fill
    from analytics.days.read_ahead import read_ahead
    from clm import web_server

    web_server.when_ready(None)  # as in the processes that serve
    read_ahead()
    began = time.monotonic()
    done = fill()
    print(f"{measuring.machine()}\n\nfigures per day: {done.rows} rows in {time.monotonic() - began:.1f} s")
    print("\n| page | first | median | p95 | slowest | requests | statements |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with looker() as client:
        for name, ask in kinds().items():
            if not any(part in name for part in only):
                continue
            chance = random.Random(SEED)
            first = timed(client, ask(chance))
            seconds: list[float] = []
            began = time.monotonic()
            while len(seconds) < REQUESTS and time.monotonic() - began < KIND_SECONDS:
                seconds.append(timed(client, ask(chance)))
            counts = {statements(client, ask(chance)) for _request in range(3)}
            print(
                f"| {name} | {first * 1e3:.0f} ms | {measuring.percentile(seconds, 0.5) * 1e3:.0f} ms"
                f" | {measuring.percentile(seconds, 0.95) * 1e3:.0f} ms | {max(seconds) * 1e3:.0f} ms"
                f" | {len(seconds)} | {' to '.join(map(str, sorted({min(counts), max(counts)})))} |",
                flush=True,
            )
        ask_again(client, only)


if __name__ == "__main__":
    main(sys.argv[1:] or [""])
