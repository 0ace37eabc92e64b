"""Where the search leads besides customers: the accounts, pages, stages, segments, figures and acts that a person may
use."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.account_list import FoundAccount
from analytics.metrics import METRICS
from analytics.sorting import Sorting, StageRef
from clm.lib.access.table import can
from clm.lib.folding import folded


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go. words: what else one may type for it; detail: what it belongs to; stage: its colour, for
    stages."""

    title: str
    url: str
    icon: str
    detail: str = ""
    words: str = ""
    stage: StageRef | None = None


# (URL name, title, icon, other words for it, permission or "" for everybody who is signed in)
PAGES = (
    ("overview", gettext_lazy("Overview"), "layout-dashboard", "dashboard home start", "overview.view"),
    (
        "movement",
        gettext_lazy("Movement"),
        "arrows-exchange",
        "moves transitions funnel growth sankey",
        "overview.view",
    ),
    ("customers", gettext_lazy("Customers"), "users", "people list contacts", "customers.view"),
    (
        "review",
        gettext_lazy("Duplicates"),
        "zoom-question",
        "review queue possible duplicate doubles same person identity",
        "customers.merge",
    ),
    ("exports", gettext_lazy("Exports"), "file-download", "download files csv jsonl take away", "customers.export"),
    (
        "accounts",
        gettext_lazy("Accounts"),
        "building",
        "organisations companies organizations groups b2b",
        "customers.view",
    ),
    ("metrics", gettext_lazy("Metrics"), "chart-histogram", "figures kpi numbers", "metrics.view"),
    ("segments", gettext_lazy("Segments"), "users-group", "lists audiences groups", "segments.view"),
    ("retention", gettext_lazy("Retention"), "calendar-repeat", "cohorts repeat come back", "metrics.view"),
    ("value", gettext_lazy("Value"), "diamond", "clv ltv rfm alive risk churn forecast score", "metrics.view"),
    (
        "experience",
        gettext_lazy("Experience"),
        "mood-smile",
        "nps csat ces surveys feedback satisfaction effort promoters detractors net promoter score",
        "metrics.view",
    ),
    (
        "experience_answers",
        gettext_lazy("In their words"),
        "message-circle",
        "comments verbatims answers feedback surveys nps csat ces",
        "customers.view",
    ),
    (
        "support",
        gettext_lazy("Support"),
        "lifebuoy",
        "tickets contact reasons response resolution times help desk waiting",
        "metrics.view",
    ),
    (
        "support_tickets",
        gettext_lazy("Tickets"),
        "lifebuoy",
        "support requests open waiting reopened resolved help desk",
        "customers.view",
    ),
    ("reports", gettext_lazy("Reports"), "mail", "mail e-mail email schedule scheduled send print", "reports.edit"),
    ("models", gettext_lazy("Stage models"), "stack-2", "lifecycle rules", "stages.view"),
    ("campaigns", gettext_lazy("Campaigns"), "speakerphone", "marketing utm budget", "campaigns.view"),
    (
        "acquisition",
        gettext_lazy("Acquisition"),
        "target-arrow",
        "cac attribution channels payback cost ltv markov shapley",
        "metrics.view",
    ),
    (
        "experiments",
        gettext_lazy("Experiments"),
        "flask",
        "ab test tests split variants holdout lift significance",
        "experiments.view",
    ),
    ("spend", gettext_lazy("Spend"), "coin", "costs cost marketing advertising budget money", "campaigns.view"),
    (
        "account",
        gettext_lazy("Your account"),
        "user",
        "profile me my time zone theme settings token api key",
        "account.own",
    ),
    ("users", gettext_lazy("Users"), "user-shield", "team people accounts roles invite logins", "users.manage"),
    ("keys", gettext_lazy("API keys"), "key", "token tokens api secret access machine", "users.manage"),
    (
        "erasures",
        gettext_lazy("Erasures"),
        "eraser",
        "erase gdpr forget forgotten delete right privacy anonymise",
        "customers.erase",
    ),
    ("imports", gettext_lazy("Imports"), "file-import", "files upload csv excel contacts history", "imports.run"),
    (
        "catalogue",
        gettext_lazy("Catalogue"),
        "list-search",
        "events names types mapping map roles schema tracking plan",
        "overview.view",
    ),
    ("changes", gettext_lazy("Changes"), "git-compare", "drafts drafted publish preview rules", "stages.view"),
    ("sources", gettext_lazy("Sources"), "plug", "write key website app server events sending", "sources.manage"),
    ("webhooks", gettext_lazy("Webhooks"), "webhook", "hooks events notify integration outgoing", "webhooks.manage"),
    ("rates", gettext_lazy("Exchange rates"), "exchange", "currency currencies money fx", "rates.edit"),
    (
        "installation",
        gettext_lazy("Settings"),
        "settings",
        "configuration organisation currency zone",
        "installation.edit",
    ),
    ("sub_rules", gettext_lazy("Named rules"), "filter", "sub-rules shared", "stages.view"),
    ("system", gettext_lazy("System"), "heartbeat", "health imports replays parked", "system.manage"),
    ("api_docs", gettext_lazy("API documentation"), "api", "developers swagger openapi", ""),
    # Open to everybody, and of use to those who build pages.
    ("styleguide", gettext_lazy("Style guide"), "palette", "design parts", "system.manage"),
)
ACTS = (
    ("customer_new", gettext_lazy("New customer"), "user-plus", "create add", "customers.edit"),
    ("merges", gettext_lazy("Merge customers"), "arrows-join", "duplicates duplicate doubles same", "customers.merge"),
    ("spend_new", gettext_lazy("Enter spend"), "coin", "costs cost money add", "spend.edit"),
    ("spend_upload", gettext_lazy("Bring in a file of spend"), "file-upload", "costs csv upload import", "spend.edit"),
    (
        "import_new",
        gettext_lazy("Bring in a file of people"),
        "file-import",
        "import csv excel contacts upload hubspot salesforce shopify mailchimp",
        "imports.run",
    ),
    ("campaign_new", gettext_lazy("New campaign"), "speakerphone", "create add", "campaigns.edit"),
    ("experiment_new", gettext_lazy("New experiment"), "flask", "ab test create add", "experiments.edit"),
    ("user_new", gettext_lazy("New user"), "user-plus", "invite add team member login", "users.manage"),
    ("key_new", gettext_lazy("New API key"), "key", "token create add", "users.manage"),
    ("report_new", gettext_lazy("New report of the overview"), "mail", "create add mail schedule", "reports.edit"),
    ("webhook_new", gettext_lazy("New webhook"), "webhook", "hook create add notify", "webhooks.manage"),
    ("account_key_new", gettext_lazy("New key of your own"), "key", "api token create add", "account.own"),
    ("segment_new", gettext_lazy("New segment"), "users-group", "rule create add", "segments.edit"),
    ("list_new", gettext_lazy("New static list"), "list-details", "segment create add", "segments.edit"),
    ("model_new", gettext_lazy("New stage model"), "stack-2", "create add copy", "stages.edit"),
    ("account_change_password", gettext_lazy("Change password"), "key", "account security", ""),
)


def pages(who: Any) -> list[Place]:
    """The pages `who` may open."""
    return _allowed(PAGES, who)


def named_pages(who: Any, *, besides: Collection[str] = ()) -> dict[str, Place]:
    """The pages `who` may open, and those of `besides`, by their URL names."""
    return {
        name: Place(str(title), reverse(name), icon)
        for name, title, icon, _words, permission in PAGES
        if not permission or name in besides or can(who, permission)
    }


def acts(who: Any) -> list[Place]:
    """What `who` may do from anywhere."""
    return _allowed(ACTS, who)


def stages(models: Sequence[Sorting]) -> list[Place]:
    """Each model's rules, and the customers in each stage of those that are live."""
    found = []
    for model in models:
        found.append(Place(model.name, reverse("model", args=[model.key]), "stack-2", _("stage model")))
        for stage in model.stages.values() if model.version is not None else ():
            query = urlencode({"model": model.key, "stage": stage.key})
            found.append(Place(stage.name, f"{reverse('customers')}?{query}", "", model.name, "stage", stage))
    return found


def accounts(found: Sequence[FoundAccount]) -> tuple[Place, ...]:
    """The pages of organisations."""
    return tuple(Place(one.known_as, reverse("account_one", args=[one.id]), "building", one.detail) for one in found)


def segments(found: Sequence[Sorting]) -> list[Place]:
    """The members of each segment."""
    customers = reverse("customers")
    return [
        Place(one.name, f"{customers}?{urlencode({'segment': one.key})}", "users-group", _("segment")) for one in found
    ]


def figures() -> list[Place]:
    """Every figure, on the page of metrics."""
    return [
        Place(str(one.name), f"{reverse('metrics')}#metric-{one.key}", "chart-histogram", str(one.group), one.key)
        for one in METRICS.values()
    ]


def matching(places: Iterable[Place], text: str, *, most: int) -> list[Place]:
    """The places in which every word of `text` begins a word, those whose title begins so first; all of them for an
    empty text."""
    words = folded(text).split()

    def rank(place: Place) -> int | None:
        said = folded(f"{place.title} {place.detail} {place.words}").replace("_", " ").replace("-", " ").split()
        if not all(any(known.startswith(word) for known in said) for word in words):
            return None
        return 0 if folded(place.title).startswith(folded(text)) else 1

    ranked = [(at, place) for place in places if (at := rank(place)) is not None]
    return [place for _rank, place in sorted(ranked, key=lambda one: one[0])][:most]


def _allowed(table: Sequence[tuple[str, Any, str, str, str]], who: Any) -> list[Place]:
    return [
        Place(str(title), reverse(name), icon, words=words)
        for name, title, icon, words, permission in table
        if not permission or can(who, permission)
    ]
