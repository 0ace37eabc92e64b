"""Saying what the names of touchpoints mean: a change like any other. It is drafted as a new version of every model and
segment that can tell the difference, looked at, and published with them in one instant; the touchpoints themselves stay
as they are, because the role is looked up when rules are evaluated.

Where a name's messages say amounts, currencies, orders and products counts for what is stored, too: workers read the
amounts anew (`customers.rereading`). Campaigns and tickets count for what arrives from the publication on."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clm.lib.questions import ConflictError, Faults, QuestionError
from customers import locks
from customers.mapped_types import checked_mapping
from customers.models import TouchpointType
from customers.rereading import ask_to_reread, former_places, reads_otherwise

from .drafting import concerned_by_roles, redrafted, roles_with
from .models import Revision
from .present import Present

MOST = 200


@transaction.atomic
def remap(*, mappings: Mapping[str, Mapping[str, Any]], note: str = "", author: int | None = None) -> Revision:
    """Draft what names mean: {name: {"role", "reads"}}. QuestionError for a name that nobody has sent and for what is
    no mapping; ConflictError when every name means this already."""
    locks.own(locks.DRAFTING)
    if not 1 <= len(mappings) <= MOST:
        raise QuestionError("mappings", _("Map 1 to %(most)d names at once.") % {"most": MOST})
    known = {one.name: one for one in TouchpointType.objects.filter(name__in=list(mappings))}
    changed: dict[str, Any] = {}
    faults = Faults()
    for name, told in sorted(mappings.items()):
        with faults.noted():
            if name not in known:
                raise QuestionError("name", _("Nothing of the name “%(name)s” is known.") % {"name": name[:100]})
            wanted = checked_mapping(role=told.get("role", ""), reads=told.get("reads") or {})
            present = _present(known[name])
            if wanted != present:
                changed[name] = {**wanted, "was": present}
    faults.refuse()
    if not changed:
        raise ConflictError(_("It means this already; nothing would change."))
    revision = Revision.objects.create(mapping=changed, note=note, author_id=author)
    present_now = Present()
    for version in concerned_by_roles(roles=roles_with(changed)):
        redrafted(version=version, present=present_now, revision=revision, author=author)
    return revision


def map_back(*, revision: int, author: int | None = None) -> Revision:
    """Draft what the names of a published mapping meant before it."""
    found = Revision.objects.get(pk=revision)
    note = _("Back to what was before change %(number)d.") % {"number": revision}
    return remap(mappings={name: told["was"] for name, told in found.mapping.items()}, note=note, author=author)


def store_mapping(*, revisions: Iterable[Revision], now: datetime) -> None:
    """What names mean from now on, by the revisions that go live, the earlier ones first; each keeps what it replaced.
    The caller's transaction moves the versions with it."""
    for revision in revisions:
        anew: dict[str, dict[str, Any]] = {}
        for name, told in revision.mapping.items():
            found = TouchpointType.objects.select_for_update(no_key=True).get(name=name)
            told["was"] = _present(found)
            if reads_otherwise(now=told, before=told["was"]):
                anew[name] = {"role_before": found.role, "former": former_places(_ever(name))}
            found.role, found.reads, found.mapped_at = told["role"], told["reads"], now
            found.save(update_fields=["role", "reads", "mapped_at"])
        ask_to_reread(names=anew, change=revision.pk, author=revision.author_id, now=now)
        if revision.mapping:
            Revision.objects.filter(pk=revision.pk).update(mapping=revision.mapping)


def _ever(name: str) -> list[Mapping[str, Any]]:
    """What a name has meant under the changes that went live."""
    found = Revision.objects.filter(mapping__has_key=name).exclude(published_at=None).order_by("pk")
    return [one for told in found.values_list("mapping", flat=True) for one in (told[name]["was"], told[name])]


def _present(one: TouchpointType) -> dict[str, Any]:
    return {"role": one.role, "reads": one.reads}
