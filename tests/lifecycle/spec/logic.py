from tests.lifecycle.spec.case import Case, Topic

_HISTORY = """
when             | role
2026-01-01 10:00 | visit
2026-01-05 10:00 | purchase
"""

topic = Topic(
    "Together: all, any, not and named sub-rules",
    "`all` is true where every part is, `any` where at least one is, `not` where its part is not. A customer's life "
    "starts at the earliest of the first touchpoint, the first trait and the creation; no rule is true before it, "
    "`not` neither. `rule` stands for the stored sub-rule of that name.",
    (
        Case(
            "All: where the spans overlap",
            _HISTORY,
            {"all": [{"did": {"role": "visit"}, "within": "10d"}, {"did": {"role": "purchase"}, "within": "30d"}]},
            "2026-01-05 10:00 -> 2026-01-11 10:00",
        ),
        Case(
            "Any: where there is one",
            _HISTORY,
            {"any": [{"did": {"role": "visit"}, "within": "10d"}, {"did": {"role": "purchase"}, "within": "30d"}]},
            "2026-01-01 10:00 -> 2026-02-04 10:00",
        ),
        Case(
            "Not: in the life only",
            _HISTORY,
            {"not": {"did": {"role": "purchase"}, "within": "30d"}},
            """
            2026-01-01 10:00 -> 2026-01-05 10:00
            2026-02-04 10:00 -> for ever
            """,
        ),
        Case(
            "The life may start before the first touchpoint",
            _HISTORY,
            {"not": {"did": {}}},
            "2025-12-24 -> 2026-01-01 10:00",
            life="2025-12-24",
        ),
        Case(
            "Spans that meet are one",
            """
            when             | role
            2026-01-01 10:00 | visit
            2026-01-11 10:00 | purchase
            """,
            {"any": [{"did": {"role": "visit"}, "within": "10d"}, {"did": {"role": "purchase"}, "within": "10d"}]},
            "2026-01-01 10:00 -> 2026-01-21 10:00",
        ),
        Case(
            "A rule and its contrary: always, from the start of the life on",
            _HISTORY,
            {"any": [{"did": {"role": "purchase"}}, {"not": {"did": {"role": "purchase"}}}]},
            "2026-01-01 10:00 -> for ever",
        ),
        Case(
            "A named sub-rule",
            _HISTORY,
            {"not": {"rule": "a recent visitor"}},
            "2026-01-11 10:00 -> for ever",
            sub_rules={"a recent visitor": {"did": {"role": "visit"}, "within": "10d"}},
        ),
    ),
)
