"""Example values for the parts on which something is built, compared or waited for: the second half of the guide."""

import math
from types import SimpleNamespace as Row
from typing import Any

from .styleguide_examples import COUNTS, EXIT, STAGES


def acts() -> dict[str, Any]:
    """The context of templates/parts/styleguide_acts.html."""
    return {
        "states": ["live", "draft", "scheduled", "running", "paused", "done", "failed", "off"],
        "jobs": jobs(),
        "matrix": matrix(),
        "heatmap": heatmap(),
        "steps": [
            Row(name="Choose the file", state="done", url="#steps"),
            Row(name="Say what the columns mean", state="now", url=""),
            Row(name="Try it", state="ahead", url=""),
            Row(name="Import", state="ahead", url=""),
        ],
        "ordered": [
            Row(key=stage.key, name=stage.name, detail=f"{count:,} customers")
            for stage, count in zip(STAGES[:4], COUNTS, strict=False)
        ],
        "comparison": comparison(),
        "events": [
            Row(value=name, label=name, detail=role)
            for name, role in (
                ("Order Completed", "purchase"),
                ("Order Refunded", "refund"),
                ("Page Viewed", "visit"),
                ("Product Added", "cart"),
                ("Signed Up", "signup"),
                ("Ticket Opened", "support"),
            )
        ],
        "chosen_events": [Row(value="Order Completed", label="Order Completed"), Row(value="طلب", label="طلب مكتمل")],
        "code": '{\n  "all": [\n    {"did": {"role": "purchase"}, "at_least": 2, "within": "90d"},\n'
        '    {"not": {"did": {"type": "Ticket Opened"}, "within": "30d"}}\n  ]\n}',
        "skeleton": range(5),
        "consequences": [
            "1,306 customers change stage; 212 of them leave Retention.",
            "Three segments that name this model are computed anew.",
            "Nothing is announced as live, and nobody is sent a message.",
        ],
    }


def jobs() -> list[Row]:
    """One job in each state that a job can be seen in."""
    return [
        Row(
            id="a",
            title="Import of orders.csv",
            state="running",
            done=184_155,
            total=541_909,
            unit="lines",
            note="about 4 minutes to go",
            url="",
        ),
        Row(id="b", title="Exact count of the draft", state="running", done=0, total=0, unit="", note="", url=""),
        Row(
            id="c",
            title="Replay after a published rule",
            state="done",
            done=100,
            total=100,
            unit="buckets",
            note="in 12 s",
            url="",
        ),
        Row(
            id="d",
            title="Export of 4,371 customers",
            state="failed",
            done=1_200,
            total=4_371,
            unit="customers",
            note="The disk is full. Make room, then try again.",
            url="",
        ),
    ]


def matrix() -> Row:
    """Who moves from which stage to which under a changed rule."""
    stages = [STAGES[1], STAGES[3], STAGES[4], STAGES[7], EXIT]
    moved = {(0, 1): 312, (0, 3): 41, (1, 2): 96, (2, 1): 18, (2, 3): 212, (3, 0): 7, (4, 3): 3}
    most = max(moved.values())
    rows = []
    for at, stage in enumerate(stages):
        cells = []
        for to, target in enumerate(stages):
            customers = 640 + 97 * at if at == to else moved.get((at, to), 0)
            level = min(7, int(7 * math.sqrt(customers / most))) if at != to else 0
            cells.append(Row(stage=target, customers=customers, level=level, url="#matrix" if customers else ""))
        rows.append(Row(stage=stage, total=sum(cell.customers for cell in cells), cells=cells))
    return Row(columns=stages, rows=rows)


def heatmap() -> Row:
    """Cohorts by month of the first purchase: the share that bought again, month by month."""
    months = ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct"]
    rows = []
    for at, month in enumerate(months):
        shares = [1.0] + [0.66 * math.exp(-0.17 * n) + 0.012 * at for n in range(len(months) - at)]
        cells = [
            Row(
                text=f"{share:.0%}",
                level=min(7, int(share * 8)),
                incomplete=at > 0 and n == len(shares) - 1,
            )
            for n, share in enumerate(shares)
        ]
        rows.append(Row(name=f"{month} 2026", size=1_360 - 83 * at, cells=cells + [Row(text="", level=None)] * at))
    return Row(corner="Cohort", columns=[f"M{n}" for n in range(len(months) + 1)], rows=rows)


def comparison() -> Row:
    """Two records that may be one person."""
    rows = [
        Row(label="Name", left="Amelia Novak", right="A. Novák", differs=True, field="name"),
        Row(label="E-mail", left="amelia@northwind.example", right="amelia@northwind.example", differs=False, field=""),
        Row(label="Phone", left="+44 20 7946 0018", right="–", differs=True, field="phone"),
        Row(label="Orders", left="34", right="2", differs=False, field=""),
        Row(label="First seen", left="3 Mar 2025", right="19 Nov 2026", differs=False, field=""),
    ]
    return Row(left="Customer 1042", right="Customer 8817", rows=rows)
