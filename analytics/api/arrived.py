"""/api/v1/customers/{id}/touchpoints/{id}/message/: the message that told of a touchpoint, as it arrived."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clm.lib.access.models import User
from clm.lib.questions import NotThereError

from ..arrived import arrived
from .answering import Instant, problems
from .asking import NoParameters, asked_id


class MessageShape(serializers.Serializer[Any]):
    touchpoint = serializers.CharField(source="touchpoint.pk")
    source = serializers.CharField(source="touchpoint.source.key")  # type: ignore[assignment]
    received_at = Instant(source="touchpoint.received_at")
    text = serializers.CharField(help_text="The message as it arrived; what is no text is a replacement character.")


class TouchpointMessage(APIView):
    permission_needed: ClassVar[str] = "messages.view"

    @extend_schema(
        operation_id="customers_message",
        summary="The message that told of a touchpoint, as it arrived",
        description="Kept for 30 days of what programs sent; 404 when none is. It names the person in full: that it "
        "was read is written into the log.",
        responses={200: MessageShape, **problems(400, 404)},
    )
    def get(self, request: Request, customer: str, touchpoint: str) -> Response:
        NoParameters.of(request)
        who: Any = request.user
        reader = f"user {who.pk}" if isinstance(who, User) else f"key {who.pk}"
        found = arrived(customer=asked_id(customer), touchpoint=asked_id(touchpoint), reader=reader)
        if found.body is None:
            raise NotThereError(f"no message of touchpoint {touchpoint} is kept")
        return Response(MessageShape(found).data, headers={"Cache-Control": "no-store"})
