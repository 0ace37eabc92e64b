"""What is asked of acquisition beside its scope: which attribution, over how many days, and whose spend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from clm.lib.questions import QuestionError

from .attributed import Attribution
from .attribution.declared import DEFAULT_MODEL, GOALS, LONGEST_WINDOW, MODELS, WINDOWS

LAGS = (0, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which attribution, and how many months before customers were won their spend is looked for."""

    attribution: Attribution = field(default_factory=Attribution)
    lag: int = LAGS[0]

    def __post_init__(self) -> None:
        if self.lag not in LAGS:
            raise QuestionError("lag", f"lag is one of {', '.join(map(str, LAGS))}")


def parsed_asked(given: Mapping[str, str]) -> Asked:
    """What parameters ask for; QuestionError names the first that cannot be used. An empty one is not given."""
    text = given.get("window") or str(WINDOWS[0])
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= LONGEST_WINDOW):
        said = _("Write a whole number of days from 1 to %(most)s.") % {"most": LONGEST_WINDOW}
        raise QuestionError("window", said)
    lag = _chosen(given, "lag", [str(one) for one in LAGS])
    goal, model = _chosen(given, "goal", list(GOALS)), given.get("attribution") or DEFAULT_MODEL
    if model not in MODELS:
        raise QuestionError("attribution", _("Choose one of %(known)s.") % {"known": ", ".join(MODELS)})
    return Asked(Attribution(model, int(text), goal), int(lag))


def _chosen(given: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """One of some choices, the first where nothing is given."""
    text = given.get(name) or choices[0]
    if text not in choices:
        raise QuestionError(name, _("Choose one of %(known)s.") % {"known": ", ".join(choices)})
    return text
