"""Every address under /api/v1/, written out; slashes at the end are part of the address."""

from typing import Any

from django.urls import path

from .accounts import AccountMembers, Accounts, OneAccount
from .acquisition import AcquisitionCosts
from .arrived import TouchpointMessage
from .campaigns import Campaigns, OneCampaign
from .catalogue import Channels, CloseSource, OneSource, RotateSource, Sources, TouchpointTypes
from .changes import ChangePreview, ChangePublish, Changes, OneChange
from .customers import Customers, CustomerTouchpoints, OneCustomer
from .definitions import ModelUses, RetireModel, RetireSegment, RollBackModel, RollBackSegment, SegmentUses
from .documents import Docs, Schema
from .erasures import EraseCustomer, Erasures, OneErasure, Readmit
from .estimates import EstimateRule, OneRuleCount, RuleCounts, RuleWords
from .examples import ModelExamples, OneModelExample, OneSegmentExample, SegmentExamples
from .experience import CustomerTicket, Experience, ExperienceAnswers, SupportView, Tickets
from .experiments import (
    EndExperiment,
    ExperimentPlan,
    ExperimentResults,
    Experiments,
    OneExperiment,
    StartExperiment,
    StopExperiment,
)
from .exports import CustomersFile, ExportFile, Exports, OneExport
from .facts import (
    Affiliations,
    Consents,
    CustomerIdentities,
    EndPlacement,
    Identities,
    Placements,
    Profiles,
    Traits,
    WithdrawPlacement,
)
from .histories import Repairs, Spells, Timeline, Why
from .imports import AskImport, ImportFiles, Imports, ImportSetAside, OneImport, Rejects, RetryReject
from .index import Index
from .merges import Merges, OneMerge, UndoMerge
from .metrics import Metrics, OneMetric
from .missing_rates import Conversions, EnterRateFile, MissingRates, WaitingTouchpoints
from .model_drafts import (
    AllModels,
    CopyModel,
    ModelPositions,
    ModelPrecedence,
    ModelStages,
    OneSubRule,
    RetireStage,
    StageRuleDraft,
    SubRuleRule,
)
from .movement import Moves
from .possible_merges import (
    AcceptPossibleMerge,
    DuplicateSearches,
    OneDuplicateSearch,
    OnePossibleMerge,
    PossibleMerges,
    RefusePossibleMerge,
)
from .previews import PreviewModel, PreviewSegment, PublishModel
from .reports import (
    Mailings,
    OneMailing,
    OneRecipient,
    OneReport,
    Outsiders,
    PauseReport,
    PreviewReport,
    Recipients,
    Reports,
    ResumeReport,
    SendAgain,
)
from .retention import Retentions
from .rules import EvaluateRule
from .segment_drafts import SegmentHands, SegmentRule, SegmentUpload
from .segments import OneSegment, SegmentMembers, Segments, SegmentTrend
from .spend import AllSpend, OneRate, OneSpend, Rates
from .spend_file import SpendFile
from .stages import OneStage, OneStageModel, StageCountsNow, StageFlows, StageTrend
from .system import HotCustomers, OneInstallation, OneReplay, ParkedCustomers, Replays, RetryParked, System
from .types import CatalogueList, DraftMapping, OneType
from .users import Keys, Me, OneKey, OneUser, RevokeKey, Users
from .value import CustomerScores, Value
from .versions import ModelVersion, ModelVersions, SegmentVersion, SegmentVersions, SubRules
from .webhooks import (
    Deliveries,
    OneDelivery,
    OneWebhook,
    PingWebhook,
    ResendWebhook,
    RetryDelivery,
    RotateWebhook,
    SwitchOffWebhook,
    SwitchOnWebhook,
    Webhooks,
)

urlpatterns = [
    path("customers/", Customers.as_view(), name="api_customers"),
    path("customers/export/", CustomersFile.as_view(), name="api_customers_export"),
    path("customers/<str:customer>/", OneCustomer.as_view(), name="api_customer"),
    path("customers/<str:customer>/timeline/", Timeline.as_view(), name="api_customer_timeline"),
    path("customers/<str:customer>/spells/", Spells.as_view(), name="api_customer_spells"),
    path("customers/<str:customer>/why/", Why.as_view(), name="api_customer_why"),
    path("customers/<str:customer>/scores/", CustomerScores.as_view(), name="api_customer_scores"),
    path("customers/<str:customer>/touchpoints/", CustomerTouchpoints.as_view(), name="api_customer_touchpoints"),
    path(
        "customers/<str:customer>/touchpoints/<str:touchpoint>/message/",
        TouchpointMessage.as_view(),
        name="api_customer_message",
    ),
    path("customers/<str:customer>/profiles/", Profiles.as_view(), name="api_customer_profiles"),
    path("customers/<str:customer>/identities/", CustomerIdentities.as_view(), name="api_customer_identities"),
    path("customers/<str:customer>/traits/", Traits.as_view(), name="api_customer_traits"),
    path("customers/<str:customer>/consents/", Consents.as_view(), name="api_customer_consents"),
    path("customers/<str:customer>/affiliations/", Affiliations.as_view(), name="api_customer_affiliations"),
    path("customers/<str:customer>/placements/", Placements.as_view(), name="api_customer_placements"),
    path(
        "customers/<str:customer>/placements/<str:placement>/withdraw/",
        WithdrawPlacement.as_view(),
        name="api_customer_placement_withdraw",
    ),
    path(
        "customers/<str:customer>/placements/<str:placement>/end/",
        EndPlacement.as_view(),
        name="api_customer_placement_end",
    ),
    path("customers/<str:customer>/erase/", EraseCustomer.as_view(), name="api_customer_erase"),
    path("customers/<str:customer>/repairs/", Repairs.as_view(), name="api_customer_repairs"),
    path("exports/", Exports.as_view(), name="api_exports"),
    path("exports/<str:export>/", OneExport.as_view(), name="api_export"),
    path("exports/<str:export>/file/", ExportFile.as_view(), name="api_export_file"),
    path("webhooks/", Webhooks.as_view(), name="api_webhooks"),
    path("webhooks/<str:webhook>/", OneWebhook.as_view(), name="api_webhook"),
    path("webhooks/<str:webhook>/ping/", PingWebhook.as_view(), name="api_webhook_ping"),
    path("webhooks/<str:webhook>/rotate/", RotateWebhook.as_view(), name="api_webhook_rotate"),
    path("webhooks/<str:webhook>/switch-on/", SwitchOnWebhook.as_view(), name="api_webhook_switch_on"),
    path("webhooks/<str:webhook>/switch-off/", SwitchOffWebhook.as_view(), name="api_webhook_switch_off"),
    path("webhooks/<str:webhook>/resend/", ResendWebhook.as_view(), name="api_webhook_resend"),
    path("webhooks/<str:webhook>/deliveries/", Deliveries.as_view(), name="api_webhook_deliveries"),
    path("webhooks/<str:webhook>/deliveries/<str:delivery>/", OneDelivery.as_view(), name="api_webhook_delivery"),
    path(
        "webhooks/<str:webhook>/deliveries/<str:delivery>/retry/",
        RetryDelivery.as_view(),
        name="api_webhook_delivery_retry",
    ),
    path("reports/", Reports.as_view(), name="api_reports"),
    path("reports/<str:report>/", OneReport.as_view(), name="api_report"),
    path("reports/<str:report>/pause/", PauseReport.as_view(), name="api_report_pause"),
    path("reports/<str:report>/resume/", ResumeReport.as_view(), name="api_report_resume"),
    path("reports/<str:report>/preview/", PreviewReport.as_view(), name="api_report_preview"),
    path("reports/<str:report>/recipients/", Recipients.as_view(), name="api_report_recipients"),
    path("reports/<str:report>/recipients/<str:recipient>/", OneRecipient.as_view(), name="api_report_recipient"),
    path("reports/<str:report>/outsiders/", Outsiders.as_view(), name="api_report_outsiders"),
    path("reports/<str:report>/mailings/", Mailings.as_view(), name="api_report_mailings"),
    path("reports/<str:report>/mailings/<str:mailing>/", OneMailing.as_view(), name="api_report_mailing"),
    path(
        "reports/<str:report>/mailings/<str:mailing>/sendings/<str:sending>/send-again/",
        SendAgain.as_view(),
        name="api_report_send_again",
    ),
    path("identities/", Identities.as_view(), name="api_identities"),
    path("merges/", Merges.as_view(), name="api_merges"),
    path("merges/<str:merge>/", OneMerge.as_view(), name="api_merge"),
    path("merges/<str:merge>/undo/", UndoMerge.as_view(), name="api_merge_undo"),
    path("possible-merges/", PossibleMerges.as_view(), name="api_possible_merges"),
    path("possible-merges/<str:possible_merge>/", OnePossibleMerge.as_view(), name="api_possible_merge"),
    path(
        "possible-merges/<str:possible_merge>/merge/",
        AcceptPossibleMerge.as_view(),
        name="api_possible_merge_accept",
    ),
    path(
        "possible-merges/<str:possible_merge>/refuse/",
        RefusePossibleMerge.as_view(),
        name="api_possible_merge_refuse",
    ),
    path("duplicate-searches/", DuplicateSearches.as_view(), name="api_duplicate_searches"),
    path("duplicate-searches/<str:duplicate_search>/", OneDuplicateSearch.as_view(), name="api_duplicate_search"),
    path("erasures/", Erasures.as_view(), name="api_erasures"),
    path("erasures/readmit/", Readmit.as_view(), name="api_erasures_readmit"),
    path("erasures/<str:erasure>/", OneErasure.as_view(), name="api_erasure"),
    path("accounts/", Accounts.as_view(), name="api_accounts"),
    path("accounts/<str:account>/", OneAccount.as_view(), name="api_account"),
    path("accounts/<str:account>/members/", AccountMembers.as_view(), name="api_account_members"),
    path("stage-models/", AllModels.as_view(), name="api_stage_models"),
    path("stage-models/<slug:key>/", OneStageModel.as_view(), name="api_stage_model"),
    path("stage-models/<slug:key>/stages/<slug:stage>/", OneStage.as_view(), name="api_stage_model_stage"),
    path("stage-models/<slug:key>/copy/", CopyModel.as_view(), name="api_stage_model_copy"),
    path("stage-models/<slug:key>/retire/", RetireModel.as_view(), name="api_stage_model_retire"),
    path("stage-models/<slug:key>/used-in/", ModelUses.as_view(), name="api_stage_model_uses"),
    path("stage-models/<slug:key>/stages/", ModelStages.as_view(), name="api_stage_model_stages"),
    path("stage-models/<slug:key>/stages/<slug:stage>/rule/", StageRuleDraft.as_view(), name="api_stage_rule"),
    path("stage-models/<slug:key>/stages/<slug:stage>/retire/", RetireStage.as_view(), name="api_stage_retire"),
    path("stage-models/<slug:key>/precedence/", ModelPrecedence.as_view(), name="api_stage_model_precedence"),
    path("stage-models/<slug:key>/positions/", ModelPositions.as_view(), name="api_stage_model_positions"),
    path("stage-models/<slug:key>/examples/", ModelExamples.as_view(), name="api_stage_model_examples"),
    path(
        "stage-models/<slug:key>/examples/<str:example>/",
        OneModelExample.as_view(),
        name="api_stage_model_example",
    ),
    path("stage-models/<slug:key>/preview/", PreviewModel.as_view(), name="api_stage_model_preview"),
    path("stage-models/<slug:key>/publish/", PublishModel.as_view(), name="api_stage_model_publish"),
    path("stage-models/<slug:key>/counts/", StageCountsNow.as_view(), name="api_stage_model_counts"),
    path("stage-models/<slug:key>/flows/", StageFlows.as_view(), name="api_stage_model_flows"),
    path("stage-models/<slug:key>/trend/", StageTrend.as_view(), name="api_stage_model_trend"),
    path("stage-models/<slug:key>/versions/", ModelVersions.as_view(), name="api_stage_model_versions"),
    path("stage-models/<slug:key>/versions/<int:number>/", ModelVersion.as_view(), name="api_stage_model_version"),
    path(
        "stage-models/<slug:key>/versions/<int:number>/roll-back/",
        RollBackModel.as_view(),
        name="api_stage_model_roll_back",
    ),
    path("segments/", Segments.as_view(), name="api_segments"),
    path("segments/preview/", PreviewSegment.as_view(), name="api_segments_preview"),
    path("segments/<slug:key>/", OneSegment.as_view(), name="api_segment"),
    path("segments/<slug:key>/members/", SegmentMembers.as_view(), name="api_segment_members"),
    path("segments/<slug:key>/trend/", SegmentTrend.as_view(), name="api_segment_trend"),
    path("segments/<slug:key>/versions/", SegmentVersions.as_view(), name="api_segment_versions"),
    path("segments/<slug:key>/versions/<int:number>/", SegmentVersion.as_view(), name="api_segment_version"),
    path(
        "segments/<slug:key>/versions/<int:number>/roll-back/", RollBackSegment.as_view(), name="api_segment_roll_back"
    ),
    path("segments/<slug:key>/rule/", SegmentRule.as_view(), name="api_segment_rule"),
    path("segments/<slug:key>/retire/", RetireSegment.as_view(), name="api_segment_retire"),
    path("segments/<slug:key>/used-in/", SegmentUses.as_view(), name="api_segment_uses"),
    path("segments/<slug:key>/list/", SegmentHands.as_view(), name="api_segment_list"),
    path("segments/<slug:key>/upload/", SegmentUpload.as_view(), name="api_segment_upload"),
    path("segments/<slug:key>/examples/", SegmentExamples.as_view(), name="api_segment_examples"),
    path("segments/<slug:key>/examples/<str:example>/", OneSegmentExample.as_view(), name="api_segment_example"),
    path("sub-rules/", SubRules.as_view(), name="api_sub_rules"),
    path("sub-rules/<str:sub_rule>/", OneSubRule.as_view(), name="api_sub_rule"),
    path("sub-rules/<str:sub_rule>/rule/", SubRuleRule.as_view(), name="api_sub_rule_rule"),
    path("rules/evaluate/", EvaluateRule.as_view(), name="api_rules_evaluate"),
    path("rules/estimate/", EstimateRule.as_view(), name="api_rules_estimate"),
    path("rules/words/", RuleWords.as_view(), name="api_rules_words"),
    path("rule-counts/", RuleCounts.as_view(), name="api_rule_counts"),
    path("rule-counts/<str:count>/", OneRuleCount.as_view(), name="api_rule_count"),
    path("changes/", Changes.as_view(), name="api_changes"),
    path("changes/<str:change>/", OneChange.as_view(), name="api_change"),
    path("changes/<str:change>/preview/", ChangePreview.as_view(), name="api_change_preview"),
    path("changes/<str:change>/publish/", ChangePublish.as_view(), name="api_change_publish"),
    path("movement/", Moves.as_view(), name="api_movement"),
    path("experience/", Experience.as_view(), name="api_experience"),
    path("experience/answers/", ExperienceAnswers.as_view(), name="api_experience_answers"),
    path("support/", SupportView.as_view(), name="api_support"),
    path("support/tickets/", Tickets.as_view(), name="api_support_tickets"),
    path("customers/<str:customer>/ticket/", CustomerTicket.as_view(), name="api_customer_ticket"),
    path("retention/", Retentions.as_view(), name="api_retention"),
    path("value/", Value.as_view(), name="api_value"),
    path("acquisition/", AcquisitionCosts.as_view(), name="api_acquisition"),
    path("metrics/", Metrics.as_view(), name="api_metrics"),
    path("metrics/<slug:name>/", OneMetric.as_view(), name="api_metric"),
    path("campaigns/", Campaigns.as_view(), name="api_campaigns"),
    path("campaigns/<slug:key>/", OneCampaign.as_view(), name="api_campaign"),
    path("experiments/", Experiments.as_view(), name="api_experiments"),
    path("experiments/plan/", ExperimentPlan.as_view(), name="api_experiment_plan"),
    path("experiments/<slug:key>/", OneExperiment.as_view(), name="api_experiment"),
    path("experiments/<slug:key>/results/", ExperimentResults.as_view(), name="api_experiment_results"),
    path("experiments/<slug:key>/start/", StartExperiment.as_view(), name="api_experiment_start"),
    path("experiments/<slug:key>/stop/", StopExperiment.as_view(), name="api_experiment_stop"),
    path("experiments/<slug:key>/end/", EndExperiment.as_view(), name="api_experiment_end"),
    path("spend/", AllSpend.as_view(), name="api_spend"),
    path("spend/file/", SpendFile.as_view(), name="api_spend_file"),
    path("spend/<str:spend>/", OneSpend.as_view(), name="api_one_spend"),
    path("exchange-rates/", Rates.as_view(), name="api_exchange_rates"),
    path("exchange-rates/file/", EnterRateFile.as_view(), name="api_rate_file"),
    path("exchange-rates/missing/", MissingRates.as_view(), name="api_rates_missing"),
    path("exchange-rates/missing/touchpoints/", WaitingTouchpoints.as_view(), name="api_rates_missing_touchpoints"),
    path("exchange-rates/<str:rate>/", OneRate.as_view(), name="api_exchange_rate"),
    path("sources/", Sources.as_view(), name="api_sources"),
    path("sources/<slug:key>/", OneSource.as_view(), name="api_source"),
    path("sources/<slug:key>/rotate/", RotateSource.as_view(), name="api_source_rotate"),
    path("sources/<slug:key>/close/", CloseSource.as_view(), name="api_source_close"),
    path("conversions/", Conversions.as_view(), name="api_conversions"),
    path("channels/", Channels.as_view(), name="api_channels"),
    path("touchpoint-types/", TouchpointTypes.as_view(), name="api_touchpoint_types"),
    path("catalogue/", CatalogueList.as_view(), name="api_catalogue"),
    path("catalogue/draft/", DraftMapping.as_view(), name="api_catalogue_draft"),
    path("catalogue/<str:type>/", OneType.as_view(), name="api_catalogue_type"),
    path("imports/", Imports.as_view(), name="api_imports"),
    path("imports/files/", ImportFiles.as_view(), name="api_import_files"),
    path("imports/<str:number>/", OneImport.as_view(), name="api_import"),
    path("imports/<str:number>/ask/", AskImport.as_view(), name="api_import_ask"),
    path("imports/<str:number>/set-aside/", ImportSetAside.as_view(), name="api_import_set_aside"),
    path("rejects/", Rejects.as_view(), name="api_rejects"),
    path("rejects/<str:reject>/retry/", RetryReject.as_view(), name="api_reject_retry"),
    path("installation/", OneInstallation.as_view(), name="api_installation"),
    path("system/", System.as_view(), name="api_system"),
    path("parked/", ParkedCustomers.as_view(), name="api_parked"),
    path("parked/<str:customer>/retry/", RetryParked.as_view(), name="api_parked_retry"),
    path("hot-customers/", HotCustomers.as_view(), name="api_hot_customers"),
    path("replays/", Replays.as_view(), name="api_replays"),
    path("replays/<str:replay>/", OneReplay.as_view(), name="api_replay"),
    path("me/", Me.as_view(), name="api_me"),
    path("users/", Users.as_view(), name="api_users"),
    path("users/<str:user>/", OneUser.as_view(), name="api_user"),
    path("keys/", Keys.as_view(), name="api_keys"),
    path("keys/<str:key>/", OneKey.as_view(), name="api_key"),
    path("keys/<str:key>/revoke/", RevokeKey.as_view(), name="api_key_revoke"),
    path("schema/", Schema.as_view(), name="api_schema"),
    path("docs/", Docs.as_view(), name="api_docs"),
]


def _can_be_read(one: Any) -> bool:
    return "<" not in str(one.pattern) and hasattr(one.callback.cls, "get")


urlpatterns.append(
    path("", Index.as_view(addresses=tuple(one.name for one in urlpatterns if _can_be_read(one))), name="api_index")
)
