"""The versions of a stage model or a segment: what each said, and in what two of them differ."""

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clm.lib.questions import NotThereError
from lifecycle.models import Version

from .row_pages import row_page
from .sorting import Sorting
from .stage_rules import NamedRule, StageRule, stage_rules

MOST = 200  # versions that one is offered to be held against
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


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A page of versions with the cursors of its neighbours, None where there are none. matching: how many there are,
    where this page is not all of them."""

    rows: tuple[VersionRow, ...]
    next_cursor: str | None
    previous_cursor: str | None
    matching: int | None


def version_page(*, sorting: Sorting, cursor: str | None = None) -> VersionPage:
    """A page of the versions of a model or segment, last first."""
    found = row_page(_versions(sorting), order=("-number", "pk"), cursor=cursor)
    count = None if found.is_whole else _versions(sorting).count()
    return VersionPage(tuple(map(_row, found.rows)), found.next_cursor, found.previous_cursor, count)


def others_of(
    *, sorting: Sorting, number: int, against: int | None = None
) -> tuple[tuple[VersionRow, ...], int | None]:
    """The other versions that one can be held against, last first, and the number of the one it is: `against`, else
    what is live, or for that itself what was before it; None where there is no other. NotThereError when `against` is
    no other version."""
    found = _versions(sorting).exclude(number=number)
    shown = list(found.order_by("-number")[:MOST])
    wishes = (
        [found.filter(number=against)]
        if against is not None
        else [found.filter(state=Version.State.LIVE), found.filter(number__lt=number).order_by("-number")]
    )
    chosen = _first_in(shown, number, against)
    if chosen is None and (len(shown) == MOST or against is not None):
        chosen = next((one for wish in wishes if (one := wish.first()) is not None), None)
        shown += [chosen] if chosen is not None else []
    if chosen is None and against is not None:
        raise NotThereError(f"{sorting.key} has no other version {against}")
    return tuple(map(_row, shown)), None if chosen is None else chosen.number


def _first_in(shown: Sequence[Version], number: int, against: int | None) -> Version | None:
    if against is not None:
        return next((one for one in shown if one.number == against), None)
    live = next((one for one in shown if one.state == Version.State.LIVE), None)
    # What is live may be older than all that are shown.
    return live if live or len(shown) == MOST else next((one for one in shown if one.number < number), None)


def _versions(sorting: Sorting) -> QuerySet[Version]:
    return Version.objects.filter(subject=sorting.id).select_related("author").defer("document", "definitions")


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
