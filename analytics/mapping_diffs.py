"""What a change says of names that sources send, held against what they meant before it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Sum

from customers.mapped_types import READS
from customers.models import Role, TouchpointType
from lifecycle.models import Revision

from .models import Seen


@dataclass(frozen=True, slots=True)
class MappingDiff:
    """What a change says of one name that sources send. role, role_before: its roles; reads, reads_before: by what is
    read from a place of its own, that place; type: its number; touchpoints: how many of the name are stored."""

    type: int
    name: str
    role: str
    role_before: str
    reads: Mapping[str, str]
    reads_before: Mapping[str, str]
    touchpoints: int

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
            )
        )
    return tuple(found)
