"""What was spent, entry by entry or summed up, narrowed to what somebody asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from campaigns.models import Campaign, Spend
from clm.lib.cursors import cursor, parse_cursor

from .made_up_spend import BUDGETS

MADE_UP = frozenset(budget.key for budget in BUDGETS)
# What one row of the table is, and by what it is told from the others.
BY = ("entry", "month", "channel", "campaign")
NO_CAMPAIGN = "none"
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """Which spend: of one channel and one campaign by key (NO_CAMPAIGN: of none), on the days [start, until), of paid
    media or of anything else."""

    channel: str = ""
    campaign: str = ""
    start: date | None = None
    until: date | None = None
    is_paid_media: bool | None = None

    def entries(self) -> QuerySet[Spend]:
        """The entries meant."""
        found = Spend.objects.all()
        if self.channel:
            found = found.filter(channel__key=self.channel)
        if self.campaign:
            found = found.filter(campaign__key=None if self.campaign == NO_CAMPAIGN else self.campaign)
        if self.start is not None:
            found = found.filter(day__gte=self.start)
        if self.until is not None:
            found = found.filter(day__lt=self.until)
        if self.is_paid_media is not None:
            found = found.filter(is_paid_media=self.is_paid_media)
        return found


@dataclass(frozen=True, slots=True)
class Total:
    """Sums in minor units of the reporting currency. made_up: how many of the entries are the demonstration's."""

    entries: int
    amount: int
    paid_media: int
    made_up: int
    first_day: date | None
    last_day: date | None

    @property
    def other(self) -> int:
        """Salaries and tools, which only blended figures count."""
        return self.amount - self.paid_media


@dataclass(frozen=True, slots=True)
class SummedRow:
    """The sum of a month, a channel or a campaign. key: what the filter of that name takes."""

    key: str
    label: str
    month: date | None
    total: Total


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries, the latest days first, and where their neighbours begin."""

    rows: Sequence[Spend]
    next_cursor: str | None
    previous_cursor: str | None


def total(*, asked: Asked) -> Total:
    """All that was asked for, summed up."""
    return _total(asked.entries().aggregate(**_SUMS))


def entries(*, asked: Asked, page: str | None = None) -> EntryPage:
    """A page of entries, by day and then by when they were entered, latest first. QuestionError for no cursor of it."""
    found = asked.entries().select_related("channel", "campaign")
    backwards = False
    if page:
        kind, (ordinal, number) = parse_cursor(page, kinds="sr", count=2)
        backwards = kind == "r"
        day = date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))
        beyond = "gt" if backwards else "lt"
        found = found.filter(Q(**{f"day__{beyond}": day}) | Q(day=day, **{f"pk__{beyond}": number}))
    order = ("day", "pk") if backwards else ("-day", "-pk")
    rows = list(found.order_by(*order)[: PAGE_SIZE + 1])
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(page))
    return EntryPage(
        rows,
        cursor("s", rows[-1].day.toordinal(), rows[-1].pk) if rows and has_next else None,
        cursor("r", rows[0].day.toordinal(), rows[0].pk) if rows and has_previous else None,
    )


def all_entries(*, asked: Asked, most: int) -> list[Spend]:
    """The entries in the same order, at most so many of them."""
    return list(asked.entries().select_related("channel", "campaign").order_by("-day", "-pk")[:most])


def summed(*, asked: Asked, by: str) -> tuple[SummedRow, ...]:
    """The sums of each month (latest first), or of each channel or campaign (most first)."""
    # Whose sums these are is said by name, which the types of queries cannot follow.
    found: Any = asked.entries()
    if by == "month":
        months = found.annotate(month=TruncMonth("day")).values("month").annotate(**_SUMS).order_by("-month")
        return tuple(SummedRow(f"{row['month']:%Y-%m}", "", row["month"], _total(row)) for row in months)
    names: dict[str, Any] = (
        {"key": F("channel__key"), "label": F("channel__key")}
        if by == "channel"
        else {"key": F("campaign__key"), "label": F("campaign__name")}
    )
    rows = found.values(**names).annotate(**_SUMS).order_by("-amount_sum", "key")
    return tuple(SummedRow(row["key"] or NO_CAMPAIGN, row["label"] or "", None, _total(row)) for row in rows)


def channels_used() -> list[str]:
    """The channels that anything was ever spent on."""
    return list(Spend.objects.order_by("channel__key").values_list("channel__key", flat=True).distinct())


def campaigns_known() -> list[Campaign]:
    """Every campaign, by name."""
    return list(Campaign.objects.order_by("name", "key"))


_SUMS: dict[str, Any] = {
    "count": Count("pk"),
    "amount_sum": Sum("amount"),
    "paid_sum": Sum("amount", filter=Q(is_paid_media=True)),
    "made_up": Count("pk", filter=Q(campaign__key__in=MADE_UP)),
    "first": Min("day"),
    "last": Max("day"),
}


def _total(row: dict[str, Any]) -> Total:
    return Total(
        row["count"], int(row["amount_sum"] or 0), int(row["paid_sum"] or 0), row["made_up"], row["first"], row["last"]
    )
