"""Money that no figure counts because no exchange rate was known for it: how much there is, of which currency and day,
and the touchpoints themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from clm.lib import sql
from clm.lib.cursors import cursor, parse_cursor, parse_text_cursor, text_cursor
from clm.lib.questions import QuestionError
from customers.conversions import unconverted

from .customer_figures import names_of

# A page says that there are more without counting them.
MOST = 10_000
PAGE, MOST_PAGE = 50, 200
# How an address names touchpoints whose message said no currency that there is.
UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many touchpoints carry money that no figure counts; is_more: at least so many."""

    touchpoints: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class WaitingCurrency:
    """A currency that waits for a rate. currency "": what the messages said is none. rated_from: the first day with a
    rate, None where there is none."""

    currency: str
    touchpoints: int
    amount: Decimal
    first: date
    last: date
    rated_from: date | None

    @property
    def key(self) -> str:
        """As an address names it."""
        return self.currency or UNKNOWN


@dataclass(frozen=True, slots=True)
class WaitingDay:
    """What waits for the rate of one currency on one day; amount as it was sent."""

    currency: str
    day: date
    touchpoints: int
    amount: Decimal

    @property
    def key(self) -> str:
        """The currency, as an address names it."""
        return self.currency or UNKNOWN


@dataclass(frozen=True, slots=True)
class WaitingTouchpoint:
    """One touchpoint without an amount."""

    id: int
    customer: int
    known_as: str
    type: str
    role: str
    source: str
    at: datetime
    currency: str
    original_amount: Decimal
    order_ref: str


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of rows and where the next one begins."""

    rows: tuple[Any, ...]
    next_cursor: str | None


def left_out(*, profiles: Sequence[int] | None = None, as_of: datetime | None = None) -> LeftOut | None:
    """How much money no figure counts, of everybody or of some profiles, of what had happened by `as_of`; None where
    there is none. One probe of a small index."""
    waiting = unconverted().order_by()
    if profiles is not None:
        waiting = waiting.filter(profile__in=list(profiles))
    if as_of is not None:
        waiting = waiting.filter(occurred_at__lte=as_of)
    found = waiting[: MOST + 1].count()
    return LeftOut(min(found, MOST), found > MOST) if found else None


def waiting_currencies() -> tuple[WaitingCurrency, ...]:
    """Every currency that waits for a rate, the most frequent first."""
    return tuple(WaitingCurrency(*row) for row in sql.rows("analytics/unconverted_currencies"))


def waiting_days(*, currency: str = "", cursor_text: str | None = None, page_size: int = PAGE) -> Slice:
    """What waits, by currency and day, the latest day first. currency: "" for all, `UNKNOWN` for what is none."""
    before_day, before_currency = None, ""
    if cursor_text is not None:
        _kind, (ordinal,), before_currency = parse_text_cursor(cursor_text, kinds="n", count=1)
        try:
            before_day = date.fromordinal(ordinal)
        except (ValueError, OverflowError):
            raise QuestionError("cursor", "this is no cursor; take it from next") from None
    size = min(max(page_size, 1), MOST_PAGE)
    found = sql.rows(
        "analytics/unconverted_days",
        currency=_asked(currency),
        before_day=before_day,
        before_currency=before_currency,
        most=size + 1,
    )
    rows = tuple(WaitingDay(*row) for row in found[:size])
    last = rows[-1] if len(found) > size else None
    following = None if last is None else text_cursor("n", last.day.toordinal(), text=last.currency)
    return Slice(rows, following)


def waiting_touchpoints(
    *, currency: str = "", day: date | None = None, cursor_text: str | None = None, page_size: int = PAGE
) -> Slice:
    """The touchpoints that wait, the last to arrive first."""
    found = unconverted(currency=_asked(currency))
    if day is not None:
        begins = datetime.combine(day, time(), UTC)
        if day == date.max:
            found = found.none()
        else:
            found = found.filter(occurred_at__gte=begins, occurred_at__lt=begins + timedelta(days=1))
    if cursor_text is not None:
        _kind, (before,) = parse_cursor(cursor_text, kinds="n", count=1)
        found = found.filter(pk__lt=before)
    size = min(max(page_size, 1), MOST_PAGE)
    page = list(found.select_related("type", "source", "profile__customer").order_by("-pk")[: size + 1])
    more, page = len(page) > size, page[:size]
    names = names_of([one.profile.customer for one in page])
    rows = tuple(
        WaitingTouchpoint(
            id=one.pk,
            customer=one.profile.customer_id,
            known_as=names[one.profile.customer_id],
            type=one.type.name,
            role=one.type.role,
            source=one.source.name,
            at=one.occurred_at,
            currency=one.currency,
            original_amount=one.original_amount,
            order_ref=one.order_ref,
        )
        for one in page
    )
    return Slice(rows, cursor("n", page[-1].pk) if more else None)


def _asked(currency: str) -> str | None:
    return None if not currency else "" if currency == UNKNOWN else currency[:3]
