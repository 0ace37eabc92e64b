"""Every address of the program."""

from django.urls import include, path

from clm import health

urlpatterns = [
    path("", include("analytics.urls")),
    path("account/", include("allauth.account.urls")),
    path("api/v1/", include("analytics.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "clm.lib.refusals.bad_request"
handler403 = "clm.lib.refusals.forbidden"
handler404 = "clm.lib.refusals.not_found"
handler500 = "clm.lib.refusals.broken"
