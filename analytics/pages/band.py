"""Lays the spells of a life out on one line, in percent of its length, for templates/parts/band.html.

The line runs from the beginning of life to a little past now, so that the next change by time alone can be seen
coming. It knows nothing of the database: spells in, places out.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from babel.dates import format_timedelta
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.customer_stages import NextChange
from analytics.sorting import ModelRef, StageRef
from analytics.spells import Spell
from clm.lib.locales import reader_locale
from clm.lib.templatetags.times import day_text, plain_date


@dataclass(frozen=True, slots=True)
class Hand:
    """A stage set by hand on [from_at, until_at)."""

    stage: str
    from_at: dt.datetime
    until_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Life:
    """The spells of one customer in one model, oldest first, what comes next, and what was set by hand."""

    model: ModelRef
    spells: Sequence[Spell]
    next: NextChange | None
    hands: Sequence[Hand] = ()


# Below this share of the line a spell is too small to be clicked on a telephone (24 of 340 pixels).
CLICKABLE = 0.075
MOST_MARKS = 400
# A line of more spells than this draws those as one that follow each other and are narrower than this share of it: some
# hundred are drawn at most, however often somebody changes stage, and the narrowest is a few pixels wide.
MOST_SPELLS, TOLD_APART = 60, 0.01


@dataclass(frozen=True)
class DrawnSpell:
    stage: StageRef
    start_percent: str
    width_percent: str
    sentence: str
    entered_text: str
    slim: bool
    ahead: bool
    chosen: bool
    by_hand: bool = False


@dataclass(frozen=True)
class DrawnLine:
    model: ModelRef
    spells: list[DrawnSpell]


@dataclass(frozen=True)
class Tick:
    at: str
    label: str
    edge: str


@dataclass(frozen=True)
class DrawnBand:
    lines: list[DrawnLine]
    ticks: list[Tick]
    marks: list[str]
    marks_sentence: str
    now_percent: str
    sees_ahead: bool
    is_past: bool = False


def _percent(share: float) -> str:
    return f"{100 * share:.3f}%"


def _end_of_line(*, start: dt.datetime, now: dt.datetime, changes: Sequence[NextChange | None]) -> dt.datetime:
    """Now, or past the first coming change, but never more than a quarter of the life so far."""
    coming = [change.at - now for change in changes if change is not None and change.at > now]
    if not coming:
        return now
    life = max(now - start, dt.timedelta(days=1))
    return now + min(max(min(coming) * 1.3, life * 0.05), life * 0.25)


def _sentence(stage: StageRef, entered: dt.datetime, left: dt.datetime | None, now: dt.datetime) -> str:
    lasted = format_timedelta((left or now) - entered, threshold=1, locale=reader_locale())
    words = {"stage": stage.name, "start": plain_date(entered), "end": plain_date(left), "lasted": lasted}
    if left is None:
        return _("%(stage)s since %(start)s (%(lasted)s)") % words
    return _("%(stage)s from %(start)s until %(end)s (%(lasted)s)") % words


def _sentence_of_several(longest: StageRef, run: Sequence[Spell], now: dt.datetime) -> str:
    """What is said of spells that are drawn as one."""
    words = {
        "count": len(run),
        "start": plain_date(run[0].entered),
        "end": plain_date(run[-1].left or now),
        "stage": longest.name,
    }
    return _("%(count)s stays from %(start)s until %(end)s, the longest in %(stage)s") % words


def _is_set(spell: Spell, hand: Hand) -> bool:
    """Whether the stage of this spell was set by that hand, for any part of it."""
    return (
        hand.stage == spell.stage.key
        and (spell.left is None or hand.from_at < spell.left)
        and (hand.until_at is None or hand.until_at > spell.entered)
    )


def _runs(spells: Sequence[Spell], *, now: dt.datetime, apart: dt.timedelta) -> list[list[Spell]]:
    """The spells in what is drawn as one: each by itself unless they are many; then short ones together, up to the
    length `apart`."""
    if len(spells) <= MOST_SPELLS:
        return [[spell] for spell in spells]
    runs: list[list[Spell]] = []
    begun: dt.datetime | None = None  # where a run began that short spells may still join
    for spell in spells:
        left = spell.left or now
        if begun is not None and left - begun < apart:
            runs[-1].append(spell)
        else:
            runs.append([spell])
            begun = spell.entered if left - spell.entered < apart else None
    return runs


def _ticks(start: dt.datetime, end: dt.datetime, now: dt.datetime) -> list[Tick]:
    """A few dates along the line, none so near to now that it would run into the word today."""
    first, last = timezone.localtime(start).date(), timezone.localtime(end).date()
    days = max((last - first).days, 1)
    zone = timezone.get_current_timezone()
    months = next((step for step in (1, 2, 3, 6, 12, 24, 60) if days / 30.4 / step <= 7), 120)
    dates = []
    if days < 75:
        step = max(1, days // 6)
        dates = [first + dt.timedelta(days=n) for n in range(0, days, step)]
    else:
        index = (first.year * 12 + first.month - 1) // months * months + months
        while (day := dt.date(index // 12, index % 12 + 1, 1)) < last:
            dates.append(day)
            index += months
    pattern = "d MMM" if days < 75 else ("y" if months % 12 == 0 else "MMM y")
    ticks = []
    for day in dates:
        share = (dt.datetime.combine(day, dt.time(), zone) - start) / (end - start)
        if 0 <= share <= (now - start) / (end - start) - 0.14:
            label = day_text(day, pattern)
            ticks.append(Tick(_percent(share), label, "edge-start" if share < 0.08 else ""))
    return ticks


def drawn_band(
    *,
    lives: Sequence[Life],
    life_start: dt.datetime,
    now: dt.datetime,
    marks: Sequence[dt.datetime] = (),
    chosen: dt.datetime | None = None,
    chosen_model: str = "",
    is_past: bool = False,
) -> DrawnBand:
    """One line per model over [life_start, now], and a little beyond if something is due by time alone.

    `marks` are instants of orders drawn below; `chosen` is the instant whose reasons are on the page,
    `chosen_model` the model they are of (empty: every one); `is_past`: `now` is an instant of the past.
    """
    start = min(life_start, now - dt.timedelta(minutes=1))
    end = _end_of_line(start=start, now=now, changes=[life.next for life in lives])
    whole = end - start

    def place(entered: dt.datetime, left: dt.datetime) -> tuple[float, float]:
        a = max((entered - start) / whole, 0.0)
        return a, max(min((left - start) / whole, 1.0) - a, 0.0)

    lines = []
    for life in lives:
        drawn = []
        for run in _runs(life.spells, now=now, apart=TOLD_APART * whole):
            entered, left = run[0].entered, run[-1].left
            at, width = place(entered, left or now)
            longest = max(run, key=lambda spell: (spell.left or now) - spell.entered).stage
            by_hand = any(_is_set(spell, hand) for spell in run for hand in life.hands)
            sentence = (
                _sentence(longest, entered, left, now) if len(run) == 1 else _sentence_of_several(longest, run, now)
            )
            drawn.append(
                DrawnSpell(
                    stage=longest,
                    start_percent=_percent(at),
                    width_percent=_percent(width),
                    sentence=_("%(sentence)s, set by hand") % {"sentence": sentence} if by_hand else sentence,
                    by_hand=by_hand,
                    entered_text=entered.isoformat(),
                    slim=width < CLICKABLE,
                    ahead=False,
                    chosen=chosen is not None
                    and chosen_model in ("", life.model.key)
                    and entered <= chosen
                    and (left is None or chosen < left),
                )
            )
        if life.spells and end > now:
            coming = life.next if life.next is not None and life.next.at > now else None
            border = min(coming.at, end) if coming else end
            named = drawn[-1].slim
            drawn.append(_ahead(life.spells[-1].stage, *place(now, border), now, coming, named=named))
            if coming is not None and coming.at < end:
                drawn.append(_ahead(coming.stage, *place(coming.at, end), coming.at, None, named=True))
        lines.append(DrawnLine(life.model, drawn))
    shown = list(marks)[-MOST_MARKS:]
    count = len(marks)
    return DrawnBand(
        lines=lines,
        ticks=_ticks(start, end, now),
        marks=[_percent((mark - start) / whole) for mark in shown if start <= mark <= end],
        marks_sentence=ngettext("%(count)s order over the whole life", "%(count)s orders over the whole life", count)
        % {"count": count},
        now_percent=_percent((now - start) / whole),
        sees_ahead=end > now,
        is_past=is_past,
    )


def _ahead(
    stage: StageRef, at: float, width: float, entered: dt.datetime, coming: NextChange | None, *, named: bool
) -> DrawnSpell:
    """A spell that time alone brings. named: its name is written on it if there is room; not where the spell that it
    goes on from says it already."""
    words = {"stage": stage.name, "start": plain_date(entered), "end": plain_date(coming.at if coming else None)}
    text = (
        _("%(stage)s until %(end)s, if nothing else happens")
        if coming
        else _("%(stage)s from %(start)s, if nothing else happens")
    )
    return DrawnSpell(
        stage, _percent(at), _percent(width), text % words, "", not named or width < CLICKABLE, True, False
    )
