"""The API's own description, as OpenAPI and as pages to try it on."""

from typing import ClassVar

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Schema(SpectacularAPIView):
    permission_needed: ClassVar[str] = "overview.view"


class Docs(SpectacularSwaggerSplitView):
    permission_needed: ClassVar[str] = "overview.view"
    url_name = "api_schema"
