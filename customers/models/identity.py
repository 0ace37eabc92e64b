"""Customers, the profiles under which they were met, and how we recognise them.

Whatever arrives hangs on a Profile for ever. `Profile.customer` says whose it is, so a merge moves a few map rows and
no fact, and can be undone exactly."""

import pghistory
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Left, Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clm.lib.references import bare_reference

# Letters of a name that lists are sorted by.
SORTED_LETTERS = 40


class Customer(models.Model):
    """A person. The texts are a portrait of what its profiles' traits and identities say now, kept for lists and
    search by `customers.portrait`; they are never the source of truth. is_anonymous: nothing is known but the ids of
    devices; portrayed_at: when the portrait changed last; erased_at: when the person was erased (`customers.erase`)."""

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(default=timezone.now)
    # Its index is the named one below.
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, db_index=False, related_name="absorbed"
    )
    name = models.TextField(_("name"), blank=True, default="")
    email = models.TextField(_("e-mail"), blank=True, default="")
    phone = models.TextField(_("phone"), blank=True, default="")
    search_text = models.TextField(blank=True, default="", editable=False)
    is_anonymous = models.BooleanField(default=False, db_default=False, editable=False)
    portrayed_at = models.DateTimeField(db_default=Now(), editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [
            # The search box: any part of a name, an address, a number or an id.
            GinIndex(fields=["search_text"], name="customer_search", opclasses=["gin_trgm_ops"]),
            # The list by name (analytics.listing_order), in either direction; and after it those without a name.
            models.Index(
                Lower(Left("name", SORTED_LETTERS)),
                "id",
                name="customer_by_name",
                condition=models.Q(merged_into=None) & ~models.Q(name=""),
            ),
            models.Index(
                fields=["is_anonymous", "id"],
                name="customer_without_name",
                condition=models.Q(merged_into=None, name=""),
            ),
            # Who was merged into a customer: customers.merge, and deleting one. Without the many who were not: their
            # NULLs would be written with everybody new.
            models.Index(
                fields=["merged_into"], name="customer_merged_into", condition=models.Q(merged_into__isnull=False)
            ),
            # Who changed since lists were sorted last: analytics/sql/listed_touched.sql.
            models.Index(fields=["portrayed_at"], name="customer_portrayed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("id")), name="customer_is_not_merged_into_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.known_as

    @property
    def known_as(self) -> str:
        """What people call a customer by: the name, the address, or whatever id it is recognised by."""
        return self.name or self.email or self.phone or self.search_text.partition(" ")[0] or f"#{self.pk}"


class Profile(models.Model):
    """A cluster of identities under which touchpoints arrived. It keeps its touchpoints for ever. erasure: the one that
    took its names; nothing arrives under it any more."""

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="profiles")
    created_at = models.DateTimeField(default=timezone.now)
    erasure = bare_reference("customers.Erasure", null=True, editable=False)

    class Meta:
        indexes = [
            # Whether a profile was erased a moment ago: customers/sql/touchpoints_add.sql. And those of an erasure.
            models.Index(
                fields=["id", "erasure"], condition=models.Q(erasure__isnull=False), name="profile_without_names"
            ),
        ]

    def __str__(self) -> str:
        return f"profile {self.pk}"


class Identity(models.Model):
    """One thing a person is recognised by: a user id, an anonymous id, an e-mail address, a phone number, the id in
    another system. `value` is folded before it gets here."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    value = models.CharField(max_length=512)
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="identities")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="identity_belongs_to_one_profile"),
            models.CheckConstraint(condition=~models.Q(value=""), name="identity_has_a_value"),
        ]
        verbose_name_plural = "identities"

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Trait(models.Model):
    """One step of a trait: from set_at on the profile's `key` is `value`, until the next step. last_seen_at is the last
    instant at which the same value was told again. A copy of what `TraitTelling` says, kept by ingestion."""

    id = models.BigAutoField(primary_key=True)
    # Steps are written under the profile's row lock, as tellings are: to check that it exists once more at the end, row
    # by row, would cost a tenth of what taking in a batch costs.
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="traits", db_index=False, db_constraint=False)
    key = models.CharField(max_length=200)
    value = models.JSONField(null=True)
    set_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "key", "set_at"], name="trait_has_one_value_at_an_instant"),
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=models.F("set_at")), name="trait_is_seen_no_earlier_than_set"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} at {self.set_at}"


class TraitTelling(models.Model):
    """What was told of a profile's traits at one instant. Append-only: the steps of `Trait` are made of it, and can be
    made of it again. Of two tellings for one instant the one with the greater id counts."""

    id = models.BigAutoField(primary_key=True)
    # Checked by the profile's row lock, under which it is written: one row per message that tells traits.
    profile = bare_reference(Profile)
    told_at = models.DateTimeField()
    traits = models.JSONField()
    # When we learnt of it; NULL for what was recorded before this was kept.
    recorded_at = models.DateTimeField(null=True, db_default=Now(), editable=False)
    # The message that told it, if that told nothing but traits: what happened is remembered by its touchpoint.
    source = bare_reference("customers.Source", null=True)
    message_hash = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "message_hash"],
                condition=models.Q(message_hash__isnull=False),
                name="telling_is_stored_once",
            ),
        ]
        indexes = [
            # customers/sql/trait_tellings.sql, and whether a telling is a repetition.
            models.Index(fields=["profile", "told_at"], name="trait_telling_of_profile"),
        ]

    def __str__(self) -> str:
        return f"profile {self.profile_id} at {self.told_at}"


class Account(models.Model):
    """An organisation that customers belong to."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=512, unique=True)
    name = models.TextField(blank=True, default="")
    properties = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # What it is found by: the name, the key and the addresses among the properties, with and without accents.
    search_text = models.GeneratedField(
        expression=models.Func("name", "key", "properties", function="searchable_account"),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        indexes = [
            # The search box: any part of what it is found by.
            GinIndex(fields=["search_text"], name="account_search", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.name or self.key


class Affiliation(models.Model):
    """A profile belongs to an account over a span of time."""

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="affiliations")
    account = models.ForeignKey(Account, models.CASCADE, related_name="affiliations")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["profile", "account", "from_at"], name="affiliation_starts_once"),
            models.CheckConstraint(
                condition=models.Q(until_at=None) | models.Q(until_at__gt=models.F("from_at")),
                name="affiliation_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} at {self.account_id}"


@pghistory.track()
class Merge(models.Model):
    """Two customers found to be one person: the profiles of `absorbed` were moved to `survivor`, the one created
    first. Undone by moving exactly those profiles back."""

    id = models.BigAutoField(primary_key=True)
    survivor = models.ForeignKey(Customer, models.PROTECT, related_name="merges_won")
    absorbed = models.ForeignKey(Customer, models.PROTECT, related_name="merges_lost")
    at = models.DateTimeField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True, default="")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(survivor=models.F("absorbed")), name="merge_is_of_two_customers"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed_id} into {self.survivor_id}"


class MergedProfile(models.Model):
    """A profile that a merge moved."""

    id = models.BigAutoField(primary_key=True)
    merge = models.ForeignKey(Merge, models.CASCADE, related_name="moved")
    profile = models.ForeignKey(Profile, models.CASCADE, related_name="moves")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "profile"], name="merge_moves_a_profile_once")]

    def __str__(self) -> str:
        return f"{self.profile_id} by merge {self.merge_id}"


class ProfileMove(models.Model):
    """A profile changed hands: the history of the map whose present is `Profile.customer`. Whoever moves a profile
    writes it under the lock MERGES, so ids commit in their order, and a reader that has come to one has missed none."""

    id = models.BigAutoField(primary_key=True)
    profile = bare_reference(Profile)
    from_customer = bare_reference(Customer)
    to_customer = bare_reference(Customer)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # Whose a profile was at an earlier instant: analytics/known_then.py.
            models.Index(fields=["profile", "id"], name="profile_move_of_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.from_customer_id} to {self.to_customer_id}"
