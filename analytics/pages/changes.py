"""The pages of changes: what is drafted, what it would do, and publishing it or dropping it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analytics.changes import PAGE, Change, Effect, SubjectDiff, change_rows, effect, needed_for
from analytics.changes import change as read_change
from analytics.stages import Flow
from clm.lib.access.table import can
from clm.lib.questions import ConflictError, QuestionError
from clm.lib.templatetags.numbers import number
from customers.models import Rereading
from customers.named_properties import Filling
from lifecycle.mapping import map_back
from lifecycle.models import Revision, Subject, Version
from lifecycle.previews import filled_in_before_live, filled_in_first, preview_progress, start_preview
from lifecycle.publications import ask_to_publish, publication_progress
from lifecycle.revise import discard, revise
from lifecycle.rules.document import RuleError

from .asking import page
from .charts import sankey_payload
from .progress import Job


@page("stages.view", takes=("before",))
def changes(request: HttpRequest, *, now: datetime) -> HttpResponse:
    before = request.GET.get("before") or None
    if before is not None and not (before.isascii() and before.isdigit() and len(before) < 10):
        raise QuestionError("before", _("this is no change's number"))
    rows = change_rows(before=None if before is None else int(before))
    following = rows[-1].id if len(rows) == PAGE else None
    return render(request, "pages/changes.html", {"now": now, "rows": rows, "following": following})


@page("stages.view")
def change(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    found = read_change(number=change_id)
    may = can(request.user, found.needs)
    told = effect(of=found, now=now)
    context = {
        "now": now,
        "change": found,
        "row": found.row,
        "may_revert": may and found.row.state == "live",
        "going_live": _publishing(found),
        "rereading": _rereading(found),
        "discarding": [_("The draft is deleted."), _("What is live stays as it is.")],
        **_shown(request, found, told),
    }
    return render(request, "pages/change.html", context)


@page("stages.view")
def change_effect(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    """How far the exact count is; when it is done, what it found, in place of the estimate."""
    found = read_change(number=change_id)
    job = _counting(found)
    if job is not None and job.state == "running":
        return render(request, "parts/progress.html", {"job": job})
    context = {
        "now": now,
        "change": found,
        "row": found.row,
        **_shown(request, found, effect(of=found, now=now)),
        "told_anew": True,
    }
    response = render(request, "parts/change_effect.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#effect", "outerHTML"
    return response


@page("stages.view")
def change_going_live(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    """How far going live is; the whole page anew when there is nothing left to wait for."""
    job = _publishing(read_change(number=change_id))
    if job is not None:
        return render(request, "parts/progress.html", {"job": job})
    response = HttpResponse()
    response["HX-Refresh"] = "true"
    return response


@page("segments.edit")
def change_publish(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    return _decided(request, change_id, lambda author: ask_to_publish(revision=change_id, author=author, now=now))


@page("segments.edit")
def change_count(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    return _decided(request, change_id, lambda author: start_preview(revision=change_id, author=author, now=now))


@page("segments.edit")
def change_discard(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    def drop(_author: int) -> None:
        discard(revision=change_id)
        messages.success(request, _("The draft is gone; nothing was changed."))

    return _decided(request, change_id, drop, leads_to="changes")


@page("segments.edit")
def change_revert(request: HttpRequest, change_id: int, *, now: datetime) -> HttpResponse:
    """Draft everything the way it was before a change that is live."""
    drafted: list[Revision] = []

    def draft(author: int) -> None:
        drafted.append(reverting(change=change_id, author=author))
        start_preview(revision=drafted[0].pk, author=author, now=now)

    answer = _decided(request, change_id, draft)
    return redirect("change", drafted[0].pk) if drafted else answer


def reverting(*, change: int, author: int | None) -> Revision:
    """A draft of what was before a change: the versions before those it made live, and the named rules as they were."""
    documents: dict[int, Any] = {}
    texts: dict[str, Any] = {}
    revision = Revision.objects.get(pk=change)
    if revision.mapping:
        return map_back(revision=change, author=author)
    for version in Version.objects.filter(revision=revision).exclude(published_at=None).order_by("pk"):
        before = Version.objects.filter(subject=version.subject_id, number__lt=version.number)
        old = before.exclude(published_at=None).order_by("-number").first()
        if old is None:
            continue
        texts |= {name: old.sub_rules[name] for name in revision.sub_rules if name in old.sub_rules}
        if old.document != version.document:
            documents[version.subject_id] = old.document
    if not documents and not texts:
        raise ConflictError(_("There was nothing before it to go back to."))
    note = _("Back to what was before change %(number)d.") % {"number": change}
    return revise(documents=documents, sub_rules=texts, note=note, author=author)


def consequences(told: Effect) -> list[str]:
    """What happens when it goes live, in sentences."""
    about = "" if told.is_exact else _("about") + " "
    said = []
    for one in told.subjects:
        if one.kind == Subject.Kind.MODEL:
            said.append(
                ngettext(
                    "%(about)s%(count)s customer stands in another stage of “%(name)s”.",
                    "%(about)s%(count)s customers stand in another stage of “%(name)s”.",
                    one.moved.customers,
                )
                % {"about": about, "count": number(one.moved.customers), "name": one.name}
            )
        else:
            said.append(
                _("“%(name)s”: %(about)s%(entering)s enter, %(leaving)s leave.")
                % {
                    "name": one.name,
                    "about": about,
                    "entering": number(one.entering.customers),
                    "leaving": number(one.leaving.customers),
                }
            )
    if told.campaigns:
        said.append(_("The audience of %(names)s changes with it.") % {"names": ", ".join(told.campaigns)})
    said += [
        _("Nobody is told of these moves as news: no campaign and no webhook acts on them."),
        _("Customers go on moving meanwhile; everybody sees the new rules at the same instant."),
        _("What was believed until now stays readable, and the old rules can be drafted again."),
    ]
    return [sentence[:1].upper() + sentence[1:] for sentence in said]


# --- what the templates are handed ----------------------------------------------------------------------------------
def _shown(request: HttpRequest, found: Change, told: Effect | None) -> dict[str, Any]:
    job = _counting(found)
    is_estimate = told is not None and not told.is_exact
    return {
        "may_decide": can(request.user, found.needs) and found.row.state in ("draft", "failed"),
        "consequences": [] if told is None else consequences(told),
        "effect": told,
        "job": job,
        "can_count": found.is_open and is_estimate and (job is None or job.state == "failed"),
        "charts": {} if told is None else {one.key: _chart(one) for one in told.subjects if one.kind == "model"},
    }


def _chart(diff: SubjectDiff) -> dict[str, Any]:
    flows = [
        Flow(move.source, move.target, move.customers, move.customers)
        for move in diff.moves
        if move.target is not None and move.customers
    ]
    largest = "; ".join(
        f"{flow.source.name if flow.source else _('No stage')} → {flow.target.name}: {number(flow.customers)}"
        for flow in flows[:5]
    )
    sentence = ngettext(
        "%(total)s customer of “%(name)s” would stand elsewhere. Largest moves: %(largest)s.",
        "%(total)s customers of “%(name)s” would stand elsewhere. Largest moves: %(largest)s.",
        diff.moved.customers,
    )
    told = {"total": number(diff.moved.customers), "name": diff.name, "largest": largest or _("none")}
    return sankey_payload(flows=flows, description=sentence % told)


def _counting(found: Change) -> Job | None:
    preview = found.preview
    if preview is None or preview.finished_at is not None:
        return None
    filling = filled_in_first(preview=preview)
    if filling:
        note = _("An exact count needs them of everybody; it begins by itself when they are there.")
        return _filling("count", filling, note, reverse("change_effect", args=[found.row.id]))
    far = preview_progress(preview=preview)
    return Job(
        id="count",
        title=_("Counting everybody"),
        state="failed" if preview.failed_at else "running",
        done=far.done,
        total=far.buckets,
        unit=_("parts"),
        note=preview.error,
        url=reverse("change_effect", args=[found.row.id]),
    )


def _publishing(found: Change) -> Job | None:
    if found.row.state != "running":
        return None
    filling = filled_in_before_live(revision=found.row.id)
    if filling:
        note = _("It goes live by itself when they are there; you may leave this page.")
        return _filling("publish", filling, note, reverse("change_going_live", args=[found.row.id]))
    far = publication_progress()
    return Job(
        id="publish",
        title=_("Going live"),
        state="running",
        done=far.done,
        total=far.buckets,
        unit=_("parts"),
        note=_("You may leave this page; it goes on by itself."),
        url=reverse("change_going_live", args=[found.row.id]),
    )


def _rereading(found: Change) -> Job | None:
    """How far the reading of stored amounts is that the change asked for; None when none was, or all is read."""
    asked = Rereading.objects.filter(change=found.row.id, finished_at=None).first() if found.mapping else None
    if asked is None:
        return None
    note = _("Workers do it; you may leave this page. Figures of sales are counted anew when it is done.")
    if asked.failed_at is not None:
        note = _("It failed (%(error)s). The command manage.py reread does it again.") % {"error": asked.error}
    return Job(
        id=f"rereading-{asked.pk}",
        title=_("Reading stored amounts anew"),
        state="failed" if asked.failed_at else "running",
        done=min(asked.next_touchpoint, asked.total),
        total=asked.total,
        unit=_("touchpoints looked through"),
        note=note,
        url="",
    )


def _filling(id_: str, filling: Sequence[Filling], note: str, url: str) -> Job:
    """What is waited for first: the values of properties that no rule named before."""
    names = get_text_list([f"“{one.key}”" for one in filling], _("and"))
    return Job(
        id=id_,
        title=_("Filling in the values of %(names)s") % {"names": names},
        state="running",
        done=sum(one.done for one in filling),
        total=sum(one.parts for one in filling),
        unit=_("parts"),
        note=note,
        url=url,
    )


def _decided(request: HttpRequest, number_: int, act: Any, leads_to: str = "") -> HttpResponse:
    """Do what somebody decided about a change, if it is his to decide; what speaks against it is told on its page."""
    needed = needed_for(number=number_)
    if not can(request.user, needed):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        act(request.user.pk)
    except (ConflictError, QuestionError, RuleError) as error:
        messages.error(request, str(error))
        return redirect("change", number_)
    return redirect(leads_to) if leads_to else redirect("change", number_)
