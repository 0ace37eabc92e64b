from typing import Any

from tests.lifecycle.spec.case import Case, Topic

_NOTHING = "when | role"
_TOLD = """
when       | trait | value
2026-01-01 | plan  | "free"
2026-01-01 | seats | 3
2026-02-01 | plan  | "pro"
2026-03-01 | seats | 12
2026-04-01 | plan  | null
2026-05-01 | plan  | ["pro"]
2026-06-01 | plan  | "pro"
"""


def _case(name: str, rule: dict[str, Any], spans: str, told: str = _TOLD) -> Case:
    return Case(name, _NOTHING, rule, spans, traits=told)


topic = Topic(
    "What is known of a customer: traits",
    "A trait is a step function of time: what was told holds from the instant it was told for until something else is, "
    "whatever order it arrives in. Of two values told for one instant the one recorded later counts. A customer of "
    "several profiles has the traits of all. The tests are those of properties; a trait that was never set, or set to "
    "null, satisfies only `exists: false`.",
    (
        _case("From when it was told until it changes", {"trait": "plan", "is": "free"}, "2026-01-01 -> 2026-02-01"),
        _case(
            "As often as it is so",
            {"trait": "plan", "is": "pro"},
            "2026-02-01 -> 2026-04-01\n2026-06-01 -> for ever",
        ),
        _case(
            "Another value of the same kind; a list is none",
            {"trait": "plan", "is_not": "free"},
            "2026-02-01 -> 2026-04-01\n2026-06-01 -> for ever",
        ),
        _case(
            "Set at all: anything but null",
            {"trait": "plan", "exists": True},
            "2026-01-01 -> 2026-04-01\n2026-05-01 -> for ever",
        ),
        _case("Set to null", {"trait": "plan", "exists": False}, "2026-04-01 -> 2026-05-01"),
        _case("Never set", {"trait": "city", "exists": False}, "2026-01-01 -> for ever"),
        _case("Never set satisfies nothing else", {"trait": "city", "is_not": "Ulm"}, "never"),
        _case("Several operators", {"trait": "seats", "gte": 10, "lt": 13}, "2026-03-01 -> for ever"),
        _case("A number is not a text", {"trait": "seats", "is": "3"}, "never"),
        _case(
            "Of two values for one instant the later recorded",
            {"trait": "plan", "is": "pro"},
            "2026-01-01 -> 2026-02-01",
            """
            when       | trait | value
            2026-02-01 | plan  | "team"
            2026-01-01 | plan  | "free"
            2026-01-01 | plan  | "pro"
            """,
        ),
        _case(
            "With time: held",
            {"held": {"trait": "plan", "is": "pro"}, "for": "30d"},
            "2026-03-03 -> 2026-04-01\n2026-07-01 -> for ever",
        ),
    ),
)
