from typing import Any

from tests.lifecycle.spec.case import Case, Topic

_NOTHING = "when | role"
_TOLD = """
when             | trait           | value
2026-01-01       | score:risk      | 4
2026-01-01       | score:recency   | 5
2026-02-01       | score:risk      | 9
2026-02-10       | score:recency   | 3
2026-03-01       | score:risk      | 7
2026-04-01       | score:risk      | null
2026-05-01       | score:risk      | 10
"""


def _case(name: str, rule: dict[str, Any], spans: str) -> Case:
    return Case(name, _NOTHING, rule, spans, traits=_TOLD)


topic = Topic(
    "What is estimated of a customer: scores",
    "The value models score everybody who has ordered once a day. Rules read a score by its step, a whole number from "
    "1: `score:alive`, the probability of being a customer still, `score:risk`, the risk of ordering nothing for three "
    "months (both in tenths: step 8 is 70 to 80 %), `score:worth`, what is expected within twelve months (in tenths of "
    "all customers, 10 the best) and `score:recency`, `score:frequency`, `score:monetary` (in classes from 1 to 5, the "
    "best). Whoever is under contract is a customer still, is expected to pay and to stay as those were who came as "
    "far, and has no risk and no classes. A step holds from the instant it was told until another one is: what arrives "
    "late changes the scores of days to come, never those of the past. While a score is not told, it satisfies only "
    "`exists: false`. Scores are compared by `is`, `is_not`, `in`, `not_in`, `gt`, `gte`, `lt`, `lte` and `exists`; a "
    "rule that names a score or a step that there is not is refused. A customer who was merged of several has what was "
    "told last of any of them.",
    (
        _case(
            "From when a step was told",
            {"trait": "score:risk", "gte": 8},
            "2026-02-01 -> 2026-03-01\n2026-05-01 -> for ever",
        ),
        _case(
            "While it is not told",
            {"trait": "score:risk", "exists": False},
            "2026-04-01 -> 2026-05-01",
        ),
        _case("Not told satisfies nothing else", {"trait": "score:risk", "lte": 3}, "never"),
        _case(
            "One of several steps",
            {"trait": "score:risk", "in": [4, 7]},
            "2026-01-01 -> 2026-02-01\n2026-03-01 -> 2026-04-01",
        ),
        _case(
            "Two scores together",
            {"all": [{"trait": "score:risk", "gte": 7}, {"trait": "score:recency", "lte": 3}]},
            "2026-02-10 -> 2026-04-01\n2026-05-01 -> for ever",
        ),
        _case(
            "A risk that has risen within a week",
            {"all": [{"trait": "score:risk", "gte": 8}, {"lately": {"trait": "score:risk", "lte": 4}, "within": "7d"}]},
            "2026-02-01 -> 2026-02-08",
        ),
        _case(
            "A risk that lasts",
            {"held": {"trait": "score:risk", "gte": 7}, "for": "30d"},
            "2026-03-03 -> 2026-04-01\n2026-05-31 -> for ever",
        ),
    ),
)
