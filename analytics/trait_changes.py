"""What became known of how a customer is called and reached, and when it changed: read from the history of traits, so
that a timeline shows an edit like everything else that happened. No touchpoint is made of it: to correct a name is not
to have met somebody."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from customers.models import Trait

# What is shown of, and what each is called at the beginning of a sentence.
SHOWN = {
    "name": _("Name"),
    "email": _("E-mail address"),
    "phone": _("Telephone number"),
    "external_id": _("External id"),
}
# A customer whose address is told anew all the time by some machine is no reason for a slow page.
MOST = 500


@dataclass(frozen=True, slots=True)
class TraitChange:
    """One step of a trait. was, became: "" for nothing."""

    at: datetime
    key: str
    was: str
    became: str

    @property
    def label(self) -> str:
        """What it is about, in people's words."""
        return str(SHOWN[self.key])


def trait_changes(
    *, profiles: Sequence[int], as_of: datetime | None = None, known_at: datetime | None = None
) -> tuple[TraitChange, ...]:
    """The steps of SHOWN over all profiles in which the value changed, until `as_of` and as far as they were known at
    `known_at` (None: now), the latest first; one query."""
    told = Trait.objects.filter(profile__in=list(profiles), key__in=list(SHOWN))
    if as_of is not None:
        told = told.filter(set_at__lte=as_of)
    if known_at is not None:
        told = told.filter(recorded_at__lte=known_at)
    steps = told.order_by("-set_at", "-pk").values_list("set_at", "key", "value")[:MOST]
    now = dict.fromkeys(SHOWN, "")
    found = []
    for at, key, value in reversed(steps):
        said = "" if value is None else str(value)
        if said != now[key]:
            found.append(TraitChange(at, key, now[key], said))
            now[key] = said
    return tuple(reversed(found))


def worth_telling(
    changes: Sequence[TraitChange], *, touched: Collection[datetime], since: datetime | None, until: datetime | None
) -> list[TraitChange]:
    """The changes within [since, until) that no touchpoint tells already: what is told of somebody for the first time
    at an instant of `touched`, as by a sign-up or an order, is that touchpoint's news."""
    return [
        one
        for one in changes
        if (since is None or one.at >= since)
        and (until is None or one.at < until)
        and (one.was or one.at not in touched)
    ]
