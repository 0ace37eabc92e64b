from tests.lifecycle.spec.case import Case, Topic

topic = Topic(
    "One thing after another: since",
    "`since` A `until` B is true while some A has happened and no B at or after the latest A: an open subscription, an "
    "abandoned cart, an unanswered ticket. When A and B happen at one instant it is not true.",
    (
        Case(
            "Open until it is closed",
            """
            when             | role
            2026-01-01 10:00 | subscribe
            2026-03-01 10:00 | cancel
            """,
            {"since": {"role": "subscribe"}, "until": {"role": "cancel"}},
            "2026-01-01 10:00 -> 2026-03-01 10:00",
        ),
        Case(
            "A second opening changes nothing, a second closing neither",
            """
            when             | role
            2025-12-01 10:00 | cancel
            2026-01-01 10:00 | subscribe
            2026-02-01 10:00 | subscribe
            2026-03-01 10:00 | cancel
            2026-03-02 10:00 | cancel
            2026-04-01 10:00 | subscribe
            """,
            {"since": {"role": "subscribe"}, "until": {"role": "cancel"}},
            """
            2026-01-01 10:00 -> 2026-03-01 10:00
            2026-04-01 10:00 -> for ever
            """,
        ),
        Case(
            "Both at one instant: not true",
            """
            when             | role
            2026-01-01 10:00 | cancel
            2026-01-01 10:00 | subscribe
            """,
            {"since": {"role": "subscribe"}, "until": {"role": "cancel"}},
            "never",
        ),
        Case(
            "Both at one instant close what was open",
            """
            when             | role
            2026-01-01 10:00 | subscribe
            2026-02-01 10:00 | subscribe
            2026-02-01 10:00 | cancel
            """,
            {"since": {"role": "subscribe"}, "until": {"role": "cancel"}},
            "2026-01-01 10:00 -> 2026-02-01 10:00",
        ),
        Case(
            "What is selected by both never opens anything",
            """
            when             | role
            2026-01-01 10:00 | cart
            2026-01-02 10:00 | purchase
            """,
            {"since": {"any_activity": True}, "until": {"role": ["cart", "purchase"]}},
            "never",
        ),
    ),
)
