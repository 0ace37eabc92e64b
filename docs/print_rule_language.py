"""Prints the manual from the specification: `python docs/print_rule_language.py > docs/rule-language.md`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lifecycle.rules.describe import sentence
from lifecycle.rules.nodes import ACTIVITY_ROLES, ROLES
from lifecycle.rules.parse import MOST_DEPTH, MOST_NODES, MOST_SELECTORS, parse_rule
from lifecycle.rules.presets import installed_models, installed_segments, installed_sub_rules
from lifecycle.rules.value_tests import OPERATORS
from tests.lifecycle.spec.case import LAPSE_DAYS, Case, Topic, Walk, dedented, parsed
from tests.lifecycle.spec.topics import TOPICS

_INTRODUCTION = """\
# The rule language

<!-- Printed by docs/print_rule_language.py from tests/lifecycle/spec. Do not edit by hand. -->

Stages and segments are rules, written in JSON. A rule is not true or false about a customer: it is true **on spans of
time**, `[from, until)`, worked out from the customer's touchpoints and traits. A span may end in the future: that is
when the rule stops being true if nothing else happens. Every example below is a test of the program.

| rule | true at an instant when |
| --- | --- |
| `{"all": [r, ...]}` `{"any": [r, ...]}` `{"not": r}` | every part, at least one part, or not the part is true |
| `{"did": S, "at_least": k, "within": W}` | at least k touchpoints of selector S lie in the window W that ends now |
| `{"did": S, "on_days": k, "within": W}` | they fall on at least k calendar days of the business time zone |
| `{"spent": S, "at_least": "100.00", "within": W}` | their amounts sum to at least that |
| `{"grew": S, "by": "1.25", "within": W}` | their amounts are at least so many times those of the window before |
| `{"since": A, "until": B}` | some A happened, and no B at or after the latest A |
| `{"held": r, "for": D}` | r has been true without a break for D |
| `{"lately": r, "within": D}` | r was true at some instant in the window D that ends now |
| `{"trait": "plan", "is": "pro"}` | what is known of the customer by that name satisfies the test |
| `{"segment": key}` `{"stage": [model, key]}` | the customer is in the segment, in the stage of the model |
| `{"rule": name}` | the stored sub-rule of that name is true |

Durations are whole numbers of minutes, hours, days or weeks, `"30m"` `"12h"` `"90d"` `"2w"`, of fixed length and at
most `3660d`, or `"L"`, the installation's lapse window. `within` may be left out of did and spent: then it means ever.
Amounts and `by` are decimal texts; `by` lies from 0.0001 to 1000 with at most four places. """


def manual() -> str:
    """The whole page."""
    bounds = (
        f"A rule has at most {MOST_NODES} nodes, {MOST_DEPTH} deep, and {MOST_SELECTORS} selectors, sub-rules "
        "and segments counted as what they stand for."
    )
    roles = (
        f"**Roles**: {', '.join(f'`{role}`' for role in ROLES)}. Not counted as activity: "
        f"{', '.join(f'`{role}`' for role in ROLES if role not in ACTIVITY_ROLES)}.\n\n"
        f"**Operators** of `where` and `trait`: {', '.join(f'`{name}`' for name in OPERATORS)}."
    )
    return "\n\n".join([_INTRODUCTION + bounds, roles, *(_topic(topic) for topic in TOPICS), _installed()]) + "\n"


def _topic(topic: Topic) -> str:
    cases = (_case(case) if isinstance(case, Case) else _walk(case) for case in topic.cases)
    return "\n\n".join([f"## {topic.title}", topic.text, *cases])


def _case(case: Case) -> str:
    said = [f"### {case.name}", _json(case.rule), sentence(parsed(case))]
    said += [f"where “{name}” is `{json.dumps(rule)}`" for name, rule in case.sub_rules.items()]
    if case.zone != "UTC":
        said.append(f"Business time zone {case.zone}; instants are UTC.")
    if case.life:
        said.append(f"The life starts on {case.life}.")
    said += [
        f"where the segment “{key}” is `{json.dumps(rule)}`" if rule else f"where the segment “{key}” is a static list"
        for key, rule in case.segments.items()
    ]
    for model, stages in case.models.items():
        listed = ", ".join(f"“{key}” `{json.dumps(rule)}`" for key, rule in stages.items())
        said.append(f"where the stages of “{model}” are, lowest precedence first, {listed}")
    tables = [
        _text(table) for table in (case.table, case.traits, case.by_hand) if len(dedented(table).splitlines()) > 1
    ]
    return "\n\n".join([*said, *tables, "True:", _text(case.spans)])


def _walk(walk: Walk) -> str:
    models = {model.key: model.name for model in installed_models()}
    said = [f"### {walk.name}", _text(walk.table)]
    for key, lines in walk.stages.items():
        said += [f"{models[key]} (`{key}`):", _text(lines)]
    return "\n\n".join(said)


def _installed() -> str:
    """The models, sub-rules and segments that come with the program, in sentences."""

    def say(rule: object) -> str:
        return sentence(parse_rule(rule, lapse_days=LAPSE_DAYS, sub_rules=installed_sub_rules()))

    said = ["## What comes with the program", "Sub-rules, shared by all models (L is 180 days here):"]
    said.append("\n".join(f"- **{name}**: {say(rule)}" for name, rule in installed_sub_rules().items()))
    for model in installed_models():
        said.append(f"### {model.name} (`{model.key}`)\n\nLowest precedence first.")
        stages = [f"{place}. **{stage.name}**: {say(stage.rule)}" for place, stage in enumerate(model.stages, start=1)]
        said.append("\n".join([*stages, f"- **{model.exit_name}** (exit): no stage holds any more."]))
    said.append("### Segments")
    said.append("\n".join(f"- **{one.name}** ({one.preset}): {say(one.rule)}" for one in installed_segments()))
    return "\n\n".join(said)


def _json(rule: object) -> str:
    return f"```json\n{json.dumps(rule, ensure_ascii=False)}\n```"


def _text(text: str) -> str:
    return f"```text\n{dedented(text)}\n```"


if __name__ == "__main__":
    sys.stdout.write(manual())
