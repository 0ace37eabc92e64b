"""What a change says of names that sources send, held against what they meant before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from clm.lib import sql
from customers.mapped_types import READS, MappedType
from customers.models import Installation, Role, Touchpoint, TouchpointType
from customers.rereading import Reader, Stored, exact, message_sources, reads_otherwise
from lifecycle.models import Revision

from .models import Seen

# Of so many touchpoints of a name, those that arrived last, the amounts are read beforehand.
LOOKED_AT = 200
_ARRIVED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AmountsAhead:
    """What would become of the amounts of the touchpoints of a name that arrived last. turned: their sign would be
    another; fresh: they would have an amount for the first time; other: another amount; before, after: their sums, in
    minor units of the reporting currency."""

    looked_at: int
    turned: int
    fresh: int
    other: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class MappingDiff:
    """What a change says of one name that sources send. role, role_before: its roles; reads, reads_before: by what is
    read from a place of its own, that place; type: its number; touchpoints: how many of the name are stored; amounts:
    what would become of stored ones, None where they are read as before or are read anew already."""

    type: int
    name: str
    role: str
    role_before: str
    reads: Mapping[str, str]
    reads_before: Mapping[str, str]
    touchpoints: int
    amounts: AmountsAhead | None = None

    @property
    def amounts_said(self) -> str:
        """What would become of stored amounts, in a sentence."""
        if self.amounts is None:
            return ""
        told = (
            (self.amounts.turned, _("%(n)d would be turned")),
            (self.amounts.fresh, _("%(n)d would have one for the first time")),
            (self.amounts.other, _("%(n)d would be others")),
        )
        said = ", ".join(words % {"n": count} for count, words in told if count) or _("none would change")
        return _("Of the amounts of the %(count)d that arrived last, %(said)s.") % {
            "count": self.amounts.looked_at,
            "said": said,
        }

    @property
    def role_name(self) -> str:
        return str(Role(self.role).label)

    @property
    def role_name_before(self) -> str:
        return str(Role(self.role_before).label)

    @property
    def places(self) -> tuple[tuple[str, str, str], ...]:
        """What is read from another place than before: (what, before, after); "" is where everybody says it."""
        return tuple(
            (key, self.reads_before.get(key, ""), self.reads.get(key, ""))
            for key in READS
            if self.reads_before.get(key) != self.reads.get(key)
        )


def mapping_diffs(revision: Revision) -> tuple[MappingDiff, ...]:
    """What a change says of names; while it is not live, held against what they mean now."""
    types = {one.name: one for one in TouchpointType.objects.filter(name__in=list(revision.mapping))}
    stored = dict(
        Seen.objects.filter(type__in=[one.pk for one in types.values()])
        .values_list("type")
        .annotate(sum=Sum("touchpoints"))
    )
    found = []
    for name, told in revision.mapping.items():
        one, was = types[name], told["was"]
        if revision.published_at is None:
            was = {"role": one.role, "reads": one.reads}
        found.append(
            MappingDiff(
                type=one.pk,
                name=name,
                role=told["role"],
                role_before=was["role"],
                reads=told["reads"],
                reads_before=was["reads"],
                touchpoints=stored.get(one.pk, 0),
                amounts=_ahead(one, told, was) if revision.published_at is None else None,
            )
        )
    return tuple(found)


def _ahead(one: TouchpointType, told: Mapping[str, Any], was: Mapping[str, Any]) -> AmountsAhead | None:
    if not reads_otherwise(now=told, before=was):
        return None
    reporting, sources = Installation.current().currency, message_sources()
    reader = Reader(one.name, MappedType(told["role"], told["reads"]), was["role"], reporting, (was["reads"],))
    turned = fresh = other = before = after = 0
    touchpoints = _last(one.pk)
    for each in touchpoints:
        stored = Stored(each.amount, each.original_amount, each.currency, each.order_ref, each.flags)
        found = reader.read(
            stored,
            at=each.occurred_at,
            properties=exact(each.properties),
            fallback=sources.get(each.source_id) or reporting,
            is_message=each.source_id in sources,
        )
        now = each.amount if found is None else found.amount
        before, after = before + (each.amount or 0), after + (now or 0)
        if now == each.amount or now is None:
            continue
        if each.amount is None:
            fresh += 1
        elif now == -each.amount:
            turned += 1
        else:
            other += 1
    return AmountsAhead(len(touchpoints), turned, fresh, other, before, after)


def _last(number: int) -> list[Touchpoint]:
    """Some touchpoints of a type that arrived last: no index knows a type, but the minute in which it arrived last is
    known."""
    last = Seen.objects.filter(type=number).aggregate(last=Max("received_at"))["last"]
    if last is None:
        return []
    ids = sql.rows("analytics/type_touchpoints", type=number, since=last - _ARRIVED, until=last, most=LOOKED_AT)
    return list(Touchpoint.objects.filter(pk__in=[one for (one,) in ids]))
