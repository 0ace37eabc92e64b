"""/api/v1/movement/: how customers move through the stages of a model, every number with its customers."""

from typing import Any, ClassVar
from urllib.parse import quote

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.periods import PRESETS
from customers.ingest import clock

from ..beginning import beginning
from ..behind import group_name, path_group
from ..days.kept import kept
from ..movement import Growth, Movement, Stay, Step, Stock, movement
from ..paths import KINDS, Paths, paths
from ..scope import Scope, parse_scope
from ..sorting import StageRef, stage_model
from ..survival import INTERVAL, Length
from .answering import Instant, problems
from .asking import AsOf, FromUntil
from .metrics import list_address
from .stages import PeriodShape


class CountedShape(serializers.Serializer[Any]):
    """A number of customers, and the address of their list."""

    number = serializers.IntegerField()
    customers = serializers.CharField(allow_null=True, help_text="Null where there is nobody.")


class StockShape(serializers.Serializer[Any]):
    """at_start + came - gone = at_end, in customers; entered and left are numbers of times."""

    stage = serializers.CharField()
    at_start = CountedShape()
    came = CountedShape()
    gone = CountedShape()
    at_end = CountedShape()
    entered = serializers.IntegerField()
    left = serializers.IntegerField()


class ShiftShape(serializers.Serializer[Any]):
    """Customers by stage at the start and at the end, those who stayed included."""

    to = serializers.CharField()
    customers = CountedShape()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.CharField(allow_null=True, help_text="Null: in none yet."), **super().get_fields()}


class DayStocksShape(serializers.Serializer[Any]):
    stage = serializers.CharField()
    customers = serializers.ListField(child=serializers.IntegerField(), help_text="At the end of each of `days`.")


class HoursShape(serializers.Serializer[Any]):
    """A median in hours with its 95 % interval."""

    median = serializers.IntegerField(allow_null=True, help_text="Null: less than half so far.")
    low = serializers.IntegerField(allow_null=True)
    high = serializers.IntegerField(allow_null=True, help_text="Null: open.")
    method = serializers.CharField()


class ConversionShape(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True, help_text="Percent, 0 to 100; null when nobody entered.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    method = serializers.CharField()


class StepShape(serializers.Serializer[Any]):
    """Customers who entered a stage in the period, and those who by now have entered a later one."""

    stage = serializers.CharField()
    entered = CountedShape()
    reached = CountedShape(allow_null=True, help_text="Null: the last stage of the way.")
    conversion = ConversionShape(allow_null=True)
    hours = HoursShape(allow_null=True)


class StayShape(serializers.Serializer[Any]):
    """Customers who entered a stage in the period, and those who have left it again."""

    stage = serializers.CharField()
    entered = CountedShape()
    left = CountedShape()
    hours = HoursShape()


class GrowthShape(serializers.Serializer[Any]):
    """Active customers: ended = started + first + reactivated - lost."""

    period = PeriodShape()
    is_over = serializers.BooleanField()
    started = CountedShape()
    first = CountedShape()
    reactivated = CountedShape()
    lost = CountedShape()
    ended = CountedShape()
    kept = CountedShape()
    came_and_went = CountedShape()


class PathShape(serializers.Serializer[Any]):
    """A way to the first purchase."""

    steps = serializers.ListField(child=serializers.CharField(), help_text="Keys of stages, or roles.")
    goes_on = serializers.BooleanField(help_text="More steps came before the order.")
    customers = CountedShape()
    percent = serializers.FloatField()
    median_hours = serializers.IntegerField(help_text="From the first step to the order.")


class PathsShape(serializers.Serializer[Any]):
    """How those who paid for the first time in the period had come, most common ways first."""

    by = serializers.CharField()
    customers = serializers.IntegerField(help_text="Who paid for the first time.")
    told_of = serializers.IntegerField(help_text="Of so many ways are told; fewer where they were drawn.")
    different = serializers.IntegerField(help_text="How many different ways there are.")
    rows = PathShape(many=True)


class MovementShape(serializers.Serializer[Any]):
    model = serializers.CharField()
    period = PeriodShape()
    as_of = Instant()
    segment = serializers.CharField(allow_null=True)
    stocks = StockShape(many=True)
    shifts = ShiftShape(many=True)
    days = serializers.ListField(child=serializers.DateField())
    stocks_per_day = DayStocksShape(many=True)
    way = StepShape(many=True)
    stays = StayShape(many=True)
    growth = GrowthShape(many=True)
    paths = PathsShape()


class MovementAsked(FromUntil, AsOf):
    period = serializers.CharField(
        required=False, max_length=20, help_text=f"Instead of from and until: {', '.join(PRESETS)}, today included."
    )
    model = serializers.CharField(required=False, max_length=60, help_text="Default: the default stage model.")
    segment = serializers.CharField(
        required=False, max_length=60, help_text="Only customers who are in this segment at as_of."
    )
    paths = serializers.ChoiceField(
        choices=list(KINDS), required=False, help_text="By what ways to the first purchase are told. Default: stages."
    )


class Moves(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="movement_read",
        summary="How customers move through the stages of a model in a period",
        parameters=[MovementAsked],
        responses={200: MovementShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        given = MovementAsked.of(request)
        kind = given.pop("paths", next(iter(KINDS)))
        parsed = parse_scope(given, now=clock(), counted=kept())
        parsed.refuse()
        scope = parsed.scope
        model = scope.model or stage_model()
        found = movement(model=model, scope=scope, since=beginning(scope=scope))
        ways = paths(model=model, scope=scope, kind=kind)
        return Response(MovementShape({**_written(found), "paths": _paths(found, ways)}).data)


def _written(found: Movement) -> dict[str, Any]:
    return {
        "model": found.model.key,
        "period": found.scope.period,
        "as_of": found.scope.as_of,
        "segment": found.scope.segment.key if found.scope.segment else None,
        "stocks": [_stock(found, one) for one in found.stocks],
        "shifts": [
            {
                "from": flow.source.key if flow.source else None,
                "to": flow.target.key,
                "customers": _group(found, "moved", flow.customers, flow.source, flow.target),
            }
            for flow in found.flows
        ],
        "days": list(found.labels),
        "stocks_per_day": [{"stage": one.stage.key, "customers": one.customers} for one in found.trend],
        "way": [_step(found, one) for one in found.steps],
        "stays": [_stay(found, one) for one in found.stays],
        "growth": [_growth(one) for one in found.growth],
    }


def _paths(found: Movement, ways: Paths) -> dict[str, Any]:
    return {
        "by": ways.kind,
        "customers": ways.customers,
        "told_of": ways.told_of,
        "different": ways.different,
        "rows": [
            {
                "steps": row.way[: len(row.names)],
                "goes_on": row.goes_on,
                "customers": _counted(row.customers, quote(path_group(found.model, ways.kind, row.way)), found.scope),
                "percent": round(float(row.share) * 100, 9),
                "median_hours": row.hours,
            }
            for row in ways.rows
        ],
    }


def _counted(number: int, group: str, scope: Scope) -> dict[str, Any]:
    return {"number": number, "customers": list_address(f"group={group}&{scope.query()}") if number else None}


def _group(found: Movement, kind: str, number: int, *stages: StageRef | None) -> dict[str, Any]:
    return _counted(number, group_name(kind, found.model, *stages), found.scope)


def _stock(found: Movement, one: Stock) -> dict[str, Any]:
    counted = {
        name: _group(found, name, getattr(one, name), one.stage) for name in ("at_start", "came", "gone", "at_end")
    }
    return {"stage": one.stage.key, **counted, "entered": one.entered, "left": one.left}


def _hours(hours: Length) -> dict[str, Any]:
    median = hours.median
    low, high = (None, None) if median is None else (hours.low, hours.high)
    return {"median": median, "low": low, "high": high, "method": INTERVAL}


def _step(found: Movement, one: Step) -> dict[str, Any]:
    entered = _group(found, "entered", one.entered, one.stage)
    if one.hours is None:
        return {"stage": one.stage.key, "entered": entered, "reached": None, "conversion": None, "hours": None}
    low, high = one.interval or (None, None)
    numbers = (None if number is None else round(float(number) * 100, 9) for number in (one.conversion, low, high))
    return {
        "stage": one.stage.key,
        "entered": entered,
        "reached": _group(found, "reached", one.reached, one.stage),
        "conversion": {**dict(zip(("value", "low", "high"), numbers, strict=True)), "method": "Wilson, 95 %"},
        "hours": _hours(one.hours),
    }


def _stay(found: Movement, one: Stay) -> dict[str, Any]:
    return {
        "stage": one.stage.key,
        "entered": _group(found, "entered", one.entered, one.stage),
        "left": _group(found, "left", one.left, one.stage),
        "hours": _hours(one.hours),
    }


def _growth(one: Growth) -> dict[str, Any]:
    names = ("started", "first", "reactivated", "lost", "ended", "kept", "came_and_went")
    counted = {name: _counted(getattr(one.counts, name), name, one.scope) for name in names}
    return {"period": one.scope.period, "is_over": one.scope.is_over, **counted}
