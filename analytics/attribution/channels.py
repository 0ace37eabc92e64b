"""Which marketing channel a contact came over. What spend is entered for decides where it can: a campaign that is known
here counts for the channel it is kept under. Otherwise the medium that a link names, and without any the way the
contact came, which for pages of one's own is a direct visit.

Only ads and visits are marketing touches. A message to somebody is one when it is clicked, not when it is sent or
opened; what is shown on pages of one's own is none."""

from collections.abc import Mapping

DIRECT, OTHER = "direct", "other"
# Where a visit without a campaign is a direct one: pages and apps of one's own.
OWN = frozenset({"web", "app", "server", "direct"})
# Over what messages go: sent and opened ones are no touches, clicked ones are.
MESSAGES = frozenset({"email", "push", "sms", "chat", "inapp"})

# Channels that nobody pays for by the click or the view: media that is booked there makes paid cost look lower.
UNPAID = OWN | MESSAGES | {"organic", "referral", OTHER}

_SOCIAL = frozenset(
    {
        "facebook", "fb", "instagram", "ig", "meta", "linkedin", "twitter", "x", "t.co", "tiktok", "pinterest",
        "reddit", "snapchat", "youtube", "threads", "xing", "whatsapp", "telegram", "vk", "mastodon", "bluesky",
    }
)  # fmt: skip
_SEARCH = frozenset({"google", "bing", "yahoo", "duckduckgo", "ecosia", "baidu", "yandex", "qwant", "adwords"})
_MEDIA: Mapping[str, str] = {
    **dict.fromkeys(("cpc", "ppc", "sem", "paidsearch", "paid-search", "paid_search"), "search"),
    **dict.fromkeys(
        ("social", "paidsocial", "paid-social", "paid_social", "social-media", "social_media", "social-network", "sm"),
        "social",
    ),
    **dict.fromkeys(("display", "banner", "cpm", "interstitial", "expandable", "programmatic"), "display"),
    **dict.fromkeys(("email", "e-mail", "e_mail", "newsletter", "mail"), "email"),
    **dict.fromkeys(("affiliate", "affiliates", "affiliation"), "affiliate"),
    **dict.fromkeys(("partner", "partners"), "partner"),
    **dict.fromkeys(("referral", "link"), "referral"),
    **dict.fromkeys(("video", "cpv"), "video"),
    **dict.fromkeys(("print", "offline", "qr", "flyer", "catalogue", "catalog"), "print"),
    **dict.fromkeys(("sms", "text"), "sms"),
    **dict.fromkeys(("push", "notification"), "push"),
    "organic": "organic",
}


def marketing_channel(
    *, over: str, source: str = "", medium: str = "", campaign: str = "", known: Mapping[str, str] | None = None
) -> str:
    """The key of the channel of a touch. over: the way the contact came; source, medium, campaign: what the link says
    (utm_*), lower-cased; known: by key of a campaign that is kept here its channel."""
    if campaign and known and campaign in known:
        return known[campaign]
    if medium in _MEDIA:
        found = _MEDIA[medium]
        # Clicks are also bought in social networks.
        return "social" if found == "search" and source in _SOCIAL else found
    if source in _SOCIAL:
        return "social"
    if source in _SEARCH:
        return "search" if medium else "organic"
    if source == DIRECT or medium in ("(none)", "none"):
        return DIRECT
    if source or medium or campaign:
        return OTHER
    return DIRECT if over in OWN else over
