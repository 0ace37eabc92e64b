from tests.lifecycle.spec.case import Case, Topic

topic = Topic(
    "Counting touchpoints: did",
    "`did` is true while at least `at_least` touchpoints (1 unless said otherwise) of the selector lie in the window "
    "`within` that ends now. A touchpoint counts from its own instant until the window has passed, that instant no "
    "longer included. Without `within` it counts for ever.",
    (
        Case(
            "One touchpoint counts for exactly its window",
            """
            when             | role
            2026-01-01 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "within": "30d"},
            "2026-01-01 10:00 -> 2026-01-31 10:00",
        ),
        Case(
            "Without a window it counts for ever",
            """
            when             | role
            2026-01-01 10:00 | visit
            2026-02-01 10:00 | purchase
            """,
            {"did": {"role": "purchase"}},
            "2026-02-01 10:00 -> for ever",
        ),
        Case(
            "Windows that overlap or touch are one span",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-11 10:00 | purchase
            2026-01-31 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "within": "20d"},
            "2026-01-01 10:00 -> 2026-02-20 10:00",
        ),
        Case(
            "A millisecond between windows parts them",
            """
            when                    | role
            2026-01-01 10:00        | purchase
            2026-01-21 10:00:00.001 | purchase
            """,
            {"did": {"role": "purchase"}, "within": "20d"},
            """
            2026-01-01 10:00 -> 2026-01-21 10:00
            2026-01-21 10:00:00.001 -> 2026-02-10 10:00:00.001
            """,
        ),
        Case(
            "At least two: from the second until the first of them leaves the window",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-11 12:00 | purchase
            2026-03-01 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "at_least": 2, "within": "20d"},
            "2026-01-11 12:00 -> 2026-01-21 10:00",
        ),
        Case(
            "Two exactly one window apart are never counted together",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-21 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "at_least": 2, "within": "20d"},
            "never",
        ),
        Case(
            "Touchpoints of one instant count together",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-01 10:00 | purchase
            2026-01-01 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "at_least": 3, "within": "1d"},
            "2026-01-01 10:00 -> 2026-01-02 10:00",
        ),
        Case(
            "The third purchase ever",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-05 10:00 | purchase
            2027-01-01 10:00 | purchase
            2027-02-01 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "at_least": 3},
            "2027-01-01 10:00 -> for ever",
        ),
        Case(
            "L is the lapse window of the installation, here 180 days",
            """
            when             | role
            2026-01-01 10:00 | purchase
            """,
            {"did": {"role": "purchase"}, "within": "L"},
            "2026-01-01 10:00 -> 2026-06-30 10:00",
        ),
        Case(
            "A day is 24 hours, a week seven days",
            """
            when             | role
            2026-03-28 12:00 | visit
            """,
            {"did": {"role": "visit"}, "within": "2w"},
            "2026-03-28 12:00 -> 2026-04-11 12:00",
            zone="Europe/London",
        ),
        Case(
            "An end past the year 2200 is for ever",
            """
            when             | role
            2195-01-01 10:00 | visit
            """,
            {"did": {"role": "visit"}, "within": "3660d"},
            "2195-01-01 10:00 -> for ever",
        ),
    ),
)
