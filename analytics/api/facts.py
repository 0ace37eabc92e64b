"""/api/v1/customers/{id}/...: the facts a customer's record is made of, and /api/v1/identities/: whose is this?"""

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.periods import day_start, parse_moment
from clm.lib.questions import NotThereError, QuestionError
from customers.consents import state_consent
from customers.ingest import clock
from customers.keeping import folded_text
from customers.models import Affiliation, Consent, Identity, Profile, Trait
from lifecycle.advance import advance_customers
from lifecycle.models import Placement
from lifecycle.place import LONGEST_REASON, end, place, withdraw

from ..customer_record import found_customer
from .acting import act
from .answering import Instant, problems
from .asking import Asking, Body, asked_id, model_asked
from .customers import author_of
from .lists import ListView, MomentFilter, text_filter


# A docstring here would become the description of every list below in the API's own documents.
class OfCustomer(ListView):  # a list of what hangs on the profiles of one customer
    permission_needed: ClassVar[Any] = "customers.view"

    def get_queryset(self) -> QuerySet[Any]:
        """The rows of the customer in the address, or of the one it was merged into."""
        found, _merged_into = found_customer(asked_id(self.kwargs["customer"]))
        return super().get_queryset().filter(**{self.reached_by: found.pk})

    reached_by = "profile__customer"


class ProfileShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    created_at = Instant()


class Profiles(OfCustomer):
    queryset = Profile.objects.all()
    serializer_class = ProfileShape
    reached_by = "customer"

    @extend_schema(
        operation_id="customers_profiles",
        summary="The clusters of identities a customer was met under",
        responses={200: ProfileShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        return self.listed(request)


class IdentityOfCustomer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField()
    value = serializers.CharField()
    profile = serializers.CharField(source="profile_id")
    created_at = Instant()


class IdentityFilters(filters.FilterSet):
    kind = text_filter(longest=40)
    value = text_filter(longest=512, help_text="Goes with `kind`. As it is kept: e-mail addresses in small letters.")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Identities are found by kind and value; a value alone has no index."""
        if self.form.cleaned_data.get("value") and not self.form.cleaned_data.get("kind"):
            raise QuestionError("value", "value goes with kind")
        return super().filter_queryset(queryset)

    class Meta:
        model = Identity
        fields: ClassVar[list[str]] = []


class CustomerIdentities(OfCustomer):
    queryset = Identity.objects.all()
    serializer_class = IdentityOfCustomer
    filterset_class = IdentityFilters

    @extend_schema(
        operation_id="customers_identities",
        summary="What a customer is recognised by, newest first",
        responses={200: IdentityOfCustomer(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        return self.listed(request)


class IdentityFound(IdentityOfCustomer):
    customer = serializers.CharField(source="profile.customer_id")


class Identities(ListView):
    permission_needed: ClassVar[str] = "customers.view"
    queryset = Identity.objects.select_related("profile")
    serializer_class = IdentityFound
    filterset_class = IdentityFilters

    @extend_schema(
        operation_id="identities_list",
        summary="Whose identity is this?",
        description="With `kind` and `value`: the one customer who is recognised by it, or nobody.",
        responses={200: IdentityFound(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)


class TraitStep(serializers.Serializer[Any]):
    id = serializers.CharField()
    key = serializers.CharField()
    value = serializers.JSONField(allow_null=True, help_text="Null: cleared.")
    set_at = Instant()
    last_seen_at = Instant(help_text="The last instant at which the same was told again.")
    recorded_at = Instant()
    profile = serializers.CharField(source="profile_id")


class TraitFilters(filters.FilterSet):
    key = text_filter(longest=200)

    class Meta:
        model = Trait
        fields: ClassVar[list[str]] = []


class Traits(OfCustomer):
    queryset = Trait.objects.all()
    serializer_class = TraitStep
    filterset_class = TraitFilters

    @extend_schema(
        operation_id="customers_traits",
        summary="What was told of a customer, step by step, last recorded first",
        responses={200: TraitStep(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        return self.listed(request)


class ConsentShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    address = serializers.CharField()
    channel = serializers.CharField()
    purpose = serializers.CharField()
    state = serializers.ChoiceField(choices=Consent.State.choices)
    source = serializers.CharField()  # type: ignore[assignment]
    text_version = serializers.CharField()
    at = Instant()
    recorded_at = Instant()


class ConsentTold(Body):
    address = serializers.CharField(max_length=1000)
    channel = serializers.CharField(max_length=60)
    purpose = serializers.CharField(max_length=60)
    state = serializers.ChoiceField(choices=Consent.State.choices)
    text_version = serializers.CharField(required=False, allow_blank=True, max_length=60)
    at = serializers.CharField(required=False, max_length=60, help_text="When it was said. Default: now.")


class ConsentFilters(filters.FilterSet):
    address = text_filter(longest=512)
    channel = text_filter(longest=60)
    purpose = text_filter(longest=60)
    state = filters.ChoiceFilter(choices=Consent.State.choices)
    at_from = MomentFilter(field_name="at", lookup_expr="gte")
    at_until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Consent
        fields: ClassVar[list[str]] = []


class Consents(OfCustomer):
    permission_needed: ClassVar[Any] = {"GET": "customers.view", "POST": "customers.edit"}
    queryset = Consent.objects.all()
    serializer_class = ConsentShape
    filterset_class = ConsentFilters

    @extend_schema(
        operation_id="customers_consents",
        summary="Every statement of consent of a customer, last recorded first",
        description="For each address, channel and purpose the statement with the latest `at` counts.",
        responses={200: ConsentShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        return self.listed(request)

    @act(
        operation_id="customers_state_consent",
        summary="Note what a customer allows or no longer allows",
        request=ConsentTold,
        responses={201: ConsentShape},
        refusals=(404,),
    )
    def post(self, request: Request, customer: str) -> Response:
        found, _merged_into = found_customer(asked_id(customer))
        told = ConsentTold.of_request(request)
        asking = Asking(now=clock())
        consent = state_consent(
            **{**told, "at": asking.instant(told, "at")},
            customer=found.pk,
            source=author_of(request),
            now=asking.now,
        )
        return Response(ConsentShape(consent).data, status=status.HTTP_201_CREATED)


class AffiliationShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    account = serializers.CharField(source="account_id")
    account_key = serializers.CharField(source="account.key")
    account_name = serializers.CharField(source="account.name")
    profile = serializers.CharField(source="profile_id")
    # `from` is a word of Python.
    until = Instant(source="until_at", allow_null=True, help_text="Null: until now.")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": Instant(source="from_at")}


class Affiliations(OfCustomer):
    queryset = Affiliation.objects.select_related("account")
    serializer_class = AffiliationShape

    @extend_schema(
        operation_id="customers_affiliations",
        summary="The accounts a customer belongs and belonged to",
        responses={200: AffiliationShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        return self.listed(request)


class PlacementShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    model = serializers.CharField(source="subject.key")
    stage = serializers.CharField(source="stage.key")
    author = serializers.CharField(source="author.name", default="")
    reason = serializers.CharField()
    recorded_at = Instant()
    withdrawn_at = Instant(allow_null=True)
    until = Instant(source="until_at", allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": Instant(source="from_at")}


class PlacementNew(Body):
    model = serializers.CharField(max_length=60)
    stage = serializers.CharField(max_length=60)
    reason = serializers.CharField(max_length=2000)

    def get_fields(self) -> dict[str, Any]:
        said = "an instant with its offset, or a date (midnight in the business time zone)"
        return {
            **super().get_fields(),
            "from": serializers.CharField(required=False, max_length=60, help_text=f"Default: now; {said}."),
            "until": serializers.CharField(required=False, max_length=60, help_text=f"Default: for ever; {said}."),
        }


def _moment(told: dict[str, Any], field: str, asking: Asking) -> datetime | None:
    """Unlike an instant that is asked about, one that something holds from or until may lie ahead."""
    if field not in told:
        return None
    moment: Any = parse_moment(told[field], field=field, zone=asking.zone)
    return moment if isinstance(moment, datetime) else day_start(moment, asking.zone)


class Placements(OfCustomer):
    permission_needed: ClassVar[Any] = {"GET": "customers.view", "POST": "stages.place"}
    queryset = Placement.objects.select_related("subject", "stage", "author")
    serializer_class = PlacementShape

    @extend_schema(
        operation_id="customers_placements",
        summary="Stages that were set by hand, last recorded first",
        responses={200: PlacementShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, customer: str) -> Response:
        return self.listed(request)

    @act(
        operation_id="customers_place",
        summary="Set a customer's stage by hand",
        description="It overrides the rules from `from` until `until`; of overlapping ones the later recorded counts.",
        request=PlacementNew,
        responses={201: PlacementShape},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, customer: str) -> Response:
        found, _merged_into = found_customer(asked_id(customer))
        told, asking = PlacementNew.of_request(request), Asking(now=clock())
        try:
            placed = place(
                customer=found.pk,
                model=model_asked(told["model"], field="model").id,
                stage=told["stage"],
                reason=folded_text(told["reason"], field="reason", longest=LONGEST_REASON, lines=True),
                from_at=_moment(told, "from", asking),
                until_at=_moment(told, "until", asking),
                author=request.user.pk if isinstance(request.user, User) else None,
                now=asking.now,
            )
        except QuestionError as error:
            raise QuestionError(error.field.removesuffix("_at"), error.message) from None
        advance_customers(customers=[found.pk])
        return Response(PlacementShape(placed).data, status=status.HTTP_201_CREATED)


class PlacementEnded(Body):
    def get_fields(self) -> dict[str, Any]:
        said = "an instant with its offset, or a date (midnight in the business time zone)"
        return {
            **super().get_fields(),
            "until": serializers.CharField(required=False, max_length=60, help_text=f"Default: now; {said}."),
        }


class EndPlacement(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "stages.place"}

    @act(
        operation_id="customers_end_placement",
        summary="Let a stage set by hand end early",
        request=PlacementEnded,
        responses={200: PlacementShape},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, customer: str, placement: str) -> Response:
        found, _merged_into = found_customer(asked_id(customer))
        placed = Placement.objects.filter(pk=asked_id(placement), profile__customer=found.pk).first()
        if placed is None:
            raise NotThereError(placement)
        told, asking = PlacementEnded.of_request(request), Asking(now=clock())
        try:
            ended = end(placement=placed.pk, now=asking.now, at=_moment(told, "until", asking))
        except QuestionError as error:
            raise QuestionError(error.field.removesuffix("_at"), error.message) from None
        advance_customers(customers=[found.pk])
        return Response(PlacementShape(ended).data)


class WithdrawPlacement(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "stages.place"}

    @act(
        operation_id="customers_withdraw_placement",
        summary="Take a stage set by hand back",
        responses={200: PlacementShape},
        refusals=(404,),
        advances=True,
    )
    def post(self, request: Request, customer: str, placement: str) -> Response:
        found, _merged_into = found_customer(asked_id(customer))
        placed = Placement.objects.filter(pk=asked_id(placement), profile__customer=found.pk).first()
        if placed is None:
            raise NotThereError(placement)
        withdrawn = withdraw(placement=placed.pk, now=clock())
        advance_customers(customers=[found.pk])
        return Response(PlacementShape(withdrawn).data)
