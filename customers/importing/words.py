"""What is said of imports, on pages and on the terminal alike. CONFLICT_WORDS go on after a number of rows."""

from collections.abc import Callable

from django.utils.translation import ngettext

CONFLICT_WORDS: dict[str, Callable[[int], str]] = {
    "two_customers": lambda n: ngettext(
        "names two who are two customers here: the row goes to the first, and people decide",
        "name two who are two customers here: each row goes to the first, and people decide",
        n,
    ),
    "kept_unsubscribed": lambda n: ngettext(
        "would subscribe somebody again who has unsubscribed: they stay unsubscribed",
        "would subscribe people again who have unsubscribed: they stay unsubscribed",
        n,
    ),
    "told_later": lambda n: ngettext(
        "says something else than what was told later: what was told later stays",
        "say something else than what was told later: what was told later stays",
        n,
    ),
    "named_again": lambda n: ngettext(
        "is about somebody whom an earlier row of the file is about too",
        "are about somebody whom an earlier row of the file is about too",
        n,
    ),
}

# Traits by which other systems say where somebody stands with them; shown beside our stages, never instead of them.
STAGES_ELSEWHERE: dict[str, str] = {
    "hubspot: Lifecycle Stage": "HubSpot",
    "hubspot: Lead Status": "HubSpot",
    "salesforce: Lead Status": "Salesforce",
    "dynamics: Status": "Dynamics 365",
    "customerly: lead_status": "Customerly",
    "emarsys: Lifecycle Status": "SAP Emarsys",
    "emarsys: Contact Lifecycle": "SAP Emarsys",
    "stripe: Status": "Stripe",
}
