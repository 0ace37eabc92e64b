"""The question of a page in a report: in words, and without dates that would make every mail tell the same past."""

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.models import Experiment
from clm.lib.periods import PRESETS
from lifecycle.models import Segment

from ..attribution.declared import GOALS, MODELS
from ..cohorts import BEGINNINGS, ENTRY, MODES, UNITS
from ..metrics import BASIS_NAMES
from ..pages.acquisition import LAG_NAMES
from ..pages.dates import DATES, TIMES
from ..pages.retention import SHOWS
from ..paths import KINDS
from ..scope import COMPARISONS
from .spans import ASKED, SPANS

_PAST = (*DATES, *TIMES.values())
_PERIOD = ("period", "from", "until")


def without_dates(question: str) -> tuple[str, bool]:
    """The question without the instant it is seen from, and whether it had one."""
    query = QueryDict(question, mutable=True)
    had = [query.pop(name) for name in _PAST if name in query]
    return (query.urlencode(), True) if had else (question, False)


def question_said(question: str, *, span: str = ASKED) -> str:
    """What a page of a report is asked each time, in words: the period that goes along with time in the place of its
    own, then the rest of the question."""
    query = QueryDict(question)
    said = []
    if span != ASKED:
        said.append(str(SPANS[span][0]))
    elif query.get("from") or query.get("until"):
        days = {"first": query.get("from") or "…", "until": query.get("until") or "…"}
        said.append(_("%(first)s until %(until)s, each time the same days") % days)
    elif query.get("period"):
        key = query["period"]
        said.append(str(PRESETS[key][1]) if key in PRESETS else key)
    skipped = (*_PERIOD, *(() if span == ASKED else _PAST))
    said += [_said(name, value) for name, values in query.lists() if name not in skipped for value in values if value]
    return " · ".join(said)


def _said(name: str, value: str) -> str:
    """One choice in the words of the page; as it stands in the address where the page has none for it."""
    if name == "window" and value.isdecimal() and len(value) < 5:
        days = int(value)
        return ngettext("within %(count)d day", "within %(count)d days", days) % {"count": days}
    sentence, words = _WORDS.get(name, ("", {}))
    if value in words:
        return str(sentence) % {"value": words[value]}
    named = {"segment": _("among %(name)s"), "versus": _("compared with %(name)s")}.get(name)
    if name == "by" and value.startswith(ENTRY):
        named, value = _("by first entry into %(name)s"), value.removeprefix(ENTRY)
    if name == "experiment":
        asked_about = Experiment.objects.filter(key=value).first()
        return asked_about.name if asked_about is not None else f"{name}: {value}"
    found = Segment.objects.filter(key=value).first() if named else None
    return str(named) % {"name": found.name} if named and found else f"{name}: {value}"


# By parameter, the sentence that names a choice, and the words of its choices.
_WORDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "goal": ("%(value)s", GOALS),
    "basis": (gettext_lazy("costs on: %(value)s"), BASIS_NAMES),
    "attribution": (gettext_lazy("credited by %(value)s"), {key: model.name for key, model in MODELS.items()}),
    "lag": ("%(value)s", {str(key): name for key, name in LAG_NAMES.items()}),
    "compare": (gettext_lazy("compared with %(value)s"), COMPARISONS),
    "by": (gettext_lazy("by %(value)s"), {key: label for key, (label, _roles) in BEGINNINGS.items()}),
    "unit": (gettext_lazy("each a %(value)s"), {key: label for key, (label, _count) in UNITS.items()}),
    "mode": (gettext_lazy("who ordered %(value)s"), MODES),
    "show": (gettext_lazy("shown as %(value)s"), SHOWS),
    "paths": (gettext_lazy("ways by %(value)s"), KINDS),
    "lines": ("%(value)s", {"all": gettext_lazy("all lines"), "products": gettext_lazy("products only")}),
}
