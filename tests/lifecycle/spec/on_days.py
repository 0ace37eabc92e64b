from tests.lifecycle.spec.case import Case, Topic

topic = Topic(
    "Counting days: did on_days",
    "`on_days` counts different calendar days of the business time zone, not touchpoints. A day counts while any of "
    "its touchpoints lies in the window. `on_days` and `at_least` exclude each other.",
    (
        Case(
            "Two purchases on one day are one day",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-01 18:00 | purchase
            """,
            {"did": {"role": "purchase"}, "on_days": 2},
            "never",
        ),
        Case(
            "Two days, for ever",
            """
            when             | role
            2026-01-01 10:00 | purchase
            2026-01-01 18:00 | purchase
            2026-01-02 00:00 | purchase
            """,
            {"did": {"role": "purchase"}, "on_days": 2},
            "2026-01-02 -> for ever",
        ),
        Case(
            "A day lasts in the window as long as its latest touchpoint",
            """
            when             | role
            2026-01-01 10:00 | visit
            2026-01-01 18:00 | visit
            2026-01-03 09:00 | visit
            """,
            {"did": {"role": "visit"}, "on_days": 2, "within": "7d"},
            "2026-01-03 09:00 -> 2026-01-08 18:00",
        ),
        Case(
            "A window shorter than a day may leave a day and come back to it",
            """
            when             | role
            2026-01-01 23:00 | visit
            2026-01-02 00:30 | visit
            2026-01-02 12:00 | visit
            2026-01-02 23:30 | visit
            2026-01-03 00:15 | visit
            """,
            {"did": {"role": "visit"}, "on_days": 2, "within": "2h"},
            """
            2026-01-02 00:30 -> 2026-01-02 01:00
            2026-01-03 00:15 -> 2026-01-03 01:30
            """,
        ),
        Case(
            "Midnight is that of the business time zone",
            """
            when             | role
            2026-07-01 22:30 | purchase
            2026-07-01 23:30 | purchase
            """,
            {"did": {"role": "purchase"}, "on_days": 2},
            "2026-07-01 23:30 -> for ever",
            zone="Europe/London",
        ),
        Case(
            "The day of 23 hours ends an hour early",
            """
            when             | role
            2026-03-28 23:59 | visit
            2026-03-29 22:59 | visit
            2026-03-29 23:00 | visit
            """,
            {"did": {"role": "visit"}, "on_days": 3, "within": "2d"},
            "2026-03-29 23:00 -> 2026-03-30 23:59",
            zone="Europe/London",
        ),
        Case(
            "The day of 25 hours is one day",
            """
            when             | role
            2026-10-24 23:00 | visit
            2026-10-25 23:59 | visit
            2026-10-26 00:00 | visit
            """,
            {"did": {"role": "visit"}, "on_days": 2, "within": "2d"},
            "2026-10-26 -> 2026-10-27 23:59",
            zone="Europe/London",
        ),
        Case(
            "A clock set back over midnight: the date goes back, the days stay two",
            """
            when                | role
            2010-11-07 02:00    | visit
            2010-11-07 02:30:30 | visit
            2010-11-07 02:45    | visit
            2010-11-07 03:30    | visit
            """,
            {"did": {"role": "visit"}, "on_days": 3, "within": "7d"},
            "never",
            zone="America/St_Johns",
        ),
        Case(
            "The same night, with a window so short that each day is left and entered again",
            """
            when                | role
            2010-11-07 02:00    | visit
            2010-11-07 02:30:30 | visit
            2010-11-07 02:45    | visit
            2010-11-07 03:30    | visit
            """,
            {"did": {"role": "visit"}, "on_days": 2, "within": "31m"},
            """
            2010-11-07 02:30:30 -> 2010-11-07 02:31
            2010-11-07 02:45 -> 2010-11-07 03:01:30
            """,
            zone="America/St_Johns",
        ),
        Case(
            "A date that was skipped does not count",
            """
            when             | role
            2011-12-30 09:59 | visit
            2011-12-30 10:00 | visit
            """,
            {"did": {"role": "visit"}, "on_days": 2, "within": "1d"},
            "2011-12-30 10:00 -> 2011-12-31 09:59",
            zone="Pacific/Apia",
        ),
    ),
)
