"""Every address of the program."""

from django.urls import include, path, re_path

from clm import health
from customers.receiving.view import ingestion

urlpatterns = [
    path("", include("analytics.urls")),
    path("account/", include("allauth.account.urls")),
    path("api/v1/", include("analytics.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    # Answered by a middleware before all others; named here so that it can be found.
    re_path(r"^v1/(?P<rest>.*)$", ingestion, name="ingestion"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "clm.lib.refusals.bad_request"
handler403 = "clm.lib.refusals.forbidden"
handler404 = "clm.lib.refusals.not_found"
handler500 = "clm.lib.refusals.broken"
