"""The addresses of the pages."""

from django.urls import path

from analytics.pages.customer import customer, customer_timeline
from analytics.pages.customer_forms import customer_edit, customer_log, customer_new
from analytics.pages.customers import customers
from analytics.pages.metrics import metrics
from analytics.pages.news import news
from analytics.pages.overview import overview
from analytics.pages.search import search
from analytics.pages.stage_models import model, models
from analytics.pages.styleguide import styleguide
from analytics.pages.system import system, system_import, system_retry

urlpatterns = [
    path("", overview, name="overview"),
    path("customers/", customers, name="customers"),
    path("customers/new/", customer_new, name="customer_new"),
    path("customers/<int:customer_id>/", customer, name="customer"),
    path("customers/<int:customer_id>/timeline/", customer_timeline, name="customer_timeline"),
    path("customers/<int:customer_id>/edit/", customer_edit, name="customer_edit"),
    path("customers/<int:customer_id>/log/", customer_log, name="customer_log"),
    path("metrics/", metrics, name="metrics"),
    path("models/", models, name="models"),
    path("models/<slug:key>/", model, name="model"),
    path("news/", news, name="news"),
    path("search/", search, name="search"),
    path("system/", system, name="system"),
    path("system/imports/<int:import_id>/", system_import, name="system_import"),
    path("system/parked/<int:customer_id>/retry/", system_retry, name="system_retry"),
    path("styleguide/", styleguide, name="styleguide"),
]
