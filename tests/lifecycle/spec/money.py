from tests.lifecycle.spec.case import Case, Topic

topic = Topic(
    "Money: spent and grew",
    "`spent` is true while the amounts in the window sum to at least the threshold. A refund has a negative amount and "
    "counts at its own instant; a touchpoint without an amount counts as nothing. `grew` compares the window with the "
    "one before it: that must have been above zero, and the customer must have lived for two windows.",
    (
        Case(
            "A sum within a window",
            """
            when             | role     | amount
            2026-01-01 10:00 | purchase | 60.00
            2026-01-11 10:00 | purchase | 40.00
            """,
            {"spent": {"role": "purchase"}, "at_least": "100.00", "within": "30d"},
            "2026-01-11 10:00 -> 2026-01-31 10:00",
        ),
        Case(
            "A refund takes away until it has left the window itself",
            """
            when             | role     | amount
            2026-01-01 10:00 | purchase | 100.00
            2026-01-03 10:00 | refund   | -10.00
            2026-01-05 10:00 | purchase | 100.00
            """,
            {"spent": {"role": ["purchase", "refund"]}, "at_least": "100.00", "within": "10d"},
            """
            2026-01-01 10:00 -> 2026-01-03 10:00
            2026-01-05 10:00 -> 2026-01-11 10:00
            2026-01-13 10:00 -> 2026-01-15 10:00
            """,
        ),
        Case(
            "Ever: a refund can undo it",
            """
            when             | role     | amount
            2026-01-01 10:00 | purchase | 100.00
            2026-02-01 10:00 | refund   | -0.01
            2026-03-01 10:00 | purchase | 0.01
            """,
            {"spent": {"role": ["purchase", "refund"]}, "at_least": "100"},
            """
            2026-01-01 10:00 -> 2026-02-01 10:00
            2026-03-01 10:00 -> for ever
            """,
        ),
        Case(
            "A threshold finer than the currency is rounded up",
            """
            when             | role     | amount
            2026-01-01 10:00 | purchase | 100.00
            2026-02-01 10:00 | purchase | 0.01
            """,
            {"spent": {"role": "purchase"}, "at_least": "100.001"},
            "2026-02-01 10:00 -> for ever",
        ),
        Case(
            "What leaves and what comes at one instant are summed at once",
            """
            when             | role     | amount
            2026-01-01 10:00 | purchase | 100.00
            2026-01-11 10:00 | purchase | 100.00
            """,
            {"spent": {"role": "purchase"}, "at_least": "100.00", "within": "10d"},
            "2026-01-01 10:00 -> 2026-01-21 10:00",
        ),
        Case(
            "A touchpoint without an amount counts as nothing",
            """
            when             | role     | amount
            2026-01-01 10:00 | purchase |
            2026-01-02 10:00 | purchase | 0.01
            """,
            {"spent": {"role": "purchase"}, "at_least": "0.01", "within": "1d"},
            "2026-01-02 10:00 -> 2026-01-03 10:00",
        ),
        Case(
            "Grown by a quarter over the window before",
            """
            when             | role     | amount
            2025-12-01 10:00 | visit    |
            2026-01-01 10:00 | purchase | 100.00
            2026-01-11 10:00 | purchase | 124.99
            2026-01-12 10:00 | purchase | 0.01
            """,
            {"grew": {"role": "purchase"}, "by": "1.25", "within": "10d"},
            "2026-01-12 10:00 -> 2026-01-21 10:00",
        ),
        Case(
            "Nothing has grown before two windows of life have passed",
            """
            when             | role     | amount
            2026-01-01 10:00 | visit    |
            2026-01-05 10:00 | purchase | 100.00
            2026-01-16 10:00 | purchase | 125.00
            """,
            {"grew": {"role": "purchase"}, "by": "1.25", "within": "10d"},
            "2026-01-21 10:00 -> 2026-01-25 10:00",
        ),
        Case(
            "The window before must be above zero",
            """
            when             | role     | amount
            2026-01-01 10:00 | visit    |
            2026-02-01 10:00 | purchase | 100.00
            2026-02-03 10:00 | refund   | -100.00
            2026-02-12 10:00 | purchase | 500.00
            """,
            {"grew": {"role": ["purchase", "refund"]}, "by": "1.25", "within": "10d"},
            "2026-02-12 10:00 -> 2026-02-13 10:00",
        ),
    ),
)
