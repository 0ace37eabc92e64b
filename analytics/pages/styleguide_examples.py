"""Example values for the style guide: invented people, fixed instants; its pictures never change by themselves."""

import datetime as dt
import itertools
import math
from types import SimpleNamespace as Row
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analytics.customer_stages import NextChange
from analytics.pages.band import Life
from analytics.sorting import ModelRef, StageRef
from analytics.spells import Spell
from analytics.stages import Flow

NOW = dt.datetime(2026, 11, 20, 12, 4, 33, tzinfo=dt.UTC)
GBP = Row(currency="GBP", minor_digits=2)
NAMES = ["Awareness", "Acquisition", "Onboarding", "Engagement", "Retention", "Expansion", "Advocacy", "Lapsed"]
STAGES = [StageRef(key=name.lower(), name=name, position=at, is_exit=False) for at, name in enumerate(NAMES, 1)]
EXIT = StageRef(key="gone-quiet", name="Gone quiet", position=9, is_exit=True)
COUNTS = [412, 1280, 305, 641, 988, 214, 77, 1841, 36]


def ago(**parts: float) -> dt.datetime:
    return NOW - dt.timedelta(**parts)


def wave(size: float, count: int = 12, phase: float = 0.0, slope: float = 0.0) -> list[float]:
    return [round(size * (1 + 0.12 * math.sin(n * 0.9 + phase) + slope * n)) for n in range(count)]


class ExampleForm(forms.Form):
    """One field of each kind; the example is shown with errors."""

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), help_text=_("An identity: two customers cannot share it."))
    country = forms.ChoiceField(label=_("Country"), choices=[("nl", "Netherlands"), ("de", "Germany")], required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("call", _("Call")), ("note", _("Note")), ("meeting", _("Meeting"))],
        widget=forms.RadioSelect,
        initial="call",
    )
    text = forms.CharField(label=_("What was said"), widget=forms.Textarea, required=False)
    newsletter = forms.BooleanField(label=_("May receive the newsletter"), required=False)


def tiles() -> list[Row]:
    def tile(key: str, label: str, value: float, unit: str, change: float | None, change_unit: str, good: str) -> Row:
        note = "Revenue basis: no margin is set." if key == "ltv_to_cac" else ""
        query = "active=1" if key in ("active", "churn") else ""
        trend = wave(value * 100, phase=len(key), slope=0.01)
        definition = "An example of a definition: what is counted, over which customers, in which period."
        return Row(
            key=key,
            label=label,
            value=value,
            unit=unit,
            definition=definition,
            change=change,
            trend=trend,
            change_unit=change_unit,
            good=good,
            customers_query=query,
            note=note,
        )

    return [
        tile("active", "Active customers", 3_412, "count", 0.042, "percent", "up"),
        tile("revenue", "Net revenue", 41_288_012, "money", 0.079, "percent", "up"),
        tile("crr", "Customer retention", 0.788, "percent", 0.011, "points", "up"),
        tile("churn", "Churn", 0.212, "percent", -0.011, "points", "down"),
        tile("clv", "Lifetime value", 84_210, "money", None, "percent", "up"),
        tile("ltv_to_cac", "LTV : CAC", 3.42, "ratio", 0, "number", "up"),
    ]


def stage_counts() -> list[Row]:
    total = sum(COUNTS)
    return [
        Row(
            stage=stage,
            customers=count,
            share=count / total,
            change=change,
            entered=9,
            left=4,
            trend=wave(count, phase=at, slope=change / 4000),
        )
        for at, (stage, count, change) in enumerate(
            zip([*STAGES, EXIT], COUNTS, [14, -22, 31, 8, 12, 0, 3, -41, 2], strict=True)
        )
    ]


def flows() -> list[Flow]:
    moves = [
        (None, 0, 96),
        (None, 1, 182),
        (0, 1, 41),
        (1, 3, 88),
        (1, 7, 132),
        (2, 3, 24),
        (3, 4, 61),
        (3, 1, 70),
        (4, 5, 18),
        (4, 7, 47),
        (5, 4, 21),
        (4, 6, 6),
        (7, 1, 58),
        (7, 4, 22),
        (0, 8, 9),
    ]
    every = [*STAGES, EXIT]
    return [Flow(None if a is None else every[a], every[b], n, n) for a, b, n in moves]


def series(lines: int = 1) -> Row:
    names = ["Active", "New", "Lapsed"][:lines]
    days = [NOW.date() - dt.timedelta(weeks=51 - n) for n in range(52)]
    values = [[round(v) for v in wave(2400 / (at + 1), 52, at, 0.004)] for at in range(lines)]
    return Row(
        title="Active customers per week",
        sentence="Active customers per week over the last year: between 2,112 and 3,412, last 3,228.",
        labels=days,
        lines=[Row(name=name, values=row) for name, row in zip(names, values, strict=True)],
        rows=list(zip(days, zip(*values, strict=True), strict=True)),
    )


def customers() -> list[Row]:
    def row(name: str, email: str, stage: StageRef, days: float, orders: int, revenue: int, falls: float | None) -> Row:
        coming = falls and Row(at=NOW + dt.timedelta(days=falls), stage=STAGES[7], sentence="Lapsed")
        initials = "".join(word[0] for word in name.split()[:2])
        return Row(
            id=len(name),
            name=name,
            known_as=name,
            email=email,
            initials=initials,
            stage=stage,
            since=ago(days=days * 3),
            last_seen=ago(days=days),
            orders_in_all=orders,
            orders_waiting=0,
            revenue=revenue,
            next=coming,
        )

    return [
        row("Amelia Novak", "amelia@northwind.example", STAGES[6], 0.08, 34, 421_040, None),
        row("Kenji Watanabe", "kenji.w@fabrikam.example", STAGES[4], 0.75, 12, 188_400, 152),
        row("Priya Raman", "priya@contoso.example", STAGES[7], 61, 3, 96_215, None),
        row("Luís Ferreira", "luis.f@lakeshore.example", STAGES[1], 3, 1, 8_690, 9.4),
        row("Sara Lindqvist", "", EXIT, 219, 0, 0, None),
        row("نور الهدى بنت عبد الرحمن", "noor@example.org", STAGES[3], 12, 2, 12_000, None),
        row(
            "Wolfeschlegelsteinhausenbergerdorff " * 6,
            f"{'long' * 30}@example.org",
            STAGES[2],
            8,
            1_204,
            1_234_567_890,
            44,
        ),
    ]


def lives() -> list[Life]:
    def life(name: str, spells: list[tuple[StageRef, float, float | None]], coming: NextChange | None) -> Life:
        return Life(
            model=ModelRef(key=name.lower(), name=name),
            spells=[
                Spell(stage=stage, entered=ago(days=start), left=None if end is None else ago(days=end))
                for stage, start, end in spells
            ],
            next=coming,
        )

    acquisition, engagement, retention, lapsed = STAGES[1], STAGES[3], STAGES[4], STAGES[7]
    lapse = NextChange(at=NOW + dt.timedelta(days=64), stage=lapsed, sentence="Lapsed, if nothing else happens")
    return [
        life(
            "Seven",
            [
                (STAGES[0], 730, 700),
                (acquisition, 700, 610),
                (engagement, 610, 588),
                (retention, 588, 330),
                (lapsed, 330, 160),
                (retention, 160, None),
            ],
            lapse,
        ),
        life(
            "Five",
            [
                (STAGES[0], 730, 700),
                (acquisition, 700, 610),
                (retention, 610, 330),
                (STAGES[5], 330, 160),
                (retention, 160, None),
            ],
            None,
        ),
    ]


def why() -> Row:
    def node(title: str, held: bool, *, parts: tuple[Any, ...] = (), told: str = "", meaning: str = "") -> Row:
        return Row(
            title=title,
            meaning=meaning,
            name=title if meaning else "",
            joins="all" if parts else "",
            held=held,
            since=ago(days=160) if held else None,
            until=NOW + dt.timedelta(days=64) if held else None,
            told=told,
            last_at=ago(days=8) if told else None,
            touchpoints=(),
            parts=parts,
        )

    tree = node(
        "All of: alive; established",
        True,
        parts=(
            node("Alive", True, told="2 activities in the last 180 days", meaning="any activity within 180 days"),
            node(
                "Established",
                True,
                meaning="any of: has bought on two days; subscribed for 90 days without a break",
                parts=(
                    node("Has bought on at least 2 different days", True, told="on 12 of 2 different days"),
                    node("For 90 days without a break: subscribed", False, told="it does not hold"),
                ),
            ),
        ),
    )
    advocacy = node("Has had a referral or share in the last 365 days", False, told="no referral or share")
    return Row(
        is_decided=True,
        is_segment=False,
        by_hand=False,
        decision="The rule of Retention holds, and none of those that come before it does: Advocacy, Expansion.",
        next=None,
        stages=[
            Row(
                stage=STAGES[6],
                held=False,
                sentence="No referral, share or promoter answer in a year.",
                node=advocacy,
                deciding=False,
                missing=(advocacy,),
            ),
            Row(
                stage=STAGES[4],
                held=True,
                sentence="Seen within 180 days, and bought on two days or more.",
                node=tree,
                deciding=True,
                missing=(),
            ),
        ],
    )


def timeline() -> Row:
    numbers = itertools.count(1)

    def entry(role: str, title: str, at: dt.datetime, **more: Any) -> Row:
        empty: dict[str, Any] = {
            "amount": None,
            "order_ref": "",
            "ticket_ref": "",
            "unrated": None,
            "text": "",
            "lines": [],
            "properties": [],
            "author": "",
            "original": "",
        }
        given = {
            "id": next(numbers),
            "role": role,
            "type": title,
            "title": title,
            "channel": "web",
            "source": "shop",
            "icon": "",
        }
        return Row(**{**empty, **given, "at": at, "received_at": at + dt.timedelta(seconds=4), **more})

    lines = [
        Row(product="85123A", name="White hanging heart T-light holder", quantity=6, amount=1_530),
        Row(product="71053", name="White metal lantern", quantity=6, amount=2_034),
    ]
    today = [
        entry(
            "other",
            "Call",
            ago(minutes=42),
            icon="call",
            author="Joan",
            text="Asked about the delivery of the last order.\nCalls back on Monday.",
        ),
        entry(
            "purchase",
            "Order completed",
            ago(hours=3),
            amount=13_912,
            order_ref="581587",
            lines=lines,
            properties=[("coupon", "AUTUMN")],
        ),
        entry("visit", "Page viewed", ago(hours=3.1)),
    ]
    before = [
        entry("feedback", "Survey answered", ago(days=8), properties=[("nps", "9")]),
        entry("refund", "Order refunded", ago(days=8.1), amount=-2_034, order_ref="C580263"),
        entry("purchase", "Order Completed", ago(days=8.2), original="50 USD", unrated="USD", order_ref="580117"),
    ]
    days = [Row(day=ago().date(), entries=today), Row(day=ago(days=8).date(), entries=before)]
    return Row(days=days, older=None, kinds=[])
