"""What a file is asked for: the query of a list or of a timeline, read by the same code that answers the list, so that
the file holds exactly what is seen."""

from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.questions import NotThereError, QuestionError
from customers.models import Installation, Role

from ..api.asking import Asking
from ..api.customers import CustomersNarrowed, asked_customers
from ..customer_figures import names_of
from ..customer_list import Asked, everybody, everybody_in_order, matching, refuse_unanswerable
from ..customer_record import found_customer
from ..listing_order import NEWEST, Order, parse_order
from ..models import Export
from ..pages.customers import asked_listing
from ..pages.dates import asked_dates
from ..sorting import Sorting
from .happenings import COLUMNS, touchpoint_portions
from .people import customer_columns, customer_portions
from .tables import Table


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as an address asks for it."""

    asked: Asked
    models: tuple[Sorting, ...]
    order: Order


def table_of(*, subject: str, dialect: str, question: str, now: datetime, counted: bool = False) -> Table:
    """The rows that a question asks for, to be read within one transaction; QuestionError for what cannot be answered.
    counted: with their number, where it is known at once."""
    installation = Installation.current()
    query = QueryDict(question)
    if subject == Export.Subject.TOUCHPOINTS and query.get("customer"):
        return _timeline(query, now, installation)
    listed = listed_by(query, dialect=dialect, now=now)
    refuse_unanswerable(asked=listed.asked, cursor=None, order=listed.order)
    if subject == Export.Subject.TOUCHPOINTS:
        people = everybody_in_order(
            asked=listed.asked, models=listed.models, now=now, order=listed.order, portion=1_000
        )
        portions = touchpoint_portions(
            people=people,
            currency=installation.currency,
            minor_digits=installation.minor_digits,
            as_of=listed.asked.at,
            known_at=listed.asked.known_at,
        )
        return Table(COLUMNS, portions, installation.minor_digits)
    return Table(
        columns=customer_columns(listed.models),
        portions=customer_portions(
            asked=listed.asked,
            models=listed.models,
            order=listed.order,
            now=now,
            currency=installation.currency,
        ),
        minor_digits=installation.minor_digits,
        total=_number(listed.asked, now) if counted else None,
    )


def listed_by(query: QueryDict, *, dialect: str, now: datetime) -> Listed:
    """The list that a query asks for, of a page or of the API."""
    if dialect == Export.Dialect.PAGE:
        listing = asked_listing(query, dates=asked_dates(query, now=now), now=now)
        return Listed(listing.asked, (listing.model,), listing.order)
    several = {"stage", "model"}
    given = {name: values if name in several else values[-1] for name, values in query.lists()}
    narrowed = CustomersNarrowed(data=given)
    narrowed.is_valid(raise_exception=True)
    told = dict(narrowed.validated_data)
    asked, models = asked_customers(told, Asking(now=now))
    return Listed(asked, tuple(models), parse_order(told["sort"]) if "sort" in told else NEWEST)


def _timeline(query: QueryDict, now: datetime, installation: Installation) -> Table:
    """What one customer's timeline shows."""
    dates = asked_dates(query, now=now)
    found, _merged_into = found_customer(_number_in(query.get("customer", "")), known_at=dates.known_at)
    roles = [role for role in query.get("role", "").split(",") if role]
    if unknown := [role for role in roles if role not in Role.values]:
        raise QuestionError("role", _("There is no kind of touchpoint “%(role)s”.") % {"role": unknown[0][:40]})
    portions = touchpoint_portions(
        people=[(found.pk, names_of([found])[found.pk])],
        currency=installation.currency,
        minor_digits=installation.minor_digits,
        roles=roles,
        as_of=dates.at,
        known_at=dates.known_at,
    )
    return Table(COLUMNS, portions, installation.minor_digits)


def _number_in(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotThereError(text[:30])
    return int(text)


def _number(asked: Asked, now: datetime) -> int | None:
    """How many customers there are, about; None where they were only counted up to some number."""
    if not asked.is_narrowed and asked.anonymous is None:
        return everybody().number
    size = matching(asked=asked, now=now)
    return size.number if size.is_exact else None
