from tests.lifecycle.spec.case import Topic, Walk

topic = Topic(
    "Stages: four customers walked through the three models",
    "At every instant a customer is in the stage of highest precedence whose rule holds; in the exit stage if none "
    "holds but one held before; in none before that. Lines are the instants of entering; L is 180 days.",
    (
        Walk(
            "A customer of a shop that knows nothing but orders",
            """
            when             | role     | amount
            2025-01-01 10:00 | purchase | 100.00
            2025-02-10 12:00 | purchase | 50.00
            2025-11-01 09:00 | purchase | 100.00
            2026-01-10 09:00 | purchase | 40.00
            2026-01-20 09:00 | purchase | 60.00
            """,
            {
                # Second day of purchase 10 February. 180 days of silence end on 9 August. From 20 January three days
                # of purchase within 180 days and 200.00 against 50.00, until those 50.00 are 360 days old on
                # 5 February; growing lasts 30 days more.
                "seven": """
                2025-01-01 10:00 Acquisition
                2025-02-10 12:00 Retention
                2025-08-09 12:00 Lapsed
                2025-11-01 09:00 Retention
                2026-01-20 09:00 Expansion
                2026-03-07 12:00 Retention
                2026-07-19 09:00 Lapsed
                """,
                "five": """
                2025-01-01 10:00 Conversion
                2025-02-10 12:00 Retention
                2025-08-09 12:00 Lapsed
                2025-11-01 09:00 Retention
                2026-07-19 09:00 Lapsed
                """,
                # Four days of purchase within 365 days, until the second order is 365 days old.
                "cycle": """
                2025-01-01 10:00 Conversion
                2025-02-10 12:00 Retention
                2025-08-09 12:00 Win-back
                2025-11-01 09:00 Retention
                2026-01-20 09:00 Loyalty
                2026-02-10 12:00 Cross-sell & upsell
                2026-03-07 12:00 Retention
                2026-07-19 09:00 Win-back
                """,
            },
        ),
        Walk(
            "A trial user who upgrades, cancels and returns",
            """
            when             | role
            2026-01-05 09:00 | exposure
            2026-01-06 10:00 | visit
            2026-01-06 10:20 | signup
            2026-01-06 11:00 | onboarding
            2026-01-08 09:00 | usage
            2026-01-20 09:00 | upgrade
            2026-01-20 09:00 | subscribe
            2026-02-10 09:00 | usage
            2026-04-01 09:00 | usage
            2026-06-01 12:00 | cancel
            2026-07-15 08:00 | subscribe
            2026-07-16 08:00 | usage
            """,
            {
                # Established since 6 April: alive for 90 days and using; that counts for 180 days after 31 May, by
                # when the second subscription has run for 90 days. Silent for 180 days on 12 January.
                "seven": """
                2026-01-05 09:00 Awareness
                2026-01-06 10:20 Acquisition
                2026-01-06 11:00 Onboarding
                2026-01-20 09:00 Expansion
                2026-04-20 09:00 Retention
                2026-06-01 12:00 Lapsed
                2026-07-15 08:00 Retention
                2027-01-12 08:00 Lapsed
                """,
                "five": """
                2026-01-05 09:00 Awareness
                2026-01-06 10:20 Consideration
                2026-01-20 09:00 Conversion
                2026-04-06 10:20 Retention
                2026-06-01 12:00 Lapsed
                2026-07-15 08:00 Retention
                2027-01-12 08:00 Lapsed
                """,
                "cycle": """
                2026-01-05 09:00 Awareness
                2026-01-06 10:20 Conversion
                2026-01-20 09:00 Cross-sell & upsell
                2026-04-20 09:00 Retention
                2026-06-01 12:00 Win-back
                2026-07-15 08:00 Retention
                2027-01-12 08:00 Win-back
                """,
            },
        ),
        Walk(
            "A visitor who never converts",
            """
            when             | role
            2026-03-01 10:00 | exposure
            2026-03-03 12:00 | visit
            2026-03-05 12:00 | visit
            2026-03-05 12:30 | cart
            """,
            {
                "seven": """
                2026-03-01 10:00 Awareness
                2026-09-01 12:30 Gone quiet
                """,
                "five": """
                2026-03-01 10:00 Awareness
                2026-03-05 12:00 Consideration
                2026-04-04 12:30 Awareness
                2026-09-01 12:30 Gone quiet
                """,
                "cycle": """
                2026-03-01 10:00 Awareness
                2026-03-05 12:00 Engagement
                2026-03-31 12:00 Awareness
                2026-09-01 12:30 Gone quiet
                """,
            },
        ),
        Walk(
            "A customer who recommends, and then does not",
            """
            when             | role     | nps
            2026-01-01 10:00 | purchase |
            2026-02-01 10:00 | feedback | 10
            2026-02-10 10:00 | feedback | 7
            2026-03-01 10:00 | feedback | 6
            """,
            {
                "seven": """
                2026-01-01 10:00 Acquisition
                2026-02-01 10:00 Advocacy
                2026-03-01 10:00 Acquisition
                2026-08-28 10:00 Lapsed
                """,
                "five": """
                2026-01-01 10:00 Conversion
                2026-02-01 10:00 Advocacy
                2026-03-01 10:00 Conversion
                2026-08-28 10:00 Lapsed
                """,
                "cycle": """
                2026-01-01 10:00 Conversion
                2026-02-01 10:00 Loyalty
                2026-03-01 10:00 Conversion
                2026-08-28 10:00 Win-back
                """,
            },
        ),
    ),
)
