"""How stages and roles look: the colour class of a stage by its position, the icon of a touchpoint by its role."""

from django import template
from django.utils.safestring import SafeString

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
def spaced(key: str) -> str:
    """A key as words: `external_id` becomes `external id`."""
    return key.replace("_", " ")


@register.simple_tag
def role_icon(role: str) -> SafeString:
    return icon(ROLE_ICONS.get(role, "point"))
