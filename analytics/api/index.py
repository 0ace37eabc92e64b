"""/api/v1/: where to begin, for whoever looks at the address alone."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from .answering import problems
from .asking import NoParameters


class IndexShape(serializers.Serializer[Any]):
    documentation = serializers.URLField(help_text="Every address, to be read and tried in a browser.")
    description = serializers.URLField(help_text="The same as OpenAPI 3, for programs.")
    me = serializers.URLField(help_text="Whose key this is, and what it may do.")
    addresses = serializers.DictField(child=serializers.URLField(), help_text="What can be read, by its name.")


class Index(APIView):
    """addresses: the names of those addresses that can be read without naming anything in them."""

    permission_needed: ClassVar[str] = "overview.view"
    addresses: tuple[str, ...] = ()

    @extend_schema(
        operation_id="index_read",
        summary="Where everything is",
        responses={200: IndexShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        places = {name.removeprefix("api_"): reverse(name, request=request) for name in self.addresses}
        told = {
            "documentation": reverse("api_docs", request=request),
            "description": reverse("api_schema", request=request),
            "me": reverse("api_me", request=request),
            "addresses": places,
        }
        return Response(IndexShape(told).data)
