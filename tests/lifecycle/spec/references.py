from tests.lifecycle.spec.case import Case, Topic

_HISTORY = """
when       | role
2026-01-01 | visit
2026-01-11 | purchase
2026-03-01 | visit
"""
_RECENT = {"did": {"role": "purchase"}, "within": "30d"}
_SEGMENTS = {"recent": _RECENT, "press": None}
_MODELS = {"small": {"seen": {"did": {}, "within": "60d"}, "buyer": _RECENT}}

topic = Topic(
    "Segments, stages, and what people decide",
    "`segment` is true while the customer is in the segment, `stage` while it is in that stage of that model: as they "
    "are defined now, at every instant. A static list has no rule: the customer is in it from each addition until its "
    "removal. Other segments may include and exclude customers by name: excludes win over includes, and includes win "
    "over the rule, whichever was recorded first. A customer placed in a stage by hand is in it on [from, until), "
    "inside its life, whatever the rules say; of overlapping placements the later recorded counts. The exit stage may "
    "be named: there is whoever was in a stage and is in none any more, placements counted. Nothing may come back to "
    "itself, through segments, stages or sub-rules; the rule of a stage may not use `stage`, not even through a "
    "segment.",
    (
        Case(
            "In a segment",
            _HISTORY,
            {"segment": "recent"},
            "2026-01-11 -> 2026-02-10",
            segments=_SEGMENTS,
        ),
        Case(
            "Not in a segment, in the life only",
            _HISTORY,
            {"not": {"segment": "recent"}},
            "2026-01-01 -> 2026-01-11\n2026-02-10 -> for ever",
            segments=_SEGMENTS,
        ),
        Case(
            "On a static list, from each addition until its removal",
            _HISTORY,
            {"segment": "press"},
            "2026-01-01 -> 2026-01-05\n2026-02-01 -> for ever",
            segments=_SEGMENTS,
            by_hand="""
            what     | where | from       | until
            included | press | 2025-12-01 | 2026-01-05
            included | press | 2026-02-01 |
            """,
        ),
        Case(
            "Included by name, whatever the rule says",
            _HISTORY,
            {"segment": "recent"},
            "2026-01-05 -> 2026-02-10\n2026-03-01 -> 2026-03-02",
            segments=_SEGMENTS,
            by_hand="""
            what     | where  | from       | until
            included | recent | 2026-01-05 | 2026-01-20
            included | recent | 2026-03-01 | 2026-03-02
            """,
        ),
        Case(
            "Excluded by name, even when included",
            _HISTORY,
            {"segment": "recent"},
            "2026-01-05 -> 2026-01-15\n2026-01-20 -> 2026-02-10",
            segments=_SEGMENTS,
            by_hand="""
            what     | where  | from       | until
            excluded | recent | 2026-01-15 | 2026-01-20
            included | recent | 2026-01-05 | 2026-01-18
            """,
        ),
        Case(
            "In a stage: of the stages whose rules hold the highest",
            _HISTORY,
            {"stage": ["small", "seen"]},
            "2026-01-01 -> 2026-01-11\n2026-02-10 -> 2026-04-30",
            models=_MODELS,
        ),
        Case("In the exit stage", _HISTORY, {"stage": ["small", "left"]}, "2026-04-30 -> for ever", models=_MODELS),
        Case(
            "Placed by hand",
            _HISTORY,
            {"stage": ["small", "buyer"]},
            "2026-01-01 -> 2026-01-03\n2026-01-11 -> 2026-01-20\n2026-02-01 -> 2026-02-10",
            models=_MODELS,
            by_hand="""
            what   | where       | from       | until
            placed | small buyer | 2025-12-01 | 2026-01-03
            placed | small left  | 2026-01-20 | 2026-02-01
            """,
        ),
        Case(
            "Of overlapping placements the later recorded",
            _HISTORY,
            {"stage": ["small", "left"]},
            "2026-01-20 -> 2026-01-22\n2026-01-24 -> 2026-02-01\n2026-04-30 -> for ever",
            models=_MODELS,
            by_hand="""
            what   | where       | from       | until
            placed | small left  | 2026-01-20 | 2026-02-01
            placed | small buyer | 2026-01-22 | 2026-01-24
            """,
        ),
        Case(
            "How long somebody has been in a stage",
            _HISTORY,
            {"held": {"stage": ["small", "buyer"]}, "for": "7d"},
            "2026-01-18 -> 2026-02-10",
            models=_MODELS,
        ),
        Case(
            "A segment that names a stage and another segment",
            _HISTORY,
            {"segment": "gone"},
            "2026-05-01 -> for ever",
            segments={
                **_SEGMENTS,
                "gone": {"all": [{"stage": ["small", "left"]}, {"segment": "press"}]},
            },
            models=_MODELS,
            by_hand="""
            what     | where | from       | until
            included | press | 2026-05-01 |
            """,
        ),
    ),
)
