"""Scores in rules: traits of the name `score:<name>` whose values are steps, whole numbers from 1."""

from collections.abc import Mapping
from decimal import Decimal

from lifecycle.rules.document import RuleError
from lifecycle.rules.nodes import Test

PREFIX = "score:"
OPERATORS = ("is", "is_not", "in", "not_in", "gt", "gte", "lt", "lte", "exists")


def refuse_no_step(key: str, tests: tuple[Test, ...], *, scores: Mapping[str, int], path: str) -> None:
    """RuleError names the place where tests of the trait `key`, if it is a score, name one that there is not, or
    compare it with what is none of its steps. scores: how many steps each has; path: of the tests."""
    if not key.startswith(PREFIX):
        return
    name = key.removeprefix(PREFIX)
    if name not in scores:
        raise RuleError(f"{path}.trait", f'there is no score "{name[:80]}"; the scores are {", ".join(scores)}')
    for test in tests:
        at = f"{path}.{test.operator}"
        if test.operator not in OPERATORS:
            said = (
                f'a score is compared by its step, not by "{test.operator}"; the operators are {", ".join(OPERATORS)}'
            )
            raise RuleError(at, said)
        items = test.operand if isinstance(test.operand, tuple) else (test.operand,)
        for item in items if test.operator != "exists" else ():
            if not isinstance(item, Decimal) or item not in range(1, scores[name] + 1):
                raise RuleError(at, f'the steps of the score "{name}" are the whole numbers from 1 to {scores[name]}')
