"""Charts as pictures for mails, drawn from the very numbers that the page's own charts are drawn from, in the colours
of the house on white. Only the process that writes mails imports this module: what it draws with takes 60 MB."""

import io
import os
from datetime import date
from typing import Any

from django.conf import settings

from clm.lib.templatetags.numbers import number
from clm.lib.templatetags.times import day_text

from .blocks import Chart

# Read when it is imported; the home directory of a service may not be there, or not be writable.
os.environ.setdefault("MPLCONFIGDIR", str(settings.DATA_DIR / "matplotlib"))

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import FuncFormatter, MaxNLocator

WIDTH, DENSITY = 640, 2  # as shown, in CSS pixels; a picture has this many dots for each
INK, MUTED, LINE = "#11141c", "#596174", "#e2e5ec"
# The light half of the pairs in static/css/tokens.css.
STAGES = {
    "1": "#3d9be0",
    "2": "#5a55e3",
    "3": "#a855d8",
    "4": "#12a4a8",
    "5": "#17a065",
    "6": "#e59a10",
    "7": "#df4b93",
    "8": "#d8453e",
    "9": "#ee7427",
    "10": "#6f7fa6",
    "11": "#7fae1d",
    "12": "#94663d",
    "exit": "#8b91a0",
    "none": "#b4bac6",
}
PLAIN = ("#4f46e5", STAGES["5"], STAGES["9"], STAGES["3"])
MOST_STEPS, LONGEST_NAME = 13, 40
_FONT = {"fontsize": 10, "color": INK}


def picture(chart: Chart) -> bytes:
    """The chart as a PNG, WIDTH times DENSITY dots wide. The same numbers make the same bytes."""
    drawn = {"lines": _lines, "flows": _flows, "bars": _bars}[chart.kind](chart.payload)
    out = io.BytesIO()
    drawn.savefig(out, format="png", dpi=100 * DENSITY, metadata={"Software": None})
    return out.getvalue()


def _figure(height: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH / 100, height / 100), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _lines(payload: dict[str, Any]) -> Figure:
    lines, labels = payload["lines"], payload["labels"]
    figure, axes = _figure(290 if len(lines) > 4 else 250)
    places = range(len(labels))
    for at, line in enumerate(lines):
        colour = STAGES[line["stage"]] if line.get("stage") else PLAIN[at % len(PLAIN)]
        values = [float("nan") if value is None else float(value) for value in line["values"]]
        # A value without neighbours would not be seen.
        alone = "o" if len(values) < 2 or payload.get("dots") else ""
        axes.plot(places, values, color=colour, linewidth=1.6, label=line["name"], marker=alone, markersize=4, zorder=3)
        if len(lines) == 1:
            axes.fill_between(places, values, payload.get("low", 0), color=colour, alpha=0.12, linewidth=0)
    axes.set_ylim(bottom=payload.get("low", 0), top=payload.get("high"))
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _at: f"{value:g}" if value % 1 else number(int(value))))
    ticks = list(enumerate(labels)) if payload.get("steps") else _ticks(labels)
    ticks = ticks[:: max(1, -(-len(ticks) // MOST_STEPS))]
    axes.set_xticks([at for at, _text in ticks], [text for _at, text in ticks])
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.tick_params(colors=MUTED, labelsize=9, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#cdd2dc")
    if len(lines) > 1:
        figure.legend(
            loc="outside upper left",
            ncols=min(5, len(lines)),
            frameon=False,
            fontsize=9,
            labelcolor=INK,
            handlelength=1,
        )
    return figure


def _bars(payload: dict[str, Any]) -> Figure:
    """One below the other, each with its text behind it."""
    rows = payload["bars"][::-1]
    figure, axes = _figure(40 + 26 * len(rows))
    places = range(len(rows))
    most = max(row["value"] for row in rows)
    axes.barh(places, [row["value"] for row in rows], height=0.6, color=PLAIN[0])
    for at, row in enumerate(rows):
        axes.text(row["value"] + 0.01 * most, at, row["text"], va="center", ha="left", **_FONT)
    # Room for the text behind the longest.
    axes.set_xlim(0, 1.25 * most)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks(list(places), [_cut(row["name"]) for row in rows])
    axes.tick_params(axis="y", colors=INK, labelsize=9, length=0)
    axes.set_xticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    return figure


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _ticks(labels: list[str]) -> list[tuple[int, str]]:
    """At most seven labels below the line, the first and the last among them."""
    if not labels:
        return []
    most = 7
    days = [date.fromisoformat(label) for label in labels]
    pattern = "d MMM" if (days[-1] - days[0]).days <= 200 else "MMM y"
    step = max(1, -(-(len(days) - 1) // (most - 1)))
    places = sorted({*range(0, len(days) - 1 - step // 2, step), len(days) - 1})
    return [(at, day_text(days[at], pattern)) for at in places]


def _flows(payload: dict[str, Any]) -> Figure:
    """Stages at the start on the left, at the end on the right, names outside so that nothing lies on them."""
    moves = payload["moves"]
    total = sum(move[2] for move in moves) or 1
    sides = (payload["before"], payload["after"])
    figure, axes = _figure(max(220, 40 * max(len(side) for side in sides)))
    gap = 0.035 * total
    counts = [[sum(move[2] for move in moves if move[side] == at) for at in range(len(sides[side]))] for side in (0, 1)]
    height = max(sum(side) + gap * (len(side) - 1) for side in counts)
    tops: list[list[float]] = []
    for side, names in enumerate(sides):
        top, found = height, []
        for at, node in enumerate(names):
            size = counts[side][at]
            found.append(top)
            colour = STAGES[node["stage"]]
            axes.add_patch(Rectangle((side - 0.012, top - size), 0.024, size, color=colour, linewidth=0))
            where = {"ha": "right" if side == 0 else "left", "va": "center"}
            text = f"{node['name']}  {number(size)}"
            axes.text(side + (-0.03 if side == 0 else 0.03), top - size / 2, text, **where, **_FONT)
            top -= size + gap
        tops.append(found)
    left, right = (list(side) for side in tops)
    for source, target, customers in sorted(moves):
        axes.add_patch(
            _ribbon(left[source], right[target], customers, STAGES[payload["after"][target]["stage"]]),
        )
        left[source] -= customers
        right[target] -= customers
    axes.set_xlim(-0.45, 1.45)
    axes.set_ylim(-0.02 * height, 1.02 * height)
    axes.set_axis_off()
    return figure


def _ribbon(start: float, end: float, size: float, colour: str) -> PathPatch:
    x0, x1, half = 0.012, 0.988, 0.5
    corners = [
        (x0, start),
        (half, start),
        (half, end),
        (x1, end),
        (x1, end - size),
        (half, end - size),
        (half, start - size),
        (x0, start - size),
        (x0, start),
    ]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return PathPatch(Path(corners, codes), facecolor=colour, alpha=0.42, linewidth=0)
