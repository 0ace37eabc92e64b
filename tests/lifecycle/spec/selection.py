from tests.lifecycle.spec.case import Case, Topic

_HISTORY = """
when       | role     | type            | channel
2026-01-01 | exposure | Ad Shown        | web
2026-02-01 | visit    | Page Viewed     | web
2026-03-01 | visit    | Email Clicked   | email
2026-04-01 | purchase | Order Completed | web
2026-05-01 | other    | Badge Earned    |
"""

topic = Topic(
    "Which touchpoints: selectors",
    "A selector names roles, types, channels, or any activity, and may test properties. Keys given together must all "
    "hold; a name may be a list of names, of which one must fit; a selector may be a list of selectors, of which one "
    "must fit; `{}` selects every touchpoint. Activity is every role but exposure, cancel, refund and other.",
    (
        Case("Every touchpoint", _HISTORY, {"did": {}, "at_least": 5}, "2026-05-01 -> for ever"),
        Case("By role", _HISTORY, {"did": {"role": "purchase"}}, "2026-04-01 -> for ever"),
        Case("By one of two roles", _HISTORY, {"did": {"role": ["purchase", "visit"]}}, "2026-02-01 -> for ever"),
        Case("By type", _HISTORY, {"did": {"type": "Email Clicked"}}, "2026-03-01 -> for ever"),
        Case("By channel", _HISTORY, {"did": {"channel": "email"}}, "2026-03-01 -> for ever"),
        Case(
            "All keys together must hold",
            _HISTORY,
            {"did": {"role": ["visit", "purchase"], "channel": "web"}, "at_least": 2},
            "2026-04-01 -> for ever",
        ),
        Case("Any activity", _HISTORY, {"did": {"any_activity": True}, "at_least": 3}, "2026-04-01 -> for ever"),
        Case(
            "Any activity over a channel",
            _HISTORY,
            {"did": {"any_activity": True, "channel": "email"}},
            "2026-03-01 -> for ever",
        ),
        Case(
            "One of several selectors; what fits two of them counts once",
            _HISTORY,
            {"did": [{"role": "visit"}, {"channel": "email"}, {"type": "Badge Earned"}], "at_least": 3},
            "2026-05-01 -> for ever",
        ),
        Case("A type that never came", _HISTORY, {"did": {"type": "Nothing"}}, "never"),
        Case("Capitals matter", _HISTORY, {"did": {"type": "email clicked"}}, "never"),
    ),
)
