"""How stages and roles look: the colour class of a stage by its position, the icon of a touchpoint by its role."""

import re
from collections.abc import Sequence

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify

from analytics.sorting import StageRef
from clm.lib.templatetags.icons import icon

register = template.Library()

COLOURS = 12
ROLE_ICONS = {
    "exposure": "speakerphone",
    "visit": "eye",
    "signup": "user-plus",
    "subscribe": "repeat",
    "cancel": "circle-x",
    "onboarding": "flag",
    "usage": "activity",
    "cart": "shopping-cart",
    "checkout": "credit-card",
    "purchase": "shopping-bag-check",
    "refund": "receipt-refund",
    "upgrade": "arrow-up-circle",
    "support": "lifebuoy",
    "feedback": "message-star",
    "review": "star",
    "referral": "users-plus",
    "share": "share",
    "call": "phone",
    "note": "note",
}


@register.filter
def stage_key(stage: StageRef | None) -> str:
    """The colour's name: `3`, `exit`, or `none` for no stage yet. Positions beyond the palette begin again."""
    if stage is None:
        return "none"
    return "exit" if stage.is_exit else str((stage.position - 1) % COLOURS + 1)


@register.filter
def stage_class(stage: StageRef | None) -> str:
    return f"stage-{stage_key(stage)}"


@register.filter
def without_subject(sentence: str) -> str:
    """A rule's sentence in a list of many: `The customer has had a purchase.` becomes `Has had a purchase.`"""
    rest = sentence.removeprefix("The customer ")
    return rest[:1].upper() + rest[1:]


@register.filter
def plain_names(sentence: str) -> str:
    """A rule's sentence with the bare names of sub-rules: `meets “alive”` becomes `alive`."""
    for verb, said in _SAID:
        sentence = verb.sub(said, sentence)
    return sentence


# How sentences say that a named rule is met, and what is left of it beside the name; the longer ones first.
_SAID = [
    (re.compile(f"\\b{verb} “([^”]+)”"), said)
    for verb, said in (
        ("has not yet met", r"not yet \1"),
        ("does not meet", r"not \1"),
        ("has met", r"\1"),
        ("meets", r"\1"),
        ("met", r"\1"),
    )
]


@register.filter
def rule_anchor(name: str) -> str:
    """The anchor of a named rule on the page of its model."""
    return f"rule-{slugify(name, allow_unicode=True)}"


# How sentences speak of a named rule; a word in quotation marks elsewhere is the name of a type.
NAMING = re.compile("(\\bme(?:et|ets|t) )“([^”]+)”")


@register.filter
def linked_rules(sentence: str, names: Sequence[str]) -> SafeString:
    """A rule's sentence in which every one of `names` leads to its named rule further down."""
    parts: list[SafeString] = []
    end = 0
    for found in NAMING.finditer(sentence):
        verb, name = found.groups()
        if name in names:
            parts.append(conditional_escape(sentence[end : found.start()]))
            parts.append(format_html('{}“<a href="#{}">{}</a>”', verb, rule_anchor(name), name))
            end = found.end()
    parts.append(conditional_escape(sentence[end:]))
    return format_html_join("", "{}", ((part,) for part in parts))


@register.filter
def spaced(key: str) -> str:
    """A key as words: `external_id` becomes `external id`."""
    return key.replace("_", " ")


@register.simple_tag
def role_icon(role: str) -> SafeString:
    return icon(ROLE_ICONS.get(role, "point"))
