"""/api/v1/experience/ and /api/v1/support/: what customers answer when they are asked, what they write, and what they
ask support for; every number of customers with its list."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.periods import PRESETS
from customers.ingest import clock

from ..days.kept import kept
from ..feedback import KINDS, Feedback, Kind, Score, Survey, comments, feedback, group_name, in_units, month_label
from ..scope import Scope, parse_scope
from ..support import GROUPS, Counted, Support, Wait, support
from ..survival import INTERVAL, Quantile
from ..tickets import MINUTE, Lasted, NotYetError, ticket_read, tickets
from .answering import Instant, page, page_of, problems
from .asking import Asking, AsOf, FromUntil, KnownAt, Paged, asked_id, asked_then
from .metrics import list_address
from .movement import ConversionShape, CountedShape
from .stages import PeriodShape

_PERIOD = serializers.CharField(
    required=False, max_length=20, help_text=f"Instead of from and until: {', '.join(PRESETS)}, today included."
)


class SurveyScoreShape(serializers.Serializer[Any]):
    """A score with its 95 % interval."""

    answers = CountedShape(help_text="Customers who answered, each by the last answer.")
    value = serializers.FloatField(allow_null=True, help_text="Null: not told; `note` says why.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    note = serializers.CharField(allow_blank=True)


class SurveyAnswerShape(serializers.Serializer[Any]):
    score = serializers.IntegerField()
    customers = CountedShape()


class SurveyGroupShape(serializers.Serializer[Any]):
    group = serializers.CharField()
    customers = CountedShape()


class SurveyStageShape(serializers.Serializer[Any]):
    stage = serializers.CharField(allow_null=True, help_text="When they answered. Null: in none.")
    score = SurveyScoreShape()


class SurveyMonthShape(serializers.Serializer[Any]):
    month = serializers.DateField(help_text="Its first day.")
    is_over = serializers.BooleanField()
    score = SurveyScoreShape()


class ResponseShape(serializers.Serializer[Any]):
    """Of the customers who were asked in the period, those who answered after it in the period."""

    asked = CountedShape()
    answered = CountedShape()
    silent = CountedShape()
    rate = ConversionShape()
    note = serializers.CharField(allow_blank=True)


class SurveyShape(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=list(KINDS))
    definition = serializers.CharField()
    unit = serializers.CharField(help_text="points (-100 to 100), percent (0 to 100) or scale (the answers' own).")
    scale = serializers.ListField(child=serializers.IntegerField(), help_text="The lowest and the highest answer.")
    method = serializers.CharField(help_text="How the interval is made.")
    score = SurveyScoreShape()
    answers = SurveyAnswerShape(many=True)
    groups = SurveyGroupShape(many=True)
    off_scale = serializers.IntegerField(help_text="Answers that are no whole number on the scale: they count nowhere.")
    response = ResponseShape()
    stages = SurveyStageShape(many=True)
    months = SurveyMonthShape(many=True, help_text="Calendar months up to the end of the period, oldest first.")


class ExperienceShape(serializers.Serializer[Any]):
    model = serializers.CharField()
    period = PeriodShape()
    as_of = Instant()
    segment = serializers.CharField(allow_null=True)
    surveys = SurveyShape(many=True)


class CommentShape(serializers.Serializer[Any]):
    id = serializers.CharField(source="touchpoint")
    at = Instant()
    customer = serializers.CharField()
    score = serializers.IntegerField()
    comment = serializers.CharField(source="text")
    stage = serializers.CharField(source="stage.key", allow_null=True, default=None, help_text="At that time.")


class TicketCountShape(serializers.Serializer[Any]):
    tickets = serializers.IntegerField()
    customers = CountedShape()


class QuantileShape(serializers.Serializer[Any]):
    """Minutes, with the 95 % interval."""

    minutes = serializers.IntegerField(allow_null=True, source="time", help_text="Null: fewer have so far.")
    low = serializers.IntegerField(allow_null=True)
    high = serializers.IntegerField(allow_null=True, help_text="Null: open.")


class WaitShape(serializers.Serializer[Any]):
    tickets = serializers.IntegerField(source="number")
    ended = serializers.IntegerField(help_text="So far.")
    median = QuantileShape()
    p90 = QuantileShape()


class WaitsShape(serializers.Serializer[Any]):
    calendar = WaitShape()
    business_hours = WaitShape()


class TicketReasonShape(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, help_text="Empty: the opening says none.")
    tickets = serializers.IntegerField()
    customers = CountedShape()
    share = ConversionShape()


class TicketsByFateShape(serializers.Serializer[Any]):
    """Tickets opened in the period, and what became of them."""

    opened = TicketCountShape()
    answered = TicketCountShape()
    waiting = TicketCountShape()
    resolved = TicketCountShape()
    open = TicketCountShape()
    reopened = TicketCountShape()


class TicketShape(serializers.Serializer[Any]):
    """A ticket opened in the period."""

    ref = serializers.CharField()
    customer = serializers.CharField()
    reason = serializers.CharField(allow_blank=True, help_text="Empty: the opening says none.")
    opened_at = Instant(help_text="The first time.")
    answered_at = Instant(allow_null=True, help_text="The first reply, or being resolved without one.")
    resolved_at = Instant(allow_null=True, help_text="The first time.")
    is_open = serializers.BooleanField(help_text="Never resolved, or opened again since.")
    is_reopened = serializers.BooleanField(help_text="Opened again after it was resolved.")


class LastedShape(serializers.Serializer[Any]):
    """How long it took, or has taken until now."""

    calendar_minutes = serializers.IntegerField()
    business_minutes = serializers.IntegerField()
    is_over = serializers.BooleanField()


class TicketEventShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    at = Instant()
    type = serializers.CharField()
    channel = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    text = serializers.CharField(allow_blank=True)
    author = serializers.CharField(allow_blank=True)
    properties = serializers.DictField(source="told", child=serializers.CharField())


class OneTicketShape(serializers.Serializer[Any]):
    ref = serializers.CharField()
    customer = serializers.CharField()
    as_of = Instant()
    ticket = TicketShape(allow_null=True, help_text="Null: nothing says when it was opened, and it is counted nowhere.")
    first_answer = LastedShape(allow_null=True)
    resolution = LastedShape(allow_null=True)
    events = TicketEventShape(many=True, help_text="What happened, in order.")


class SupportShape(serializers.Serializer[Any]):
    period = PeriodShape()
    as_of = Instant()
    segment = serializers.CharField(allow_null=True)
    tickets = TicketsByFateShape()
    first_answer = WaitsShape()
    resolution = WaitsShape()
    method = serializers.CharField()
    reasons = TicketReasonShape(many=True)
    further_reasons = serializers.IntegerField()
    further_tickets = serializers.IntegerField()
    active_customers = serializers.IntegerField(help_text="Active at some time of the period.")
    tickets_per_active_customer = serializers.FloatField(allow_null=True, help_text="Null: nobody was active.")


class SupportAsked(FromUntil, AsOf):
    period = _PERIOD
    segment = serializers.CharField(
        required=False, max_length=60, help_text="Only customers who are in this segment at as_of."
    )


class ExperienceAsked(SupportAsked):
    model = serializers.CharField(required=False, max_length=60, help_text="Whose stages. Default: the default model.")


class AnswersAsked(ExperienceAsked, Paged):
    kind = serializers.ChoiceField(choices=list(KINDS), required=False, default=next(iter(KINDS)))
    which = serializers.CharField(
        required=False,
        max_length=20,
        default="answers",
        help_text="A score, or a group: promoters, passives, detractors; satisfied, neutral, dissatisfied; easy, "
        "undecided, hard. Default: all answers.",
    )


class TicketsAsked(SupportAsked, Paged):
    which = serializers.CharField(
        required=False,
        max_length=120,
        default="opened",
        help_text=f"{', '.join(GROUPS)}, or reason: and a reason. Default: opened, which is all of them.",
    )


class TicketAsked(KnownAt):
    ref = serializers.CharField(max_length=500, help_text="The reference of the ticket.")


class Experience(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="experience_read",
        summary="Net promoter score, satisfaction and effort, with their intervals",
        parameters=[ExperienceAsked],
        responses={200: ExperienceShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        found = feedback(scope=_scope(ExperienceAsked.of(request)))
        return Response(ExperienceShape(_written(found)).data)


class ExperienceAnswers(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="experience_answers",
        summary="What customers wrote beside their answers, newest first",
        parameters=[AnswersAsked],
        responses={200: page_of(CommentShape, "CommentPage"), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        asked = AnswersAsked.of(request)
        found = comments(
            scope=_scope(asked),
            kind=asked["kind"],
            which=asked["which"],
            cursor=asked.get("cursor"),
            most=asked["page_size"],
        )
        results = CommentShape(found.comments, many=True).data
        return Response(page(request, results, following=found.next_cursor))


class SupportView(APIView):
    permission_needed: ClassVar[str] = "metrics.view"

    @extend_schema(
        operation_id="support_read",
        summary="Tickets of a period: reasons, and times until the first answer and until they are resolved",
        parameters=[SupportAsked],
        responses={200: SupportShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        found = support(scope=_scope(SupportAsked.of(request)))
        return Response(SupportShape(_supported(found)).data)


class Tickets(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="support_tickets",
        summary="Tickets opened in a period, the latest first",
        parameters=[TicketsAsked],
        responses={
            200: page_of(TicketShape, "TicketPage", count=serializers.IntegerField(help_text="On all pages.")),
            **problems(400),
        },
    )
    def get(self, request: Request) -> Response:
        asked = TicketsAsked.of(request)
        found = tickets(scope=_scope(asked), group=asked["which"], cursor=asked.get("cursor"), most=asked["page_size"])
        results = TicketShape([one.ticket for one in found.tickets], many=True).data
        return Response(page(request, results, following=found.next_cursor, count=found.number))


class CustomerTicket(APIView):
    permission_needed: ClassVar[str] = "customers.view"

    @extend_schema(
        operation_id="customers_ticket",
        summary="One ticket of a customer: what happened in order, and how long it took",
        parameters=[TicketAsked],
        responses={200: OneTicketShape, **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        asked, asking = TicketAsked.of(request), Asking(now=clock())
        as_of, known_at = asked_then(asked, asking)
        try:
            found = ticket_read(
                customer=asked_id(customer), ref=asked["ref"], now=asking.now, as_of=as_of, known_at=known_at
            )
        except NotYetError as error:
            raise NotFound(str(error)) from None
        told = {
            "ref": found.ref,
            "customer": found.customer,
            "as_of": found.at,
            "ticket": found.ticket,
            "first_answer": _lasted(found.first_answer),
            "resolution": _lasted(found.resolution),
            "events": found.entries,
        }
        return Response(OneTicketShape(told).data)


def _lasted(one: Lasted | None) -> dict[str, Any] | None:
    if one is None:
        return None
    calendar, business = (time // MINUTE for time in (one.calendar, one.business))
    return {"calendar_minutes": calendar, "business_minutes": business, "is_over": one.is_over}


def _scope(asked: Mapping[str, Any]) -> Scope:
    parsed = parse_scope(asked, now=clock(), counted=kept())
    parsed.refuse()
    return parsed.scope


def _counted(scope: Scope, number: int, group: str) -> dict[str, Any]:
    return {"number": number, "customers": list_address(f"group={quote(group)}&{scope.query()}") if number else None}


def _rate(value: Any, interval: tuple[float, float] | None, method: str = "Wilson, 95 %") -> dict[str, Any]:
    ends = (value, *(interval or (None, None)))
    numbers = (None if one is None else round(float(one) * 100, 9) for one in ends)
    return {**dict(zip(("value", "low", "high"), numbers, strict=True)), "method": method}


def _score(kind: Kind, score: Score, scope: Scope, group: str) -> dict[str, Any]:
    return {
        "answers": _counted(scope, score.answers, group),
        **{name: in_units(kind, getattr(score, name)) for name in ("value", "low", "high")},
        "note": score.note,
    }


def _written(found: Feedback) -> dict[str, Any]:
    return {
        "model": found.model.key,
        "period": found.scope.period,
        "as_of": found.scope.as_of,
        "segment": found.scope.segment.key if found.scope.segment else None,
        "surveys": [_survey(found, one) for one in found.surveys],
    }


def _survey(found: Feedback, one: Survey) -> dict[str, Any]:
    kind, scope, response = one.kind, found.scope, one.response
    everybody = group_name(kind.key, "answers")

    def group(name: str, number: int) -> dict[str, Any]:
        return _counted(scope, number, group_name(kind.key, name))

    return {
        "kind": kind.key,
        "definition": str(kind.definition),
        "unit": kind.unit,
        "scale": list(kind.scale),
        "method": f"{kind.interval}, 95 %",
        "score": _score(kind, one.score, scope, everybody),
        "answers": [
            {"score": score, "customers": group(str(score), one.counts.get(score, 0))} for score in kind.scores
        ],
        "groups": [{"group": name, "customers": group(name, one.of_group(name))} for name in kind.groups],
        "off_scale": one.off_scale,
        "response": {
            "asked": group("asked", response.asked),
            "answered": group("answered", response.answered),
            "silent": group("silent", response.asked - response.answered),
            "rate": _rate(response.rate, response.interval),
            "note": response.note,
        },
        "stages": [
            {
                "stage": each.stage.key if each.stage else None,
                "score": _score(kind, each.score, scope, group_name(kind.key, "answers", found.model, each.stage)),
            }
            for each in one.stages
        ],
        "months": [
            {
                "month": month_label(each),
                "is_over": each.scope.is_over,
                "score": _score(kind, each.score, each.scope, everybody),
            }
            for each in one.months
        ],
    }


def _tickets(scope: Scope, one: Counted) -> dict[str, Any]:
    return {"tickets": one.tickets, "customers": _counted(scope, one.customers, one.group)}


def _supported(found: Support) -> dict[str, Any]:
    scope = found.scope
    return {
        "period": scope.period,
        "as_of": scope.as_of,
        "segment": scope.segment.key if scope.segment else None,
        "tickets": {name: _tickets(scope, one) for name, one in found.became.items()},
        "first_answer": _waits(found.first_response),
        "resolution": _waits(found.resolution),
        "method": INTERVAL,
        "reasons": [
            {"reason": one.name, **_tickets(scope, one.counted), "share": _rate(one.share, one.interval)}
            for one in found.reasons
        ],
        "further_reasons": found.further_reasons,
        "further_tickets": found.further_tickets,
        "active_customers": found.active,
        "tickets_per_active_customer": None if found.per_active is None else round(float(found.per_active), 9),
    }


def _waits(pair: tuple[Wait, Wait]) -> dict[str, Any]:
    def told(one: Quantile) -> dict[str, Any]:
        # An interval around what is not told says nothing.
        low, high = (None, None) if one.time is None else (one.low, one.high)
        return {"time": one.time, "low": low, "high": high}

    def wait(one: Wait) -> dict[str, Any]:
        return {"number": one.number, "ended": one.ended, "median": told(one.median), "p90": told(one.p90)}

    return {"calendar": wait(pair[0]), "business_hours": wait(pair[1])}
