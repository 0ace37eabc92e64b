"""The addresses of the pages."""

from django.urls import path

from analytics.pages.account import account
from analytics.pages.accounts import account as account_one
from analytics.pages.accounts import accounts
from analytics.pages.acquisition import acquisition_file, acquisitions
from analytics.pages.arrived import customer_message
from analytics.pages.campaigns import campaign, campaign_delete, campaign_edit, campaign_new, campaigns
from analytics.pages.catalogue import catalogue, catalogue_map, catalogue_type
from analytics.pages.changes import (
    change,
    change_count,
    change_discard,
    change_effect,
    change_going_live,
    change_publish,
    change_revert,
    changes,
)
from analytics.pages.customer import customer, customer_timeline
from analytics.pages.customer_forms import customer_edit, customer_log, customer_new
from analytics.pages.customers import customers
from analytics.pages.definitions import (
    model_edit,
    model_retire,
    model_roll_back,
    model_version,
    model_versions,
    segment_edit,
    segment_retire,
    segment_roll_back,
    segment_version,
    segment_versions,
)
from analytics.pages.erasures import customer_erase, erasures
from analytics.pages.examples import (
    model_example_new,
    model_example_retire,
    model_examples,
    segment_example_new,
    segment_example_retire,
    segment_examples,
)
from analytics.pages.experience import experience, experience_answers, experience_file
from analytics.pages.experiments import (
    experiment,
    experiment_counting,
    experiment_edit,
    experiment_file,
    experiment_new,
    experiment_start,
    experiment_step,
    experiments,
)
from analytics.pages.exporting import customers_export, export_file, export_new, export_stop, exports
from analytics.pages.imports import (
    import_ask,
    import_discard,
    import_errors,
    import_new,
    import_one,
    import_progress,
    import_sample,
    import_undo,
    imports,
)
from analytics.pages.installation import installation
from analytics.pages.keys import account_key_new, account_key_revoke, key_new, key_revoke, keys
from analytics.pages.merges import customer_merge, merge_start, merge_undo
from analytics.pages.metrics import metrics, metrics_file
from analytics.pages.missing_rates import rates_missing, rates_missing_touchpoints
from analytics.pages.movement import movement_file, moves
from analytics.pages.news import news
from analytics.pages.overview import overview, overview_file
from analytics.pages.placements import customer_place, customer_placement_end, customer_placement_withdraw
from analytics.pages.rates import rate_delete, rates, rates_job, rates_upload
from analytics.pages.reports import (
    report,
    report_edit,
    report_leave,
    report_mailing,
    report_new,
    report_outside,
    report_remove,
    reports,
)
from analytics.pages.retention import cohorts, retention_file
from analytics.pages.review import review, review_pair, review_search
from analytics.pages.rules import rule_words, segment_new, segment_rule, stage_new, stage_rule, sub_rule, sub_rule_new
from analytics.pages.search import search
from analytics.pages.segment_lists import (
    list_new,
    lists_add,
    segment_list,
    segment_list_add,
    segment_list_remove,
    segment_upload,
)
from analytics.pages.segments import one_segment, segment_csv, segments
from analytics.pages.senders import (
    reject_retry,
    source,
    source_new,
    source_revoke,
    source_rotate,
    source_tail,
    sources,
)
from analytics.pages.spend import spend, spend_delete, spend_edit, spend_file, spend_new, spend_upload
from analytics.pages.stage_model_forms import (
    model_copy,
    model_default,
    model_new,
    model_order,
    stage_edit,
    stage_retire,
)
from analytics.pages.stage_models import model, models
from analytics.pages.styleguide import styleguide
from analytics.pages.sub_rules import sub_rules
from analytics.pages.support import support_file, support_page, support_ticket, support_tickets
from analytics.pages.system import system, system_import, system_retry
from analytics.pages.users import user, user_access, user_link, user_new, users
from analytics.pages.value import value, value_file
from analytics.pages.webhooks import webhook, webhook_edit, webhook_new, webhook_remove, webhook_secret, webhooks

urlpatterns = [
    path("", overview, name="overview"),
    path("overview.<slug:kind>", overview_file, name="overview_file"),
    path("customers/", customers, name="customers"),
    path("customers/export/", customers_export, name="customers_export"),
    path("exports/", exports, name="exports"),
    path("exports/new/", export_new, name="export_new"),
    path("exports/<int:export_id>/remove/", export_stop, name="export_stop"),
    path("exports/<int:export_id>/<str:secret>/", export_file, name="export_file"),
    path("customers/new/", customer_new, name="customer_new"),
    path("customers/merge/", merge_start, name="merges"),
    path("customers/<int:customer_id>/", customer, name="customer"),
    path("customers/<int:customer_id>/timeline/", customer_timeline, name="customer_timeline"),
    path("customers/<int:customer_id>/edit/", customer_edit, name="customer_edit"),
    path("customers/<int:customer_id>/log/", customer_log, name="customer_log"),
    path("customers/<int:customer_id>/merge/", customer_merge, name="customer_merge"),
    path("customers/<int:customer_id>/erase/", customer_erase, name="customer_erase"),
    path("erasures/", erasures, name="erasures"),
    path("review/", review, name="review"),
    path("review/search/", review_search, name="review_search"),
    path("review/<int:pair_id>/", review_pair, name="review_pair"),
    path("merges/<int:merge_id>/undo/", merge_undo, name="merge_undo"),
    path(
        "customers/<int:customer_id>/touchpoints/<int:touchpoint_id>/",
        customer_message,
        name="customer_message",
    ),
    path("customers/<int:customer_id>/place/", customer_place, name="customer_place"),
    path(
        "customers/<int:customer_id>/placements/<int:placement_id>/end/",
        customer_placement_end,
        name="customer_placement_end",
    ),
    path(
        "customers/<int:customer_id>/placements/<int:placement_id>/withdraw/",
        customer_placement_withdraw,
        name="customer_placement_withdraw",
    ),
    path("metrics/", metrics, name="metrics"),
    path("metrics.<slug:kind>", metrics_file, name="metrics_file"),
    path("movement/", moves, name="movement"),
    path("experience/", experience, name="experience"),
    path("experience/answers/", experience_answers, name="experience_answers"),
    path("experience.<slug:kind>", experience_file, name="experience_file"),
    path("support/", support_page, name="support"),
    path("support/tickets/", support_tickets, name="support_tickets"),
    path("customers/<int:customer_id>/ticket/", support_ticket, name="support_ticket"),
    path("support.<slug:kind>", support_file, name="support_file"),
    path("value/", value, name="value"),
    path("acquisition/", acquisitions, name="acquisition"),
    path("acquisition.<slug:kind>", acquisition_file, name="acquisition_file"),
    path("value.<slug:kind>", value_file, name="value_file"),
    path("movement.<slug:kind>", movement_file, name="movement_file"),
    path("models/", models, name="models"),
    path("models/new/", model_new, name="model_new"),
    path("models/<slug:key>/", model, name="model"),
    path("models/<slug:key>/stages/new/", stage_new, name="stage_new"),
    path("models/<slug:key>/edit/", model_edit, name="model_edit"),
    path("models/<slug:key>/copy/", model_copy, name="model_copy"),
    path("models/<slug:key>/default/", model_default, name="model_default"),
    path("models/<slug:key>/order/", model_order, name="model_order"),
    path("models/<slug:key>/retire/", model_retire, name="model_retire"),
    path("models/<slug:key>/stages/<slug:stage>/edit/", stage_edit, name="stage_edit"),
    path("models/<slug:key>/stages/<slug:stage>/retire/", stage_retire, name="stage_retire"),
    path("models/<slug:key>/versions/", model_versions, name="model_versions"),
    path("models/<slug:key>/versions/<int:number>/", model_version, name="model_version"),
    path("models/<slug:key>/versions/<int:number>/roll-back/", model_roll_back, name="model_roll_back"),
    path("models/<slug:key>/examples/", model_examples, name="model_examples"),
    path("models/<slug:key>/examples/new/", model_example_new, name="model_example_new"),
    path("models/<slug:key>/examples/<int:example>/remove/", model_example_retire, name="model_example_retire"),
    path("rules/", sub_rules, name="sub_rules"),
    path("segments/", segments, name="segments"),
    path("segments/new/", segment_new, name="segment_new"),
    path("segments/lists/new/", list_new, name="list_new"),
    path("segments/lists/add/", lists_add, name="lists_add"),
    path("segments/<slug:key>/", one_segment, name="segment"),
    path("segments/<slug:key>/members.csv", segment_csv, name="segment_csv"),
    path("segments/<slug:key>/edit/", segment_edit, name="segment_edit"),
    path("segments/<slug:key>/retire/", segment_retire, name="segment_retire"),
    path("segments/<slug:key>/list/", segment_list, name="segment_list"),
    path("segments/<slug:key>/list/add/", segment_list_add, name="segment_list_add"),
    path("segments/<slug:key>/list/remove/", segment_list_remove, name="segment_list_remove"),
    path("segments/<slug:key>/upload/", segment_upload, name="segment_upload"),
    path("segments/<slug:key>/versions/", segment_versions, name="segment_versions"),
    path("segments/<slug:key>/versions/<int:number>/", segment_version, name="segment_version"),
    path("segments/<slug:key>/versions/<int:number>/roll-back/", segment_roll_back, name="segment_roll_back"),
    path("segments/<slug:key>/examples/", segment_examples, name="segment_examples"),
    path("segments/<slug:key>/examples/new/", segment_example_new, name="segment_example_new"),
    path("segments/<slug:key>/examples/<int:example>/remove/", segment_example_retire, name="segment_example_retire"),
    path("models/<slug:key>/stages/<slug:stage>/rule/", stage_rule, name="stage_rule"),
    path("segments/<slug:key>/rule/", segment_rule, name="segment_rule"),
    path("rules/new/", sub_rule_new, name="sub_rule_new"),
    path("rules/words/", rule_words, name="rule_words"),
    path("rules/<path:name>/edit/", sub_rule, name="sub_rule"),
    path("changes/", changes, name="changes"),
    path("changes/<int:change_id>/", change, name="change"),
    path("changes/<int:change_id>/effect/", change_effect, name="change_effect"),
    path("changes/<int:change_id>/going-live/", change_going_live, name="change_going_live"),
    path("changes/<int:change_id>/count/", change_count, name="change_count"),
    path("changes/<int:change_id>/publish/", change_publish, name="change_publish"),
    path("changes/<int:change_id>/discard/", change_discard, name="change_discard"),
    path("changes/<int:change_id>/revert/", change_revert, name="change_revert"),
    path("accounts/", accounts, name="accounts"),
    path("accounts/<int:account_id>/", account_one, name="account_one"),
    path("catalogue/", catalogue, name="catalogue"),
    path("catalogue/<int:type_id>/", catalogue_type, name="catalogue_type"),
    path("catalogue/<int:type_id>/map/", catalogue_map, name="catalogue_map"),
    path("news/", news, name="news"),
    path("retention/", cohorts, name="retention"),
    path("retention.<slug:kind>", retention_file, name="retention_file"),
    path("search/", search, name="search"),
    path("system/", system, name="system"),
    path("system/imports/<int:import_id>/", system_import, name="system_import"),
    path("system/parked/<int:customer_id>/retry/", system_retry, name="system_retry"),
    path("campaigns/", campaigns, name="campaigns"),
    path("campaigns/new/", campaign_new, name="campaign_new"),
    path("campaigns/<slug:key>/", campaign, name="campaign"),
    path("campaigns/<slug:key>/edit/", campaign_edit, name="campaign_edit"),
    path("campaigns/<slug:key>/remove/", campaign_delete, name="campaign_delete"),
    path("experiments/", experiments, name="experiments"),
    path("experiments/new/", experiment_new, name="experiment_new"),
    path("experiments/<slug:key>/", experiment, name="experiment"),
    path("experiments/<slug:key>/results.<slug:kind>", experiment_file, name="experiment_file"),
    path("experiments/<slug:key>/counting/", experiment_counting, name="experiment_counting"),
    path("experiments/<slug:key>/start/", experiment_start, name="experiment_start"),
    path("experiments/<slug:key>/edit/", experiment_edit, name="experiment_edit"),
    path("experiments/<slug:key>/stop/", experiment_step, {"step": "stop"}, name="experiment_stop"),
    path("experiments/<slug:key>/end/", experiment_step, {"step": "end"}, name="experiment_end"),
    path("experiments/<slug:key>/remove/", experiment_step, {"step": "remove"}, name="experiment_delete"),
    path("sources/", sources, name="sources"),
    path("sources/new/", source_new, name="source_new"),
    path("sources/<slug:key>/", source, name="source"),
    path("sources/<slug:key>/tail/", source_tail, name="source_tail"),
    path("sources/<slug:key>/key/", source_rotate, name="source_rotate"),
    path("sources/<slug:key>/close/", source_revoke, name="source_revoke"),
    path("rejects/<int:reject_id>/retry/", reject_retry, name="reject_retry"),
    path("webhooks/", webhooks, name="webhooks"),
    path("webhooks/new/", webhook_new, name="webhook_new"),
    path("webhooks/<int:webhook_id>/", webhook, name="webhook"),
    path("webhooks/<int:webhook_id>/edit/", webhook_edit, name="webhook_edit"),
    path("webhooks/<int:webhook_id>/secret/", webhook_secret, name="webhook_secret"),
    path("webhooks/<int:webhook_id>/remove/", webhook_remove, name="webhook_remove"),
    path("reports/", reports, name="reports"),
    path("reports/new/", report_new, name="report_new"),
    path("reports/leave/<int:recipient_id>/<str:signature>/", report_leave, name="report_leave"),
    path("reports/<int:report_id>/", report, name="report"),
    path("reports/<int:report_id>/edit/", report_edit, name="report_edit"),
    path("reports/<int:report_id>/outside/", report_outside, name="report_outside"),
    path("reports/<int:report_id>/remove/", report_remove, name="report_remove"),
    path("reports/<int:report_id>/mailings/<int:mailing_id>/", report_mailing, name="report_mailing"),
    path("spend/", spend, name="spend"),
    path("spend.<slug:kind>", spend_file, name="spend_file"),
    path("spend/new/", spend_new, name="spend_new"),
    path("spend/file/", spend_upload, name="spend_upload"),
    path("spend/<int:spend_id>/", spend_edit, name="spend_edit"),
    path("spend/<int:spend_id>/remove/", spend_delete, name="spend_delete"),
    path("imports/", imports, name="imports"),
    path("imports/new/", import_new, name="import_new"),
    path("imports/sample.csv", import_sample, name="import_sample"),
    path("imports/<int:import_id>/", import_one, name="import"),
    path("imports/<int:import_id>/progress/", import_progress, name="import_progress"),
    path("imports/<int:import_id>/errors.csv", import_errors, name="import_errors"),
    path("imports/<int:import_id>/discard/", import_discard, name="import_discard"),
    path("imports/<int:import_id>/undo/", import_undo, name="import_undo"),
    path("imports/<int:import_id>/<slug:wish>/", import_ask, name="import_ask"),
    path("rates/", rates, name="rates"),
    path("rates/upload/", rates_upload, name="rates_upload"),
    path("rates/missing/", rates_missing, name="rates_missing"),
    path("rates/missing/touchpoints/", rates_missing_touchpoints, name="rates_missing_touchpoints"),
    path("rates/conversions/<int:conversion_id>/", rates_job, name="rates_job"),
    path("rates/<int:rate_id>/remove/", rate_delete, name="rate_delete"),
    path("settings/", installation, name="installation"),
    path("users/", users, name="users"),
    path("users/new/", user_new, name="user_new"),
    path("users/<int:user_id>/", user, name="user"),
    path("users/<int:user_id>/link/", user_link, name="user_link"),
    path("users/<int:user_id>/access/", user_access, name="user_access"),
    path("keys/", keys, name="keys"),
    path("keys/new/", key_new, name="key_new"),
    path("keys/<int:key_id>/revoke/", key_revoke, name="key_revoke"),
    path("account/", account, name="account"),
    path("account/keys/new/", account_key_new, name="account_key_new"),
    path("account/keys/<int:key_id>/revoke/", account_key_revoke, name="account_key_revoke"),
    path("styleguide/", styleguide, name="styleguide"),
]
