"""The page of an experiment, told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clm.lib.periods import zone_of
from clm.lib.questions import QuestionError
from clm.lib.templatetags.numbers import number, percent
from clm.lib.templatetags.times import plain_date

from ...experiments.ahead import instant_shown
from ...experiments.ending import Outcome, outcome
from ...pages.experiment_told import cells_of, told
from ...pages.experiments import STATES, found_experiment
from ..blocks import Block, Column, Page, Table, Told, table_of
from ..scopes import reporting, sources_said

PARAMETER = "experiment"


def experiment_address(query: QueryDict) -> str:
    """The page of the experiment that a question names."""
    return reverse("experiment", args=[_key(query)])


def experiment_told(query: QueryDict, *, now: datetime) -> Page:
    """What the page of an experiment says."""
    one = found_experiment(_key(query))
    found = outcome(experiment=one, as_of=instant_shown(one, now=now))
    shown = told(found)
    blocks: tuple[Block, ...] = ()
    if found.counting is None:
        blocks = tuple(block for pair in shown["metrics"] for block in _metric(pair, is_over=one.ended_at is not None))
    return Page(
        one.name,
        experiment_address(query),
        _scope(found),
        (_assigned(found, shown), *blocks),
        sources=sources_said(),
        warnings=_warnings(found, shown),
        cells=tuple(cells_of(found)),
    )


def _key(query: QueryDict) -> str:
    key = query.get(PARAMETER) or ""
    if not key:
        raise QuestionError(PARAMETER, _("Say which experiment the page is about."))
    return key


def _scope(found: Outcome) -> tuple[tuple[str, str], ...]:
    one = found.told.experiment
    return (
        (_("Experiment"), f"{one.name} ({STATES[one.state]})"),
        (_("As told when it ended"), _moment(found.told_at))
        if found.told_at is not None
        else (_("As of"), _moment(found.told.as_of)),
        (_("Time zone"), reporting().time_zone),
        (_("Among"), str(one.audience.name) if one.audience else _("everybody")),
        (_("Judged"), str(one.get_mode_display())),
        (_("Planned"), ngettext("%(n)s customer", "%(n)s customers", one.planned) % {"n": number(one.planned)}),
    )


def _moment(at: datetime) -> str:
    local = at.astimezone(zone_of(reporting().time_zone))
    return f"{plain_date(local.date())}, {local:%H:%M}"


def _assigned(found: Outcome, shown: Mapping[str, Any]) -> Block:
    title, verdict = _("Who was given what"), str(shown["verdict"])
    if found.counting is not None:
        return Block(title, about=verdict)
    rows = [
        [
            row["variant"].key,
            number(row["variant"].weight),
            percent(row["share"]),
            number(row["count"]),
        ]
        for row in shown["assigned"]
    ]
    if found.told.conflicting:
        rows.append([_("in two variants, after merges"), "", "", number(found.told.conflicting)])
    notes = [_("Everybody counts as assigned, whatever reached them.")]
    if found.told.ratio.p is not None:
        said = _("Shares as meant would be this far off or further with a probability of %(p)s (chi-square).")
        notes.append(said % {"p": f"{found.told.ratio.p:.4f}"})
    if found.agrees and found.recounted_at is not None:
        notes.append(_("Counted anew, %(at)s, it says the same.") % {"at": _moment(found.recounted_at)})
    names = [_("Variant"), _("Weight"), _("Share meant"), _("Customers")]
    about = "\n".join(filter(None, (found.told.experiment.hypothesis, verdict)))
    return Block(title, about=about, table=table_of(names, rows), notes=tuple(notes))


def _warnings(found: Outcome, shown: Mapping[str, Any]) -> tuple[str, ...]:
    if found.since is None:
        return (str(shown["verdict"]),) if found.told.verdict == "blocked" else ()
    said = _("Counted anew today it says something else; what it told when it ended stands first.")
    return (" ".join((said, *shown["since"])),)


def _metric(pair: Mapping[str, Any], *, is_over: bool) -> list[Block]:
    row, title = pair["told"], pair["told"]["title"]
    blocks = [*_tables(row, title, _notes(row, is_over=is_over))]
    if pair["today"] is not None:
        blocks += _tables(pair["today"], _("%(title)s, counted anew") % {"title": title}, ())
    return blocks


def _notes(row: Mapping[str, Any], *, is_over: bool) -> tuple[str, ...]:
    notes = []
    if row["is_gone"]:
        notes.append(
            _("What was to be reached is there no more, so nobody can be counted anew; this is what was told.")
        )
    if row["waiting"]:
        of = {"number": number(row["waiting"])}
        if is_over:
            said = _("Customers left out, since it was ended before their days were over: %(number)s.")
        else:
            said = _("Customers left out so far, since their days are not over: %(number)s.")
        notes.append(said % of)
    return tuple(notes)


def _tables(row: Mapping[str, Any], title: str, notes: tuple[str, ...]) -> list[Block]:
    is_money = row["is_money"]
    counted = Table(
        (
            Column(_("Variant"), is_number=False),
            Column(_("Counted")),
            Column(_("With revenue") if is_money else _("Did it")),
            Column(_("Per customer") if is_money else _("Share")),
            Column(_("95% interval")),
        ),
        tuple(
            (
                Told(each["variant"].key),
                Told(number(each["counted"]), is_number=True),
                Told(number(each["converted"]), is_number=True),
                Told(str(each["mean"]), is_number=True),
                Told(str(each["between"] or "–"), is_number=True),
            )
            for each in row["variants"]
        ),
    )
    against = Table(
        (
            Column(_("Against the control"), is_number=False),
            Column(_("Difference")),
            Column(_("Relative lift")),
            *((Column(_("Difference with CUPED")),) if is_money else ()),
            Column(_("p (Holm)")),
            Column(_("Verdict"), is_number=False),
        ),
        tuple(
            (
                Told(each["variant"].key),
                Told(str(each["difference"]), is_number=True, note=str(each["between"])),
                Told(str(each["lift"]), is_number=True, note=str(each["lift_between"])),
                *((_explained(each["explained"]),) if is_money else ()),
                Told(str(each["p"]), is_number=True),
                Told(str(each["verdict"])),
            )
            for each in row["compared"]
        ),
    )
    return [
        Block(title, table=counted),
        Block(_("%(title)s: against the control") % {"title": title}, table=against, notes=notes),
    ]


def _explained(explained: Mapping[str, Any] | None) -> Told:
    if explained is None:
        return Told(_("n/a"), is_number=True)
    return Told(str(explained["difference"]), is_number=True, note=str(explained["between"]))
