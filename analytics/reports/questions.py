"""The question of a page in a report: in words, and without dates that would make every mail tell the same past."""

from django.http import QueryDict
from django.utils.translation import gettext as _

from clm.lib.periods import PRESETS

from ..pages.dates import DATES, TIMES
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
    said += [f"{name}: {value}" for name, values in query.lists() if name not in skipped for value in values if value]
    return " · ".join(said)
