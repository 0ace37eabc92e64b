"""Campaigns and what was spent on them. Sending is not built yet: a campaign here is a record that spend and results
hang on."""

import pghistory
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


@pghistory.track()
class Campaign(models.Model):
    """One campaign: over which channel, when, for how much, to whom, and the UTM key its visits carry."""

    key = models.SlugField(max_length=100, unique=True, help_text=_("utm_campaign, lower-case."))
    name = models.CharField(_("name"), max_length=200)
    channel = models.ForeignKey("customers.Channel", models.PROTECT, null=True, blank=True, related_name="+")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    budget = models.BigIntegerField(null=True, blank=True, help_text=_("In minor units of the reporting currency."))
    audience = models.ForeignKey("lifecycle.Subject", models.PROTECT, null=True, blank=True, related_name="campaigns")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on=None)
                | models.Q(starts_on=None)
                | models.Q(ends_on__gte=models.F("starts_on")),
                name="campaign_ends_on_or_after_its_start",
            ),
            models.CheckConstraint(
                condition=models.Q(budget=None) | models.Q(budget__gte=0), name="campaign_budget_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Spend(models.Model):
    """What was spent on a channel, and perhaps one campaign, on one day of the business time zone."""

    id = models.BigAutoField(primary_key=True)
    channel = models.ForeignKey("customers.Channel", models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, blank=True, related_name="spend")
    day = models.DateField()
    amount = models.BigIntegerField(help_text=_("In minor units of the reporting currency."))
    original_amount = models.DecimalField(max_digits=18, decimal_places=4)
    currency = models.CharField(max_length=3)
    is_paid_media = models.BooleanField(
        default=True,
        help_text=_("Variable spend on media; false for salaries and tools, which only blended CAC counts."),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "campaign", "day", "currency", "is_paid_media"],
                nulls_distinct=False,
                name="spend_is_entered_once_a_day",
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="spend_is_not_negative"),
        ]
        verbose_name_plural = "spend"

    def __str__(self) -> str:
        return f"{self.day}: {self.original_amount} {self.currency}"
