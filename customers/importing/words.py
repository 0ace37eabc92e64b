"""What is said of imports, on pages and on the terminal alike."""

from typing import Any

from django.utils.translation import gettext_lazy as _

CONFLICT_WORDS: dict[str, Any] = {
    "two_customers": _("name two who are two customers here: the row goes to the first, and people decide"),
    "kept_unsubscribed": _("would subscribe somebody again who has unsubscribed: they stay unsubscribed"),
    "told_later": _("say something else than what was told later: what was told later stays"),
    "named_again": _("are about somebody whom an earlier row of the file is about too"),
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
