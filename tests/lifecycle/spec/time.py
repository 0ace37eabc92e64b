from tests.lifecycle.spec.case import Case, Topic

topic = Topic(
    "Rules about the time a rule has been true: held and lately",
    "`held` is true once a rule has been true without a break for a duration: each span begins that much later. "
    "`lately` is true if a rule was true at some instant in the window that ends now: each span ends that much later.",
    (
        Case(
            "Held: a span begins later",
            """
            when             | role
            2026-01-01 10:00 | subscribe
            2026-05-01 10:00 | cancel
            """,
            {"held": {"since": {"role": "subscribe"}, "until": {"role": "cancel"}}, "for": "90d"},
            "2026-04-01 10:00 -> 2026-05-01 10:00",
        ),
        Case(
            "Held for exactly the duration is not yet true: the span has ended by then",
            """
            when             | role
            2026-01-01 10:00 | subscribe
            2026-04-01 10:00 | cancel
            """,
            {"held": {"since": {"role": "subscribe"}, "until": {"role": "cancel"}}, "for": "90d"},
            "never",
        ),
        Case(
            "A break starts the time anew",
            """
            when             | role
            2026-01-01 10:00 | subscribe
            2026-03-01 10:00 | cancel
            2026-03-02 10:00 | subscribe
            """,
            {"held": {"since": {"role": "subscribe"}, "until": {"role": "cancel"}}, "for": "90d"},
            "2026-05-31 10:00 -> for ever",
        ),
        Case(
            "Windows that touch are no break",
            """
            when             | role
            2026-01-01 10:00 | visit
            2026-01-11 10:00 | visit
            """,
            {"held": {"did": {"role": "visit"}, "within": "10d"}, "for": "15d"},
            "2026-01-16 10:00 -> 2026-01-21 10:00",
        ),
        Case(
            "Lately: a span ends later",
            """
            when             | role
            2026-01-01 10:00 | subscribe
            2026-02-01 10:00 | cancel
            """,
            {"lately": {"since": {"role": "subscribe"}, "until": {"role": "cancel"}}, "within": "30d"},
            "2026-01-01 10:00 -> 2026-03-03 10:00",
        ),
        Case(
            "Lately closes a gap of its own length, and none that is longer",
            """
            when                    | role
            2026-01-01 10:00        | visit
            2026-01-12 10:00        | visit
            2026-01-23 10:00:00.001 | visit
            """,
            {"lately": {"did": {"role": "visit"}, "within": "1d"}, "within": "10d"},
            """
            2026-01-01 10:00 -> 2026-01-23 10:00
            2026-01-23 10:00:00.001 -> 2026-02-03 10:00:00.001
            """,
        ),
        Case(
            "One inside the other",
            """
            when             | role
            2026-01-01 10:00 | visit
            """,
            {"lately": {"held": {"did": {"role": "visit"}, "within": "10d"}, "for": "9d"}, "within": "5d"},
            "2026-01-10 10:00 -> 2026-01-16 10:00",
        ),
    ),
)
