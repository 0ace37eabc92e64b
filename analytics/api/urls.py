"""Every address under /api/v1/, written out; slashes at the end are part of the address."""

from django.urls import path

from .customers import Customers, CustomerTouchpoints, OneCustomer
from .documents import Docs, Schema
from .histories import Spells, Timeline, Why
from .metrics import Metrics, OneMetric
from .rules import EvaluateRule
from .segments import OneSegment, SegmentMembers, Segments
from .stages import OneStageModel, StageCountsNow, StageFlows, StageModels

urlpatterns = [
    path("customers/", Customers.as_view(), name="api_customers"),
    path("customers/<str:customer>/", OneCustomer.as_view(), name="api_customer"),
    path("customers/<str:customer>/timeline/", Timeline.as_view(), name="api_customer_timeline"),
    path("customers/<str:customer>/spells/", Spells.as_view(), name="api_customer_spells"),
    path("customers/<str:customer>/why/", Why.as_view(), name="api_customer_why"),
    path("customers/<str:customer>/touchpoints/", CustomerTouchpoints.as_view(), name="api_customer_touchpoints"),
    path("stage-models/", StageModels.as_view(), name="api_stage_models"),
    path("stage-models/<slug:key>/", OneStageModel.as_view(), name="api_stage_model"),
    path("stage-models/<slug:key>/counts/", StageCountsNow.as_view(), name="api_stage_model_counts"),
    path("stage-models/<slug:key>/flows/", StageFlows.as_view(), name="api_stage_model_flows"),
    path("segments/", Segments.as_view(), name="api_segments"),
    path("segments/<slug:key>/", OneSegment.as_view(), name="api_segment"),
    path("segments/<slug:key>/members/", SegmentMembers.as_view(), name="api_segment_members"),
    path("rules/evaluate/", EvaluateRule.as_view(), name="api_rules_evaluate"),
    path("metrics/", Metrics.as_view(), name="api_metrics"),
    path("metrics/<slug:name>/", OneMetric.as_view(), name="api_metric"),
    path("schema/", Schema.as_view(), name="api_schema"),
    path("docs/", Docs.as_view(), name="api_docs"),
]
