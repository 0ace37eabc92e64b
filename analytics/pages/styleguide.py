"""Every part of the look on one page, fed with examples: look here before using one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from analytics.pages import styleguide_examples as examples
from analytics.pages.band import drawn_band
from analytics.pages.charts import lines_payload, sankey_payload
from analytics.pages.customers import COLUMNS
from analytics.pages.styleguide_acts import acts
from clm.lib.access.table import allowed


@allowed("overview.view")
def styleguide(request: HttpRequest) -> HttpResponse:
    form = examples.ExampleForm({"name": "", "email": "joan at example", "kind": "call"})
    form.is_valid()
    lives = examples.lives()
    counts = examples.stage_counts()
    return render(
        request,
        "pages/styleguide.html",
        {
            "now": examples.NOW,
            "reporting": examples.GBP,
            "form": form,
            "tiles": examples.tiles(),
            "counts": counts,
            "model": lives[0].model,
            "models": [life.model for life in lives],
            "flows": examples.flows(),
            "flows_chart": sankey_payload(
                flows=examples.flows(), description="Customers who changed stage: 875 moves."
            ),
            "series": examples.series(),
            "lines_chart": lines_payload(series=examples.series()),
            "several": examples.series(3),
            "several_chart": lines_payload(series=examples.series(3)),
            "columns": tuple(COLUMNS),
            "acts": acts(),
            "rows": examples.customers(),
            "band": drawn_band(
                lives=lives,
                life_start=examples.ago(days=730),
                now=examples.NOW,
                marks=[examples.ago(days=n) for n in (700, 640, 611, 600, 540, 511, 420, 160, 120, 64, 31, 0.2)],
                chosen=examples.ago(days=1),
            ),
            "lives": lives,
            "why": examples.why(),
            "timeline": examples.timeline(),
            "sections": [
                ("tiles", _("Tiles")),
                ("tables", _("Tables")),
                ("band", _("Stage band")),
                ("why", _("Why")),
                ("timeline", _("Timeline")),
                ("forms", _("Forms")),
                ("jobs", _("Jobs")),
                ("fields", _("Fields")),
                ("steps", _("Steps")),
                ("matrix", _("Changes")),
                ("cohorts", _("Cohorts")),
                ("tabs", _("Tabs")),
            ],
            "samples": [
                "canvas",
                "surface",
                "raised",
                "sunken",
                "line",
                "field-line",
                "ink",
                "muted",
                "accent",
                "good",
                "warn",
                "bad",
            ],
        },
    )
