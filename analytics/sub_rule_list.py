"""The named rules that stage models and segments share: what each says, and what uses it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from customers.models import Installation
from lifecycle.models import SubRule
from lifecycle.present import Present
from lifecycle.rules.describe import sentence
from lifecycle.rules.document import RuleError
from lifecycle.rules.parse import parse_rule
from lifecycle.uses import Use, uses_of_sub_rules


@dataclass(frozen=True, slots=True)
class SubRuleRow:
    """One named rule. error: why it is no rule any more, "" as long as it is; then the sentence is empty."""

    id: int
    name: str
    sentence: str
    error: str
    document: Any
    changed_at: datetime
    uses: tuple[Use, ...]


def sub_rules(*, name: str | None = None) -> tuple[SubRuleRow, ...]:
    """Every named rule as it is live, by name; only the one of that `name`, if one is given."""
    used = uses_of_sub_rules()
    present, installation = Present(), Installation.current()
    found = SubRule.objects.all() if name is None else SubRule.objects.filter(name=name)
    rows = []
    for one in found.order_by("name"):
        words, error = "", ""
        try:
            words = _said(one, present, installation)
        except RuleError as refusal:
            error = str(refusal)
        rows.append(SubRuleRow(one.pk, one.name, words, error, one.document, one.changed_at, used.get(one.name, ())))
    return tuple(rows)


def _said(one: SubRule, present: Present, installation: Installation) -> str:
    segments, models = present.named()
    node = parse_rule(
        one.document,
        lapse_days=installation.lapse_days,
        sub_rules=present.sub_rules,
        minor_digits=installation.minor_digits,
        segments=segments,
        models=models,
        of=("rule", one.name),
    )
    return sentence(node, currency=installation.currency, minor_digits=installation.minor_digits)
