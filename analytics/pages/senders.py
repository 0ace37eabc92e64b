"""Sources that client libraries send to: their write keys, what came in last, and what was refused and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from analytics.row_pages import row_page
from clm.lib.questions import ConflictError, NotThereError, QuestionError
from customers.models import Reject, Source, Touchpoint
from customers.receiving.retry import retry_reject
from customers.receiving.write_keys import GRACE, KIND, create_source, revoke_keys, rotate_key

from .asking import page
from .forms import Crumb, beside, confirm, made_once, status

# The tail looks at the newest touchpoints of all sources and shows those of one: no index of a source's own is needed.
NEWEST, SHOWN, REJECTS = 2_000, 20, 20
LONGEST_RAW = 2_000
YOUR_KEY = "YOUR_WRITE_KEY"


class SourceForm(forms.Form):
    """A new source. `form_id` makes sending the form twice harmless."""

    name = forms.CharField(
        label=gettext_lazy("What sends"),
        max_length=100,
        help_text=gettext_lazy("A website, an app, a server, like “Web shop”. Each has a key of its own."),
        error_messages={"required": gettext_lazy("Say what will send: a website, an app, a server.")},
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


@dataclass(frozen=True, slots=True)
class Snippet:
    """How a usual client is set up. text: for copying."""

    id: str
    title: str
    text: str


@page("sources.manage")
def sources(request: HttpRequest, *, now: datetime) -> HttpResponse:
    rows = list(Source.objects.filter(kind=KIND).order_by("name"))
    lately = Reject.objects.filter(source__in=rows, from_import=None, received_at__gt=now - timedelta(days=1))
    rejected = dict(lately.order_by().values_list("source").annotate(Count("pk")))
    context = {
        "now": now,
        "rows": [(source, rejected.get(source.pk, 0)) for source in rows],
        "snippets": snippets(request, YOUR_KEY),
    }
    return render(request, "pages/sources.html", context)


@page("sources.manage")
def source_new(request: HttpRequest, *, now: datetime) -> HttpResponse:
    form = SourceForm(request.POST or None)
    back = Crumb(reverse("sources"), _("Sources"))
    if request.method == "POST" and form.is_valid():
        told, secrets = form.cleaned_data, []

        def make() -> int:
            made, secret = create_source(name=told["name"])
            secrets.append(secret)
            return int(made.pk)

        try:
            number, is_new = made_once(request, form_id=told["form_id"], make=make)
        except (QuestionError, ConflictError) as error:
            beside(form, error)
        else:
            source = Source.objects.get(pk=number)
            if not is_new:
                messages.warning(request, _("This source was made already, and its key is shown only once."))
                return redirect("source", key=source.key)
            return _shown_once(request, source, secrets[0])
    context = {"form": form, "crumbs": [back], "back": back}
    return render(request, "pages/source_form.html", context, status=status(form))


@page("sources.manage", takes=("cursor",))
def source(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = _source(key)
    every = Reject.objects.filter(source=found, from_import=None)
    refused = row_page(every, order=("-pk",), cursor=request.GET.get("cursor") or None, page_size=REJECTS)
    context = {
        "now": now,
        "source": found,
        "crumbs": [Crumb(reverse("sources"), _("Sources"))],
        "events": latest(found),
        "rejects": [(one, shortened(bytes(one.raw))) for one in refused.rows],
        "next_cursor": refused.next_cursor,
        "previous_cursor": refused.previous_cursor,
        "snippets": snippets(request, YOUR_KEY),
        "former_is_open": found.former_key_until is not None and found.former_key_until > now,
    }
    return render(request, "pages/source.html", context)


@page("sources.manage")
def source_tail(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    """The last events of a source: a part of its page, fetched again and again."""
    return render(
        request, "parts/source_tail.html", {"source": _source(key), "events": latest(_source(key)), "now": now}
    )


@page("sources.manage")
def source_rotate(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = _source(key)
    back = reverse("source", args=[key])
    if request.method == "POST":
        return _shown_once(request, found, rotate_key(source=found, now=now))
    hours = int(GRACE.total_seconds() // 3600)
    if found.revoked_at is None:
        keeps = ngettext(
            "The key in use now goes on working for %(n)d hour, so that nothing is lost while you exchange it.",
            "The key in use now goes on working for %(n)d hours, so that nothing is lost while you exchange it.",
            hours,
        ) % {"n": hours}
    else:
        keeps = _("The source is open again, for the new key alone.")
    return confirm(
        request,
        title=_("New key for “%(name)s”?") % {"name": found.name},
        consequences=[_("A new key is made and shown once."), keeps],
        button=_("Make a new key"),
        back=back,
        crumbs=[Crumb(reverse("sources"), _("Sources")), Crumb(back, found.name)],
        is_harmless=True,
    )


@page("sources.manage")
def source_revoke(request: HttpRequest, key: str, *, now: datetime) -> HttpResponse:
    found = _source(key)
    back = reverse("source", args=[key])
    if request.method == "POST":
        revoke_keys(source=found, now=now)
        messages.success(request, _("“%(name)s” is closed.") % {"name": found.name})
        return redirect(back)
    return confirm(
        request,
        title=_("Close “%(name)s”?") % {"name": found.name},
        consequences=[
            _("Within a second nothing more is taken from it; what it goes on sending is lost."),
            _("What it sent so far stays. A new key opens it again."),
        ],
        button=_("Close"),
        back=back,
        crumbs=[Crumb(reverse("sources"), _("Sources")), Crumb(back, found.name)],
    )


@require_POST
@page("sources.manage")
def reject_retry(request: HttpRequest, reject_id: int, *, now: datetime) -> HttpResponse:
    """Try a refused message again."""
    found = Reject.objects.select_related("source").filter(pk=reject_id).first()
    if found is None:
        raise NotThereError("there is no such reject")
    try:
        if retry_reject(reject=found, now=now):
            messages.success(request, _("The message is stored."))
        else:
            messages.warning(request, _("It was refused again; the list says why."))
    except ConflictError as error:
        messages.warning(request, str(error))
    return redirect("source", key=found.source.key)


def latest(source: Source) -> list[Touchpoint]:
    """The newest touchpoints of a source, among the newest of all."""
    newest = Touchpoint.objects.order_by("-pk").values("pk")[:NEWEST]
    rows = Touchpoint.objects.filter(pk__in=newest, source=source).select_related(
        "type", "channel", "profile__customer"
    )
    return list(rows.order_by("-pk")[:SHOWN])


def shortened(raw: bytes) -> str:
    """What a refused message said, as text; what is none shows as a replacement character."""
    text = raw[:LONGEST_RAW].decode("utf-8", errors="replace").replace("\0", "\ufffd")
    return text + ("…" if len(raw) > LONGEST_RAW else "")


def snippets(request: HttpRequest, key: str) -> Sequence[Snippet]:
    host = request.build_absolute_uri("/").rstrip("/")
    event = '{"type": "track", "userId": "u1", "event": "Signed Up", "messageId": "1"}'
    return (
        Snippet(
            "snippet-curl",
            "curl",
            f"curl {host}/v1/batch -u {key}: -H 'Content-Type: application/json' \\\n  -d '{{\"batch\": [{event}]}}'",
        ),
        Snippet(
            "snippet-python",
            "Python",
            "import segment.analytics as analytics\n\n"
            f'analytics.write_key = "{key}"\nanalytics.host = "{host}"\n'
            'analytics.track("u1", "Signed Up")\nanalytics.flush()',
        ),
        Snippet(
            "snippet-node",
            "Node.js",
            'import { Analytics } from "@segment/analytics-node"\n\n'
            f'const analytics = new Analytics({{ writeKey: "{key}", host: "{host}" }})\n'
            'analytics.track({ userId: "u1", event: "Signed Up" })\nawait analytics.closeAndFlush()',
        ),
        Snippet(
            "snippet-browser",
            _("Browser"),
            "fetch(" + f'"{host}/v1/t", {{\n  method: "POST", keepalive: true,\n'
            f'  body: JSON.stringify({{ writeKey: "{key}", anonymousId: visitor, event: "Signed Up",\n'
            "    messageId: crypto.randomUUID(), timestamp: new Date(), sentAt: new Date() })\n})",
        ),
    )


def _shown_once(request: HttpRequest, source: Source, secret: str) -> HttpResponse:
    context: dict[str, Any] = {
        "source": source,
        "secret": secret,
        "crumbs": [Crumb(reverse("sources"), _("Sources"))],
        "snippets": snippets(request, secret),
    }
    answer = render(request, "pages/source_key.html", context, status=201)
    answer["Cache-Control"] = "no-store"
    return answer


def _source(key: str) -> Source:
    found = Source.objects.filter(key=key, kind=KIND).first()
    if found is None:
        raise NotThereError("there is no such source")
    return found
