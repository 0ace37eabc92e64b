"""The pages that a report can hold. A page of figures becomes reportable by a line here: a function that tells what the
page says of a question (the query of its address) at an instant."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from clm.lib.questions import QuestionError

from ..pages import acquisition, experience, metrics, movement, overview, retention
from ..pages import support as support_page
from .blocks import Page
from .tellings.acquisition import acquisition_answered
from .tellings.experience import experience_answered
from .tellings.experiment import PARAMETER, experiment_address, experiment_told
from .tellings.in_frame import told_in_frame
from .tellings.metrics import metrics_told
from .tellings.movement import movement_told
from .tellings.overview import overview_told
from .tellings.retention import retention_told
from .tellings.spend import spend_told
from .tellings.support import support_answered
from .tellings.value import value_told


@dataclass(frozen=True, slots=True)
class View:
    """A page that can be reported. key: the name of its address; takes: the parameters it reads, of which `from` and
    `until` are filled in by a report about the last week or month; permission: who may see it; named: the path of a
    page that is one of many, of which the question says which."""

    key: str
    title: Any
    takes: Sequence[str]
    permission: str
    told: Callable[..., Page]
    named: Callable[[QueryDict], str] | None = None

    @property
    def has_period(self) -> bool:
        return "from" in self.takes

    def address(self, question: str) -> str:
        """Path and query of the page that is asked so."""
        if self.named is not None:
            return self.named(QueryDict(question))
        return f"{reverse(self.key)}?{question}"

    def page(self, question: str, *, now: datetime) -> Page:
        """What the page says; QuestionError or NotThereError for what cannot be answered (any more)."""
        return self.told(QueryDict(question), now=now)


VIEWS: dict[str, View] = {
    view.key: view
    for view in (
        View("overview", _("Overview"), overview.TAKES, "overview.view", overview_told),
        View("movement", _("Movement"), movement.TAKES, "overview.view", movement_told),
        View("metrics", _("Metrics"), metrics.TAKES, "metrics.view", metrics_told),
        View("retention", _("Retention"), retention.TAKES, "metrics.view", retention_told),
        View("value", _("Value"), (), "metrics.view", value_told),
        View(
            "acquisition",
            _("Acquisition"),
            acquisition.TAKES,
            "metrics.view",
            told_in_frame(
                name="acquisition", title=_("Acquisition"), takes=acquisition.SCOPED, answered=acquisition_answered
            ),
        ),
        View(
            "experience",
            _("Experience"),
            experience.TAKES,
            "metrics.view",
            told_in_frame(
                name="experience", title=_("Experience"), takes=experience.TAKES, answered=experience_answered
            ),
        ),
        View(
            "support",
            _("Support"),
            support_page.TAKES,
            "metrics.view",
            told_in_frame(name="support", title=_("Support"), takes=support_page.TAKES, answered=support_answered),
        ),
        View(
            "spend",
            _("Spend"),
            ("by", "channel", "campaign", "kind", "from", "until"),
            "campaigns.view",
            spend_told,
        ),
        View("experiment", _("Experiment"), (PARAMETER,), "experiments.view", experiment_told, experiment_address),
    )
}


def view_of(key: str) -> View:
    """The view of that name; QuestionError names the field `page`."""
    if key not in VIEWS:
        said = _now("A report holds pages of figures; choose one of %(known)s.") % {"known": ", ".join(VIEWS)}
        raise QuestionError("page", said)
    return VIEWS[key]
