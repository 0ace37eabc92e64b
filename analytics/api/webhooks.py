"""/api/v1/webhooks/: which programs are told of changes, and what became of it."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Delivery, Endpoint
from campaigns.outgoing.events import TYPES
from campaigns.outgoing.keeping import (
    ask_resending,
    change_endpoint,
    create_endpoint,
    ping,
    remove_endpoint,
    rotate_secret,
    switch_off,
    switch_on,
    try_again,
)
from clm.lib.questions import NotThereError, QuestionError
from customers.ingest import clock

from .acting import act
from .answering import Instant, problems
from .asking import Asking, Body, NoParameters, asked_id
from .customers import author_of
from .lists import ListView, TruthFilter


class WebhookShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    model_keys = serializers.ListField(child=serializers.CharField(), help_text="Empty: all stage models.")
    segment_keys = serializers.ListField(child=serializers.CharField(), help_text="Empty: all segments.")
    takes_history = serializers.BooleanField(help_text="Also what is no news.")
    created_at = Instant()
    disabled_at = Instant(allow_null=True, help_text="Null: it is on.")
    disabled_because = serializers.CharField()
    failing_since = Instant(allow_null=True)
    paused_until = Instant(allow_null=True)
    succeeded_at = Instant(allow_null=True, help_text="When something arrived last.")


class WebhookMade(WebhookShape):
    secret = serializers.CharField(
        allow_null=True, help_text="Told this once and never kept; null when the request is answered again."
    )


class WebhookTold(Body):
    url = serializers.CharField(required=False, max_length=2_000)
    description = serializers.CharField(required=False, allow_blank=True, max_length=200)
    events = serializers.ListField(child=serializers.ChoiceField(choices=list(TYPES)), required=False, max_length=20)
    model_keys = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=200)
    segment_keys = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=1_000)
    takes_history = serializers.BooleanField(required=False)


class WebhookNew(WebhookTold):
    url = serializers.CharField(max_length=2_000, help_text="Begins with https:// and leads to a public address.")
    events = serializers.ListField(child=serializers.ChoiceField(choices=list(TYPES)), max_length=20)


class ResendAsked(Body):
    since = serializers.CharField(max_length=60, help_text="An instant with its offset, or a date.")


class ResendShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    since = Instant()
    asked_at = Instant()


class DeliveryShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    event = serializers.CharField(help_text="The header webhook-id: the same however often it is sent.")
    type = serializers.CharField()
    customer = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    attempts = serializers.IntegerField()
    created_at = Instant()
    due_at = Instant(help_text="While it waits: when it is tried next.")
    finished_at = Instant(allow_null=True)


class AttemptShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    began_at = Instant()
    ended_at = Instant(allow_null=True)
    status = serializers.IntegerField(allow_null=True, help_text="Null: there was no answer, see `trouble`.")
    trouble = serializers.CharField()
    excerpt = serializers.CharField(help_text="The beginning of the answer.")
    milliseconds = serializers.IntegerField(allow_null=True)


class OneDeliveryShape(DeliveryShape):
    body = serializers.CharField(help_text="As it was signed and sent.")
    tries = AttemptShape(many=True)


class WebhookFilters(filters.FilterSet):
    is_on = TruthFilter(field_name="disabled_at", lookup_expr="isnull")

    class Meta:
        model = Endpoint
        fields: ClassVar[list[str]] = []


class Webhooks(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "webhooks.manage", "POST": "webhooks.manage"}
    queryset = Endpoint.objects.all()
    serializer_class = WebhookShape
    filterset_class = WebhookFilters

    @extend_schema(
        operation_id="webhooks_list",
        summary="Who is told of changes, newest first",
        responses={200: WebhookShape(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        return self.listed(request)

    @act(
        operation_id="webhooks_create",
        summary="Have a program told of changes",
        request=WebhookNew,
        responses={201: WebhookMade},
        secret="secret",  # noqa: S106 the name of a member
    )
    def post(self, request: Request) -> Response:
        endpoint, secret = create_endpoint(told=WebhookNew.of_request(request), now=clock())
        where = {"Location": f"/api/v1/webhooks/{endpoint.pk}/"}
        made = {**WebhookShape(endpoint).data, "secret": secret}
        return Response(made, status=status.HTTP_201_CREATED, headers=where)


class OneWebhook(APIView):
    permission_needed: ClassVar[dict[str, str]] = dict.fromkeys(("GET", "PATCH", "DELETE"), "webhooks.manage")

    @extend_schema(
        operation_id="webhooks_read", summary="One webhook", responses={200: WebhookShape, **problems(400, 404)}
    )
    def get(self, request: Request, webhook: str) -> Response:
        NoParameters.of(request)
        return Response(WebhookShape(_endpoint(webhook)).data)

    @act(
        operation_id="webhooks_change",
        summary="Change where a webhook leads or what it is told",
        request=WebhookTold,
        responses={200: WebhookShape},
        refusals=(404,),
    )
    def patch(self, request: Request, webhook: str) -> Response:
        changed = change_endpoint(endpoint=_endpoint(webhook), changes=WebhookTold.of_request(request))
        return Response(WebhookShape(changed).data)

    @act(
        operation_id="webhooks_delete",
        summary="Forget a webhook and what it was told",
        responses={204: None},
        refusals=(404,),
    )
    def delete(self, request: Request, webhook: str) -> Response:
        remove_endpoint(endpoint=_endpoint(webhook))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _Act(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"POST": "webhooks.manage"}


class PingWebhook(_Act):
    @act(
        operation_id="webhooks_ping",
        summary="Send a test event",
        responses={201: DeliveryShape},
        refusals=(404,),
    )
    def post(self, request: Request, webhook: str) -> Response:
        sent = ping(endpoint=_endpoint(webhook), now=clock())
        sent.refresh_from_db()
        return Response(DeliveryShape(sent).data, status=status.HTTP_201_CREATED)


class RotateWebhook(_Act):
    @act(
        operation_id="webhooks_rotate",
        summary="Make a new secret",
        description="For 24 hours everything is signed with both.",
        responses={200: WebhookMade},
        refusals=(404,),
        secret="secret",  # noqa: S106 the name of a member
    )
    def post(self, request: Request, webhook: str) -> Response:
        endpoint, secret = rotate_secret(endpoint=_endpoint(webhook), now=clock())
        return Response({**WebhookShape(endpoint).data, "secret": secret})


class SwitchOnWebhook(_Act):
    @act(
        operation_id="webhooks_switch_on",
        summary="Tell a webhook what happens from now on",
        responses={200: WebhookShape},
        refusals=(404,),
    )
    def post(self, request: Request, webhook: str) -> Response:
        switch_on(endpoint=_endpoint(webhook))
        return Response(WebhookShape(_endpoint(webhook)).data)


class SwitchOffWebhook(_Act):
    @act(
        operation_id="webhooks_switch_off",
        summary="Tell a webhook nothing more",
        description="What still waits is given up.",
        responses={200: WebhookShape},
        refusals=(404,),
    )
    def post(self, request: Request, webhook: str) -> Response:
        switch_off(endpoint=_endpoint(webhook), by=author_of(request), now=clock())
        return Response(WebhookShape(_endpoint(webhook)).data)


class ResendWebhook(_Act):
    @act(
        operation_id="webhooks_resend",
        summary="Tell everything since an instant once more",
        description="Under the same ids, in the order of the log, after whatever still waits.",
        request=ResendAsked,
        responses={201: ResendShape},
        refusals=(404,),
    )
    def post(self, request: Request, webhook: str) -> Response:
        asked, asking = ResendAsked.of_request(request), Asking(now=clock())
        since = asking.instant(asked, "since")
        if since is None:
            raise QuestionError("since", "say since when")
        made = ask_resending(endpoint=_endpoint(webhook), since=since, by=author_of(request), now=asking.now)
        return Response(ResendShape(made).data, status=status.HTTP_201_CREATED)


class DeliveryFilters(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Delivery.State.choices)

    class Meta:
        model = Delivery
        fields: ClassVar[list[str]] = []


class Deliveries(ListView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "webhooks.manage"}
    queryset = Delivery.objects.all()
    serializer_class = DeliveryShape
    filterset_class = DeliveryFilters

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):  # nobody asks while the API describes itself
            return Delivery.objects.none()
        return Delivery.objects.filter(endpoint=_endpoint(self.kwargs["webhook"]))

    @extend_schema(
        operation_id="webhooks_deliveries",
        summary="What a webhook was told, newest first; for 30 days",
        responses={200: DeliveryShape(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, webhook: str) -> Response:
        return self.listed(request)


class OneDelivery(APIView):
    permission_needed: ClassVar[dict[str, str]] = {"GET": "webhooks.manage"}

    @extend_schema(
        operation_id="webhooks_delivery",
        summary="One delivery with its body and its attempts",
        responses={200: OneDeliveryShape, **problems(400, 404)},
    )
    def get(self, request: Request, webhook: str, delivery: str) -> Response:
        NoParameters.of(request)
        found = _delivery(webhook, delivery)
        tries = found.tries.order_by("number")
        return Response({**DeliveryShape(found).data, "body": found.body, "tries": AttemptShape(tries, many=True).data})


class RetryDelivery(_Act):
    @act(
        operation_id="webhooks_delivery_retry",
        summary="Deliver one event once more, now",
        responses={200: DeliveryShape},
        refusals=(404,),
    )
    def post(self, request: Request, webhook: str, delivery: str) -> Response:
        found = _delivery(webhook, delivery)
        try_again(delivery=found, now=clock())
        found.refresh_from_db()
        return Response(DeliveryShape(found).data)


def _endpoint(text: str) -> Endpoint:
    found = Endpoint.objects.filter(pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found


def _delivery(webhook: str, text: str) -> Delivery:
    found = Delivery.objects.filter(endpoint=_endpoint(webhook), pk=asked_id(text)).first()
    if found is None:
        raise NotThereError(text)
    return found
