"""What is said of imports, on pages and on the terminal alike."""

from typing import Any

from django.utils.translation import gettext_lazy as _

CONFLICT_WORDS: dict[str, Any] = {
    "two_customers": _("names two customers who are two here: the row goes to the first, and people decide"),
    "kept_unsubscribed": _("would subscribe somebody again who has unsubscribed; they stay unsubscribed"),
    "told_later": _("says something else than what was told later; what was told later stays"),
    "named_again": _("is about somebody whom an earlier row of the file is about too"),
}
