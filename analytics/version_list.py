"""The versions of a stage model or a segment: what each said, and in what two of them differ."""

import difflib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from clm.lib.questions import NotThereError
from lifecycle.models import Version

from .sorting import Sorting
from .stage_rules import NamedRule, StageRule, stage_rules

MOST = 200
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version: by whom it was drafted, when it went live, and until when it was; change: its revision."""

    number: int
    state: str
    created_at: datetime
    published_at: datetime | None
    retired_at: datetime | None
    author: str
    note: str
    change: int | None


@dataclass(frozen=True, slots=True)
class VersionText:
    """A version with everything it says. document: the rules and the named rules they mention, as indented JSON."""

    row: VersionRow
    lapse_days: int
    time_zone: str
    tzdata: str
    stages: tuple[StageRule, ...]
    named: tuple[NamedRule, ...]
    document: str

    @property
    def ranked(self) -> tuple[StageRule, ...]:
        """The stages with a rule, the one that counts first leading."""
        return tuple(sorted((one for one in self.stages if one.precedence), key=lambda one: one.rank))


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of two versions side by side; `field` is empty, as the part for comparisons wants it."""

    label: str
    left: str
    right: str
    field: str = ""

    @property
    def differs(self) -> bool:
        return self.left != self.right


def versions(*, sorting: Sorting) -> tuple[VersionRow, ...]:
    """The versions of a model or segment, last first, at most 200."""
    found = Version.objects.filter(subject=sorting.id).select_related("author").defer("document", "definitions")
    return tuple(_row(version) for version in found.order_by("-number")[:MOST])


def version_text(*, sorting: Sorting, number: int) -> VersionText:
    """What a version says; NotThereError when there is none of that number."""
    version = None
    if number <= _LARGEST:
        version = Version.objects.filter(subject=sorting.id, number=number).select_related("author").first()
    if version is None:
        raise NotThereError(f"{sorting.key} has no version {number}")
    rules = stage_rules(sorting=replace(sorting, version=version.pk))
    return VersionText(
        row=_row(version),
        lapse_days=version.lapse_days,
        time_zone=version.time_zone,
        tzdata=version.tzdata,
        stages=rules.stages,
        named=rules.named,
        document=written({"rules": version.document, "named": version.sub_rules}),
    )


def compared(*, left: VersionText, right: VersionText) -> tuple[Compared, ...]:
    """Every stage (highest precedence first), every named rule and whatever else decides, of two versions."""
    rows = [
        *_side_by_side(
            {one.stage.name: _said(one) for one in left.ranked},
            {one.stage.name: _said(one) for one in right.ranked},
        ),
        *_side_by_side(
            {_("named rule “%(name)s”") % {"name": one.name}: one.sentence for one in left.named},
            {_("named rule “%(name)s”") % {"name": one.name}: one.sentence for one in right.named},
        ),
        Compared(_("L, in days"), str(left.lapse_days), str(right.lapse_days)),
        Compared(_("Calendar days in"), left.time_zone, right.time_zone),
    ]
    return tuple(rows)


def document_difference(*, left: VersionText, right: VersionText) -> str:
    """What differs between the documents of two versions, line by line; "" when nothing does."""
    return "\n".join(
        difflib.unified_diff(
            left.document.splitlines(),
            right.document.splitlines(),
            _("version %(number)d") % {"number": left.row.number},
            _("version %(number)d") % {"number": right.row.number},
            lineterm="",
        )
    )


def written(document: Any) -> str:
    """A document as people read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def _row(version: Version) -> VersionRow:
    return VersionRow(
        number=version.number,
        state=version.state,
        created_at=version.created_at,
        published_at=version.published_at,
        retired_at=version.retired_at,
        author=str(version.author) if version.author else "",
        note=version.note,
        change=version.revision_id,
    )


def _said(one: StageRule) -> str:
    return _("%(rank)d. %(sentence)s") % {"rank": one.rank, "sentence": one.sentence}


def _side_by_side(left: dict[str, str], right: dict[str, str]) -> list[Compared]:
    return [Compared(label, left.get(label, "–"), right.get(label, "–")) for label in {**right, **left}]
