"""/api/v1/metrics/: the figures of retention and value, each with what it means and what it is made of."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.periods import PRESETS
from customers.ingest import clock

from ..days.kept import kept
from ..figures import CountRow, Figure
from ..metrics import BASES, METRICS, figures, metric
from ..scope import LINES, parse_scope
from ..units import shown_number, shown_unit
from .answering import Instant, page, page_of, problems
from .asking import Asking, AsOf, FromUntil, NoParameters, Parameters
from .stages import PeriodShape

_KNOWN_AT = (
    "known_at is about stages, segments and their counts; a metric counts everything known today of what happened"
    " until as_of"
)
_BASIS = "basis goes with cac, cac_to_ltv and ltv_to_cac"


class MetricShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.CharField(
        help_text="percent (0 to 100), the reporting currency, ratio, orders per customer, or customers."
    )
    definition = serializers.CharField()
    formula = serializers.CharField()
    basis = serializers.ListField(child=serializers.CharField(), help_text="What `basis` may be; empty: not taken.")
    address = serializers.CharField()


class IntervalShape(serializers.Serializer[Any]):
    low = serializers.FloatField()
    high = serializers.FloatField()
    level = serializers.FloatField()
    method = serializers.CharField()


class DetailShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.FloatField(allow_null=True)
    unit = serializers.CharField()
    customers = serializers.CharField(allow_null=True, help_text="The address of the customers behind it.")


class SourceShape(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    is_simulated = serializers.BooleanField()


class MovedShape(serializers.Serializer[Any]):
    """What the figure was before something late came in."""

    was = serializers.FloatField()
    until = serializers.DateField(help_text="The last day on which it was so.")
    cause = serializers.CharField()
    touchpoints = serializers.IntegerField(help_text="How many late ones came.")
    first = serializers.DateField(allow_null=True, help_text="The first of the days they are of.")
    last = serializers.DateField(allow_null=True)
    sentence = serializers.CharField(help_text="Empty where it moved by less than is printed of it.")


class FigureShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    value = serializers.FloatField(allow_null=True, help_text="Null: n/a; `note` says why.")
    unit = serializers.CharField(
        help_text="percent (0 to 100), the reporting currency, ratio, orders per customer, or customers."
    )
    note = serializers.CharField()
    definition = serializers.CharField()
    formula = serializers.CharField()
    interval = IntervalShape(allow_null=True)
    counts = serializers.DictField(child=serializers.FloatField(allow_null=True), help_text="What it is made of.")
    details = DetailShape(many=True, help_text="The same counts, each with its label, unit and customers.")
    basis = serializers.CharField(
        allow_null=True,
        help_text="blended (all spend, all new customers) or paid (spend on media, those won through it).",
    )
    value_basis = serializers.CharField(allow_null=True, help_text="revenue or margin.")
    period = PeriodShape()
    as_of = Instant()
    counted_until = Instant(help_text="The end of the period, or just after as_of if that is earlier.")
    segment = serializers.CharField(allow_null=True)
    sources = SourceShape(many=True, help_text="Where the touchpoints it rests on came from.")
    moved = MovedShape(allow_null=True, help_text="Null: nothing late has moved it in the last days.")
    broken = serializers.ListField(
        child=serializers.CharField(),
        help_text="Identities between the figures it is made of that do not hold: then it cannot be trusted.",
    )
    customers = serializers.CharField(allow_null=True, help_text="The address of the customers behind it.")


def list_address(query: str) -> str | None:
    """The address of a list of customers."""
    return f"/api/v1/customers/?{query}" if query else None


def written_figure(figure: Figure, asking: Asking) -> dict[str, Any]:
    """One answered figure in the units of the API."""
    digits, currency = asking.installation.minor_digits, asking.installation.currency

    def number(value: float | None, unit: str) -> float | int | None:
        return shown_number(value, unit, digits)

    def detail(row: CountRow) -> dict[str, Any]:
        unit = {"orders": "orders", "unpriced": "orders"}.get(row.key, shown_unit(row.unit, currency))
        value, address = number(row.value, row.unit), list_address(row.customers_query)
        return {"key": row.key, "label": row.label, "value": value, "unit": unit, "customers": address}

    interval = None
    if figure.low is not None and figure.high is not None:
        low, high = number(figure.low, figure.unit), number(figure.high, figure.unit)
        interval = {"low": low, "high": high, "level": 0.95, "method": "Wilson"}
    return {
        "name": figure.key,
        "title": figure.name,
        "value": number(figure.value, figure.unit),
        "unit": shown_unit(figure.unit, currency),
        "note": figure.note,
        "definition": figure.definition,
        "formula": figure.formula,
        "interval": interval,
        "counts": {row.key: number(row.value, row.unit) for row in figure.counts},
        "details": [detail(row) for row in figure.counts],
        "basis": figure.basis or None,
        "value_basis": figure.value_basis or None,
        "period": PeriodShape(figure.period).data,
        "as_of": Instant().to_representation(figure.as_of),
        "counted_until": Instant().to_representation(figure.counted_until),
        "segment": figure.segment,
        "sources": SourceShape(figure.sources, many=True).data,
        "moved": _written_moved(figure, number),
        "broken": list(figure.broken),
        "customers": list_address(figure.customers_query),
    }


def _written_moved(figure: Figure, number: Callable[[float | None, str], float | int | None]) -> dict[str, Any] | None:
    if figure.moved is None:
        return None
    return dict(MovedShape(figure.moved).data) | {"was": number(figure.moved.was, figure.unit)}


class Metrics(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="metrics_list",
        summary="The figures there are",
        responses={200: page_of(MetricShape, "MetricPage"), **problems()},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        currency = Asking(now=clock()).installation.currency
        declared = [
            {
                "name": one.key,
                "title": str(one.name),
                "unit": shown_unit(one.unit, currency),
                "definition": str(one.definition),
                "formula": one.formula,
                "basis": list(BASES) if one.takes_basis else [],
                "address": f"/api/v1/metrics/{one.key}/",
            }
            for one in METRICS.values()
        ]
        return Response(page(request, declared))


class MetricAsked(FromUntil, AsOf):
    refused: ClassVar[dict[str, str]] = {"known_at": _KNOWN_AT, "basis": _BASIS}

    period = serializers.CharField(
        required=False, max_length=20, help_text=f"Instead of from and until: {', '.join(PRESETS)}, today included."
    )
    segment = serializers.CharField(
        required=False, max_length=60, help_text="Only customers who are in this segment at as_of."
    )
    lines = serializers.ChoiceField(
        choices=list(LINES), required=False, default=LINES[0], help_text="products: without postage, fees and the like."
    )
    currency = serializers.CharField(
        required=False, max_length=3, help_text="The reporting currency; amounts are kept in no other."
    )


class CostAsked(MetricAsked):
    basis = serializers.ChoiceField(choices=list(BASES), required=False, default="blended")


class OneMetric(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="metrics_read",
        summary="One figure over a period",
        description=(
            "`basis` goes with cac, cac_to_ltv and ltv_to_cac: blended divides all spend by all first-time paying "
            "customers, paid the spend on media by those of them credited to channels with such spend. Only what "
            "happened until `as_of` counts, so an unfinished period ends there. Default period: the last 30 days, "
            "today included."
        ),
        parameters=[CostAsked],
        responses={200: FigureShape, **problems(400, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        if name not in METRICS:
            said = _("There is no figure of that name. There are: %(known)s.") % {"known": ", ".join(sorted(METRICS))}
            raise NotFound(said)
        declared = metric(name)
        parameters: type[Parameters] = CostAsked if declared.takes_basis else MetricAsked
        asked = parameters.of(request)
        asking = Asking(now=clock())
        parsed = parse_scope(asked, now=asking.now, counted=kept())
        parsed.refuse()
        (figure,) = figures(scope=parsed.scope, keys=[name], basis=asked.get("basis", BASES[0]))
        return Response(written_figure(figure, asking))
