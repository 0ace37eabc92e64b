"""What the builder of rules says and may name: handed to its script as JSON."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from analytics.sorting import segments, stage_models
from analytics.words import words
from customers.models import Channel, Installation, Role, TouchpointType
from customers.score_steps import KEYS, PREFIX, SCORES
from lifecycle.models import SubRule

MOST_TYPES = 500


def offered(*, of: tuple[str, str] | None) -> dict[str, Any]:
    """Everything a rule may name that is offered. of: whose rule it is, ("segment" | "model" | "rule", key); a stage's
    rule may not use stages, and nothing names itself."""
    kind, key = of or ("", "")
    models = [] if kind == "model" else [one for one in stage_models() if one.version is not None]
    return {
        "of": {"kind": kind, "key": key} if of else None,
        "currency": Installation.current().currency,
        "roles": [{"value": role.value, "label": str(role.label), "detail": ""} for role in Role],
        "types": [
            {"value": name, "label": name, "detail": str(Role(role).label)}
            for name, role in TouchpointType.objects.order_by("name").values_list("name", "role")[:MOST_TYPES]
        ],
        "channels": [
            {"value": one, "label": one} for one in Channel.objects.order_by("key").values_list("key", flat=True)
        ],
        "properties": _keys("properties"),
        "traits": [one for one in _keys("traits") if one["value"] not in KEYS],
        "scores": _scores(),
        "segments": [
            {"value": one.key, "label": one.name}
            for one in segments()
            if one.version is not None and not (kind == "segment" and one.key == key)
        ],
        "stages": [
            {"model": model.key, "stage": stage.key, "label": f"{stage.name} ({model.name})", "group": model.name}
            for model in models
            for stage in model.stages.values()
        ],
        "rules": [
            {"value": name, "label": name}
            for name in SubRule.objects.order_by("name").values_list("name", flat=True)
            if not (kind == "rule" and name == key)
        ],
        "estimate": reverse("api_rules_estimate"),
        "counts": reverse("api_rule_counts"),
        "url": reverse("rule_words"),
    }


def _scores() -> list[dict[str, Any]]:
    """The scores with their steps, each said in a few words."""
    labels = {
        "alive": _("probability of being a customer still"),
        "risk": _("risk of ordering nothing for three months"),
        "worth": _("what is expected within twelve months"),
        "recency": _("recency"),
        "frequency": _("frequency"),
        "monetary": _("monetary value"),
    }
    found = []
    for name, steps in SCORES.items():
        said = [str(step) for step in range(1, steps + 1)]
        if name in ("alive", "risk"):
            said = [f"{step} ({10 * step - 10}–{10 * step} %)" for step in range(1, steps + 1)]
        else:
            said[0], said[-1] = _("%(step)s (lowest)") % {"step": 1}, _("%(step)s (best)") % {"step": steps}
        offers = [{"value": str(step), "label": one} for step, one in enumerate(said, start=1)]
        found.append({"value": PREFIX + name, "label": labels[name], "steps": offers})
    return found


def _keys(of: str) -> list[dict[str, str]]:
    """Keys as they were sent lately, each once, with the kind its values mostly have."""
    found: dict[str, str] = {}
    for word in words(what=of):
        found.setdefault(str(word.value), word.kind)
    kinds = {"string": _("text"), "number": _("number"), "boolean": _("yes or no")}
    return [{"value": key, "label": key, "kind": kind, "detail": kinds.get(kind, kind)} for key, kind in found.items()]


def rule_texts() -> dict[str, Any]:
    """The words of the builder's script. Braces are filled in by it."""
    lapse = Installation.current().lapse_days
    return {
        "whole_rule": _("The whole rule"),
        "condition": _("Condition {number}"),
        "kind_of": _("Kind: {name}"),
        "groups": {"one": _("One thing"), "several": _("Several things together")},
        "kinds": {
            "did": _("has done"),
            "on_days": _("has done on several days"),
            "spent": _("has spent"),
            "grew": _("has spent more than before"),
            "since": _("has begun and not ended"),
            "trait": _("has a trait"),
            "score": _("has a score"),
            "segment": _("is in a segment"),
            "stage": _("is in a stage"),
            "rule": _("meets a named rule"),
            "held": _("has for some time been one who"),
            "lately": _("was lately one who"),
            "all": _("all of these"),
            "any": _("any of these"),
            "not": _("not this"),
            "other": _("something else (JSON)"),
        },
        "operators": {
            "is": _("is"),
            "is_not": _("is not"),
            "in": _("is one of"),
            "not_in": _("is none of"),
            "contains": _("contains"),
            "starts_with": _("starts with"),
            "gt": _("is above"),
            "gte": _("is at least"),
            "lt": _("is below"),
            "lte": _("is at most"),
            "before": _("is before"),
            "after": _("is after"),
            "exists": _("is set"),
        },
        "narrowers": {
            "role": _("its kind"),
            "type": _("its type, as it was sent"),
            "channel": _("its channel"),
            "any_activity": _("that it is an activity"),
            "where": _("a property of it"),
        },
        "value_kinds": {"string": _("text"), "number": _("number"), "boolean": _("yes or no")},
        "up": _("Move up: {name}"),
        "down": _("Move down: {name}"),
        "copy": _("Copy: {name}"),
        "wrap": _("Put in a group: {name}"),
        "unwrap": _("Take out of its group: {name}"),
        "remove_condition": _("Remove: {name}"),
        "add": _("Add condition"),
        "add_to": _("Add a condition to: {name}"),
        "add_group": _("Add group"),
        "add_group_to": _("Add a group to: {name}"),
        "at_least": _("at least"),
        "times": _("times"),
        "how_often": _("how often"),
        "on_at_least": _("on at least"),
        "different_days": _("different days"),
        "how_many_days": _("on how many days"),
        "worth": _("worth at least"),
        "amount": _("amount"),
        "grew_by": _("worth at least"),
        "factor": _("how many times as much"),
        "times_before": _("times what it was before"),
        "and_since_no": _("and since the latest no"),
        "ended_by": _("ended by"),
        "within_the_last": _("within the last"),
        "within": _("within"),
        "for": _("for"),
        "how_long": _("how long"),
        "unit": _("unit"),
        "minutes": _("minutes"),
        "hours": _("hours"),
        "days": _("days"),
        "weeks": _("weeks"),
        "lapse": _("the lapse window (%(days)d days)") % {"days": lapse},
        "ever": _("at any time"),
        "role": _("Kind of touchpoint"),
        "type": _("Type"),
        "channel": _("Channel"),
        "any_activity": _("any activity"),
        "any_touchpoint": _("any touchpoint"),
        "narrow": _("Narrow down by"),
        "narrow_first": _("narrow down by …"),
        "narrow_more": _("and by …"),
        "where": _("where"),
        "property": _("Property"),
        "trait": _("Trait"),
        "score": _("Score"),
        "step": _("step"),
        "segment": _("Segment"),
        "stage": _("Stage"),
        "named_rule": _("Named rule"),
        "operator": _("comparison"),
        "kind_of_value": _("kind of value"),
        "test": _("test"),
        "another_test": _("Another property"),
        "and_also": _("And also"),
        "or_another": _("Or another"),
        "choice": _("choice"),
        "and": _("and"),
        "or": _("or"),
        "yes": _("yes"),
        "no": _("no"),
        "remove": _("Remove"),
        "added": _("Added:"),
        "removed": _("Removed:"),
        "add_value": _("Add …"),
        "suggestions": _("0 suggestions"),
        "no_suggestion": _("No suggestion"),
        "about": _("about"),
        "between": _("between {low} and {high}, with 95 % confidence"),
        "sample": _("Estimated from {sampled} customers drawn at random out of {everybody}."),
        "everybody": _("Counted for all {everybody} customers."),
        "not_yet": _("This is not a rule yet."),
        "no_answer": _("The server gives no answer. What you build here is not lost."),
        "not_json": _("This is not JSON:"),
        "too_large": _("This rule can only be edited as JSON."),
        "says": {
            "up": _("Moved up."),
            "down": _("Moved down."),
            "add": _("Condition added."),
            "add_group": _("Group added."),
            "duplicate": _("Copied."),
            "wrap": _("Put in a group."),
            "unwrap": _("Taken out of its group."),
            "remove": _("Removed."),
            "turned": _("Now: {kind}."),
            "undone": _("Undone."),
            "redone": _("Done again."),
            "estimate": _("It holds for {count} customers now."),
            "counting": _("Counting everybody."),
        },
    }
