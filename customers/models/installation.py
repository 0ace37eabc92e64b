"""The few settings that change what numbers mean, so they are data with a history, not environment variables."""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _

from clm.lib.reading import once


@pghistory.track()
class Installation(models.Model):
    """The one row that says whose installation this is and in what zone, currency and rhythm it counts.

    support_days, support_opens, support_closes: when support is at work, for waiting times in business hours.
    A change of lapse_days or time_zone reaches stages and segments only through new published versions."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("organisation"), max_length=100, default="CLM")
    lapse_days = models.PositiveIntegerField(
        _("days without activity until a customer lapses"), default=180, help_text=_("L in rule documents.")
    )
    time_zone = models.CharField(_("business time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("reporting currency"), max_length=3, default="EUR")
    minor_digits = models.SmallIntegerField(_("digits of the minor unit"), default=2)
    news_hours = models.PositiveIntegerField(
        _("hours after which a change is no longer news"),
        default=24,
        help_text=_("Campaigns and webhooks are told of a change only within this window."),
    )
    margin_percent = models.DecimalField(
        _("gross margin, percent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    support_days = models.CharField(
        _("days on which support works"), max_length=7, default="12345", help_text=_("ISO numbers, Monday is 1.")
    )
    support_opens = models.CharField(_("support begins at"), max_length=5, default="09:00")
    support_closes = models.CharField(_("support ends at"), max_length=5, default="17:00")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="there_is_one_installation"),
            models.CheckConstraint(
                condition=models.Q(lapse_days__gte=1, lapse_days__lte=3660), name="lapse_days_are_1_to_3660"
            ),
            models.CheckConstraint(
                condition=models.Q(minor_digits__gte=0, minor_digits__lte=4), name="minor_digits_are_0_to_4"
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="reporting_currency_is_iso_4217"
            ),
            models.CheckConstraint(
                condition=models.Q(margin_percent=None) | models.Q(margin_percent__gte=0, margin_percent__lte=100),
                name="margin_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=models.Q(support_days__regex="^1?2?3?4?5?6?7?$") & ~models.Q(support_days=""),
                name="support_works_on_days_of_the_week",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    support_opens__regex="^([01][0-9]|2[0-3]):[0-5][0-9]$",
                    support_closes__regex="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
                    support_opens__lt=models.F("support_closes"),
                ),
                name="support_begins_before_it_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    @once
    def current(cls) -> "Installation":
        """The row, made with its defaults when there is none yet."""
        return cls.objects.get_or_create(id=1)[0]
