"""What we may do and what things cost: consent and exchange rates."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


@pghistory.track()
class Consent(models.Model):
    """One statement of consent for an address, a channel and a purpose. Append-only: the latest one counts."""

    class State(models.TextChoices):
        GRANTED = "granted", _("granted")
        PENDING = "pending", _("waiting for confirmation")
        WITHDRAWN = "withdrawn", _("withdrawn")
        REFUSED = "refused", _("refused by the address")  # bounced, complained

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey("customers.Profile", models.CASCADE, related_name="consents")
    address = models.CharField(max_length=512)
    channel = models.CharField(max_length=60)
    purpose = models.CharField(max_length=60)
    state = models.CharField(max_length=20, choices=State)
    source = models.CharField(max_length=200, blank=True, default="")
    text_version = models.CharField(max_length=60, blank=True, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["granted", "pending", "withdrawn", "refused"]),
                name="consent_state_is_known",
            ),
        ]
        indexes = [
            # What an address was known to say before an import: customers/importing/consents.py.
            models.Index(Lower("address"), "channel", "purpose", name="consent_of_address"),
        ]
        triggers = [pgtrigger.Protect(name="consent_is_never_rewritten", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}: {self.state}"


class ExchangeRate(models.Model):
    """What one unit of `currency` was worth in the reporting currency from `day` on, until the next day with a rate."""

    currency = models.CharField(max_length=3)
    day = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    source = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["currency", "day"], name="exchange_rate_is_one_per_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="exchange_rate_is_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}: {self.rate}"
