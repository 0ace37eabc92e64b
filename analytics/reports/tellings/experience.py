"""The page of experience, told: each survey with its score, how it went month by month, and what customers answered."""

from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.templatetags.numbers import number, percent
from clm.lib.templatetags.times import plain_date

from ...feedback import LEAST, Feedback, Survey, feedback
from ...pages import experience as page
from ...pages.asking import Question
from ..blocks import Block, Chart, Column, Definition, Table, Tile, Told, bars
from .in_frame import Answer


def experience_answered(_query: QueryDict, asked: Question) -> Answer:
    """What the page of experience says to a question."""
    found = feedback(scope=asked.scope)
    cells = tuple(page.experience_cells(found))
    surveys = [one for one in found.surveys if _is_anything(one)]
    if not surveys:
        return Answer((), cells, warnings=(_("Nobody has answered in this period or in the year before it."),))
    return Answer(
        tuple(block for one in surveys for block in _survey(found, one)),
        cells,
        ((_("Stage model"), str(found.model.name)),),
        definitions=tuple(Definition(str(one.kind.name), str(one.kind.definition)) for one in surveys),
    )


def _is_anything(one: Survey) -> bool:
    return bool(one.score.answers or one.response.asked or any(month.score.answers for month in one.months))


def _survey(found: Feedback, one: Survey) -> Iterable[Block]:
    told, kind = page.survey_shown(found, one), one.kind
    name, response = str(kind.name), one.response
    interval = ""
    if response.interval is not None:
        interval = _interval(_between(percent(response.interval[0]), percent(response.interval[1])))
    yield Block(
        name,
        tiles=(
            Tile(name, told["score"]["value"], note=_interval(told["score"]["between"])),
            Tile(_("Answers"), number(one.score.answers)),
            *(Tile(_capital(label), number(count)) for label, count, _url in told["groups"]),
            Tile(_("Response rate"), percent(response.rate), note=interval),
            *(Tile(_capital(label), number(count)) for label, count, _url in told["asked"] if response.asked),
        ),
        chart=_answers(name, told["steps"]),
        notes=_notes(one),
    )
    if one.score.answers:
        yield Block(
            _("%(name)s by the stage of customers when they answered") % {"name": name},
            table=_scores(
                _("Stage when they answered"),
                name,
                [(each["stage"].name if each["stage"] else _("in none"), "", each) for each in told["stages"]],
            ),
        )
    chart = told["chart"]
    yield Block(
        _("%(name)s month by month") % {"name": name},
        chart=Chart("lines", chart, chart["description"]) if chart else None,
        table=_scores(
            _("Month of"),
            name,
            [
                (plain_date(each["month"]), "" if each["is_over"] else _("not over yet"), each)
                for each in told["months"]
            ],
        ),
        notes=(
            _("The last answer of each customer in the month. A score of fewer than %(least)s answers is not told.")
            % {"least": LEAST},
        ),
    )


def _answers(name: str, steps: list[dict[str, Any]]) -> Chart | None:
    """How many customers gave each answer."""
    most = max(steps, key=lambda row: row["customers"])
    said = _("%(name)s: customers by their answer. Most often %(answer)s, by %(customers)s.") % {
        "name": name,
        "answer": most["label"],
        "customers": number(most["customers"]),
    }
    return bars([(row["label"], row["customers"], number(row["customers"])) for row in steps], said)


def _scores(corner: str, name: str, rows: list[tuple[str, str, dict[str, Any]]]) -> Table:
    columns = (Column(corner, is_number=False), *(Column(one) for one in (_("Answers"), name, _("95% interval"))))
    return Table(
        columns,
        tuple(
            (
                Told(label, note=note),
                Told(number(each["answers"]), is_number=True),
                Told(each["value"], is_number=True),
                Told(each["between"] or "–", is_number=True),
            )
            for label, note, each in rows
        ),
    )


def _notes(one: Survey) -> tuple[str, ...]:
    """Why something is not told, what counts nowhere, and by which method intervals are told."""
    kind, (low, high) = one.kind, one.kind.scale
    notes = [one.score.note] if one.score.note else []
    if one.response.note:
        notes.append(f"{_('Response rate')}: {one.response.note}")
    if one.off_scale:
        said = ngettext(
            "%(number)s answer is no whole number from %(low)s to %(high)s and counts nowhere.",
            "%(number)s answers are no whole numbers from %(low)s to %(high)s and count nowhere.",
            one.off_scale,
        )
        notes.append(said % {"number": number(one.off_scale), "low": low, "high": high})
    said = _("Scale %(low)s to %(high)s; the last answer of each customer in the period; 95 %% interval: %(interval)s.")
    return (*notes, said % {"low": low, "high": high, "interval": kind.interval})


def _between(low: str, high: str) -> str:
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _interval(between: str) -> str:
    return _("95%% interval %(between)s") % {"between": between} if between else ""


def _capital(label: Any) -> str:
    text = str(label)
    return text[:1].upper() + text[1:]
