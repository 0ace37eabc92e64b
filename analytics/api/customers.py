"""/api/v1/customers/: find, read, create and correct customers, and log what happened with them."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.cursors import LONGEST
from clm.lib.periods import asked_period
from clm.lib.questions import Faults, QuestionError
from customers.ingest import clock
from customers.keeping import create_customer, edit_customer, log_touchpoint
from lifecycle.advance import advance_customers

from ..customer_list import Asked, Falls, customers
from ..customer_record import customer_head, found_customer, identities, memberships, profiles_of, standings, traits
from ..days.kept import kept
from ..listing_order import KEYS, NEWEST, parse_order
from ..scope import LINES, Scope
from ..sorting import Sorting, live_models, stage_model
from .acting import act
from .answering import Amount, Instant, page, page_of, problems
from .asking import (
    Asking,
    Body,
    FromUntil,
    KnownAt,
    asked_id,
    asked_then,
    model_asked,
    segment_asked,
    stage_asked,
)


# --- shapes ---------------------------------------------------------------------------------------------------
class StageAt(serializers.Serializer[Any]):
    """The stage of a customer in one model; null when in none."""

    stage = serializers.CharField(source="stage.key", allow_null=True, default=None)
    name = serializers.CharField(source="stage.name", allow_null=True, default=None)
    since = Instant(allow_null=True)


class NextStage(serializers.Serializer[Any]):
    """What time alone does next, if nothing else happens."""

    stage = serializers.CharField(source="stage.key")
    name = serializers.CharField(source="stage.name")
    at = Instant()


class StandingAt(StageAt):
    next = NextStage(allow_null=True)


ORDERS_WAITING = "Further orders, whose money waits for an exchange rate: neither `orders` nor `revenue` counts them."


class CustomerListed(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    known_as = serializers.CharField(help_text="The name, or the address or id that stands for it.")
    stages = serializers.DictField(child=StageAt(), source="by_model", help_text="By the key of the stage model.")
    last_seen = Instant(allow_null=True, help_text="The last touchpoint.")
    touchpoints = serializers.IntegerField(
        help_text="Of a customer with more than 20,000 this and the other figures may be a minute old."
    )
    orders = serializers.IntegerField()
    orders_waiting = serializers.IntegerField(help_text=ORDERS_WAITING)
    revenue = Amount(help_text="Net of refunds, in the reporting currency.")


class IdentityShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    value = serializers.CharField()


class CustomerShape(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="Of the surviving customer, if the one asked for was merged into it.")
    name = serializers.CharField()
    email = serializers.CharField()
    phone = serializers.CharField()
    created_at = Instant()
    first_seen = Instant(allow_null=True)
    last_seen = Instant(allow_null=True)
    touchpoints = serializers.IntegerField()
    profiles = serializers.IntegerField()
    orders = serializers.IntegerField()
    orders_waiting = serializers.IntegerField(help_text=ORDERS_WAITING)
    revenue = Amount(help_text="Net of refunds, in `currency`.")
    currency = serializers.CharField()
    is_active = serializers.BooleanField(allow_null=True, help_text='In the segment "active_customer" now.')
    stages = serializers.DictField(child=StandingAt(), help_text="By the key of the stage model.")
    segments = serializers.ListField(child=serializers.CharField(), help_text="The keys of those the customer is in.")
    identities = IdentityShape(many=True)
    traits = serializers.DictField(child=serializers.JSONField(), help_text="What was told last of each.")
    merged_into = serializers.CharField(
        allow_null=True, help_text="The id of this customer, if the one asked for was merged into it; else null."
    )


def written_customer(
    *, number: int, asking: Asking, as_of: datetime | None = None, known_at: datetime | None = None
) -> dict[str, Any]:
    """The whole record of one customer, as its address answers it; at `as_of` (None: now) as known at `known_at`."""
    then: dict[str, Any] = {"as_of": as_of, "known_at": known_at}
    customer, merged_into = found_customer(number, known_at=known_at)
    profiles = profiles_of(customer=customer.pk, known_at=known_at)
    member_of = memberships(customer=customer.pk, **then)
    head = customer_head(customer=customer, profiles=profiles, memberships=member_of, merged_into=merged_into, **then)
    rows = standings(customer=customer.pk, models=live_models(), now=asking.now, **then)
    record = {
        **asdict(head),
        "currency": asking.installation.currency,
        "stages": {row.model.key: row for row in rows},
        "segments": [row.segment.key for row in member_of],
        "identities": identities(profiles=profiles, known_at=known_at),
        "traits": {row.key: row.value for row in traits(profiles=profiles, **then)},
    }
    return dict(CustomerShape(record, context=asking.context).data)


# --- questions ------------------------------------------------------------------------------------------------
class CustomersNarrowed(FromUntil, KnownAt):
    stage = serializers.ListField(
        child=serializers.CharField(max_length=130),
        required=False,
        help_text="`model:stage`, for example `seven:retention`. Several of one model: any; of different models: all.",
    )
    segment = serializers.CharField(required=False, max_length=60, help_text="Only the members of this segment.")
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Words that each occur in a name, an address, a number or an id.",
    )
    model = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        help_text="The models whose stages are shown. Default: those of `stage`, else the default model.",
    )
    falls_to = serializers.CharField(
        required=False, max_length=130, help_text="`model:stage` that time alone leads to within `within_days`."
    )
    within_days = serializers.IntegerField(required=False, min_value=1, max_value=3660, help_text="Default 30.")
    group = serializers.CharField(
        required=False,
        max_length=200,
        help_text=(
            "The customers behind a number over the period `from` to `until`: started, ended, kept, lost, first, "
            "reactivated, came_and_went, stopped, active, buyers, first_paying, won_by_paid, customers, spenders, "
            "spent_nothing, spent_less, spent_as_much, spent_more; of movement, at_start, at_end, came, gone, entered, "
            "left and reached, each as `at_start:MODEL:STAGE`, and `moved:MODEL:STAGE:STAGE`; those that "
            "`experience/`, `movement/`, `retention/` and `support/` name."
        ),
    )
    lines = serializers.ChoiceField(
        choices=list(LINES), required=False, help_text="Goes with a group: which order lines its figure counts."
    )
    who = serializers.ChoiceField(
        choices=["known", "anonymous"],
        required=False,
        help_text="Only people of whom more is known than the id of a device, or only the others.",
    )
    sort = serializers.ChoiceField(
        choices=[text for key in KEYS for text in (key, f"-{key}") if text != "created"],
        required=False,
        help_text=(
            "By what, the greatest first with a minus before it; anonymous visitors come last in every order but "
            "`-created`, the default. Of more than 10,000 customers only a list that nothing narrows is sorted."
        ),
    )


class CustomersAsked(CustomersNarrowed):
    cursor = serializers.CharField(
        required=False, max_length=LONGEST, help_text="Where the page begins; taken from `next` or `previous`."
    )
    page_size = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)


class CustomerTold(Body):
    name = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    email = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    external_id = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class CustomerNew(CustomerTold):
    """At least one of name, email, phone and external_id."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=20_000)


class TouchpointLogged(Body):
    kind = serializers.ChoiceField(choices=["call", "note"])
    text = serializers.CharField(max_length=20_000)
    occurred_at = serializers.CharField(
        required=False, max_length=60, help_text="When it happened. Default: now; not in the future."
    )
    direction = serializers.ChoiceField(choices=["in", "out"], required=False)
    message_id = serializers.CharField(
        required=False, max_length=200, help_text="An id of your own: a repeated request is stored once."
    )


class TouchpointAnswer(serializers.Serializer[Any]):
    message_id = serializers.CharField()
    is_new = serializers.BooleanField(help_text="False when a touchpoint with this message_id was stored before.")


def author_of(request: Request) -> str:
    """Who writes: the name of a person or of a key."""
    who: Any = request.user
    return str(who.name or who.email) if isinstance(who, User) else str(who.name)


def asked_customers(asked: dict[str, Any], asking: Asking) -> tuple[Asked, list[Sorting]]:
    """What a list of customers is asked for, and the models whose stages it shows."""
    question = Faults()
    by_model: dict[str, tuple[Sorting, list[int]]] = {}
    for text in asked.get("stage", []):
        named = question.read(partial(stage_asked, text, field="stage"), None)
        if named is not None:
            by_model.setdefault(named[0].key, (named[0], []))[1].append(named[1])
    named_models = [
        question.read(partial(model_asked, key, field="model"), None) for key in dict.fromkeys(asked.get("model", []))
    ]
    shown = [model for model in named_models if model is not None]
    shown = shown or [model for model, _stages in by_model.values()] or [stage_model()]
    as_of = question.read(lambda: asking.past(asked, "as_of"), None)
    known_at = question.read(lambda: asking.past(asked, "known_at"), None)
    falls = question.read(lambda: _falls_asked(asked), None)
    members = question.read(lambda: segment_asked(asked["segment"]) if "segment" in asked else None, None)
    scope = question.read(lambda: _scope_asked(asked, asking, as_of, known_at, members), None)
    question.refuse()
    return (
        Asked(
            stages=tuple((model, tuple(stages)) for model, stages in by_model.values()),
            segment=members,
            search=asked.get("search", ""),
            falls=falls,
            group=asked.get("group", ""),
            scope=scope,
            as_of=as_of,
            known_at=known_at,
            kept=kept(asking.zone),
            anonymous={"known": False, "anonymous": True}.get(asked.get("who", "")),
        ),
        shown,
    )


def _falls_asked(asked: dict[str, Any]) -> Falls | None:
    if "falls_to" in asked:
        return Falls(*stage_asked(asked["falls_to"], field="falls_to"), days=asked.get("within_days", 30))
    if "within_days" in asked:
        raise QuestionError("within_days", "A number of days goes with falls_to, which names the stage.")
    return None


def _scope_asked(
    asked: dict[str, Any],
    asking: Asking,
    as_of: datetime | None,
    known_at: datetime | None,
    members: Sorting | None,
) -> Scope | None:
    """What a group is counted over."""
    if "group" in asked:
        if known_at is not None:
            raise QuestionError("known_at", "What was known is told of stages and segments, not of groups of a metric.")
        period = asked_period(start=asked.get("from"), until=asked.get("until"), now=asking.now, zone=asking.zone)
        return Scope(period, as_of or asking.now, members, asked.get("lines") == "products")
    if "from" in asked or "until" in asked:
        raise QuestionError("from" if "from" in asked else "until", "A period goes with a group.")
    return None


def customers_page(request: Request, asked: dict[str, Any], asking: Asking) -> Response:
    """A page of customers, as every address that lists customers answers it."""
    what, models = asked_customers(asked, asking)
    found = customers(
        asked=what,
        models=models,
        now=asking.now,
        cursor=asked.get("cursor"),
        page_size=asked["page_size"],
        with_next=False,
        order=parse_order(asked["sort"]) if "sort" in asked else NEWEST,
    )
    if found.refused:
        raise QuestionError("sort", found.refused)
    rows = CustomerListed(found.rows, many=True, context=asking.context).data
    return Response(
        page(
            request,
            rows,
            following=found.next_cursor,
            previous=found.previous_cursor,
            currency=asking.installation.currency,
        )
    )


# --- addresses ------------------------------------------------------------------------------------------------
class Customers(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "customers.view", "POST": "customers.edit"}

    @extend_schema(
        operation_id="customers_list",
        summary="Customers, the newest first unless sorted otherwise",
        parameters=[CustomersAsked],
        responses={
            200: page_of(CustomerListed, "CustomerPage", currency=serializers.CharField()),
            **problems(400),
        },
    )
    def get(self, request: Request) -> Response:
        return customers_page(request, CustomersAsked.of(request), Asking(now=clock()))

    @act(
        operation_id="customers_create",
        summary="Create a customer by hand",
        description="It gets one touchpoint of type Created. An address somebody else has is refused.",
        request=CustomerNew,
        responses={201: CustomerShape},
        advances=True,
    )
    def post(self, request: Request) -> Response:
        told = CustomerNew.of_request(request)
        number = create_customer(**told, author=author_of(request), now=clock())
        advance_customers(customers=[number])
        written = written_customer(number=number, asking=Asking(now=clock()))
        where = {"Location": f"/api/v1/customers/{number}/"}
        return Response(written, status=status.HTTP_201_CREATED, headers=where)


class OneCustomer(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "customers.view", "PATCH": "customers.edit"}

    @extend_schema(
        operation_id="customers_read",
        summary="One customer",
        description=(
            "The id of a customer that was merged into another is answered with 200 and the surviving customer, whose "
            "id is also in `merged_into`. With `as_of` everything but the names is as it stood then, with `known_at` "
            "as it was known then; what comes next is then null, since it is worked out from what is known today."
        ),
        parameters=[KnownAt],
        responses={200: CustomerShape, **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        asked, asking = KnownAt.of(request), Asking(now=clock())
        as_of, known_at = asked_then(asked, asking)
        written = written_customer(number=asked_id(customer), asking=asking, as_of=as_of, known_at=known_at)
        return Response(written)

    @act(
        operation_id="customers_edit",
        summary="Correct what is known of a customer",
        description="What is told counts from now on; what was told before stays in the history.",
        request=CustomerTold,
        responses={200: CustomerShape},
        refusals=(404,),
        advances=True,
    )
    def patch(self, request: Request, customer: str) -> Response:
        found, _merged_into = found_customer(asked_id(customer))
        changes = CustomerTold.of_request(request)
        if edit_customer(customer=found.pk, changes=changes, now=clock()):
            advance_customers(customers=[found.pk])
        return Response(written_customer(number=asked_id(customer), asking=Asking(now=clock())))


class CustomerTouchpoints(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "touchpoints.log"}

    @act(
        operation_id="customers_log_touchpoint",
        summary="Log a call or a note",
        request=TouchpointLogged,
        responses={201: TouchpointAnswer, 200: TouchpointAnswer},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, customer: str) -> Response:
        found, _merged_into = found_customer(asked_id(customer))
        told = TouchpointLogged.of_request(request)
        asking = Asking(now=clock())
        logged = log_touchpoint(
            **{**told, "occurred_at": asking.instant(told, "occurred_at")},
            customer=found.pk,
            author=author_of(request),
            now=asking.now,
        )
        advance_customers(customers=[found.pk])
        code = status.HTTP_201_CREATED if logged.is_new else status.HTTP_200_OK
        return Response(TouchpointAnswer(logged).data, status=code)
