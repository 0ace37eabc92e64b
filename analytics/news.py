"""Whether something has come in since a page was made: a mark that changes with what the page shows, cheap enough to be
asked for every half minute by every open page."""

from clm.lib import sql
from customers.models import Touchpoint


def mark(*, customer: int | None = None) -> str:
    """The mark of one customer's touchpoints and names, or of all touchpoints: one index probe."""
    if customer is None:
        newest = Touchpoint.objects.order_by("-pk").values_list("pk", flat=True).first()
        return str(newest or 0)
    return "-".join(str(part or 0) for part in sql.rows("analytics/news_of_customer", customer=customer)[0])
