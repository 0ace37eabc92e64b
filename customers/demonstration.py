"""Customers that are nobody's own: those of the demo, and simulated ones. Real orders beside them are seldom meant."""

from django.db.models import Exists, OuterRef, Q
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from .models import Source, Touchpoint
from .online_retail import MAPPING
from .order_mapping import OrderMapping


def demonstration_sources(*, beside: str) -> list[Source]:
    """The demo and the simulators that have sent touchpoints, as far as orders of the source `beside` (its key) come to
    stand among their customers: none where that is one of them itself. One query."""
    told = Touchpoint.objects.filter(source=OuterRef("pk"))
    demo = Q(key=OrderMapping.load(MAPPING).source_key)
    found = list(Source.objects.filter(Exists(told), demo | Q(is_simulated=True)).order_by("pk"))
    return [] if beside in {source.key for source in found} else found


def said_beside(sources: list[Source]) -> str:
    """What somebody is told whose data stand among those customers; "" where there are none."""
    if not sources:
        return ""
    return _(
        "The customers of %(sources)s are in this installation. What you bring in stands beside them, in the same "
        "lists and figures, and cannot be told apart by a filter afterwards. For your data alone start over without "
        "the demo: make reset, then make run DEMO=0."
    ) % {"sources": get_text_list([source.name for source in sources], _("and"))}
