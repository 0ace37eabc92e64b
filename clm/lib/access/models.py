"""People who log in and machines that call the API: who they are and which role they have. What a role may do is
declared in `table`, nowhere else."""

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    VIEWER = "viewer", _("Viewer")
    AGENT = "agent", _("Agent")
    MARKETER = "marketer", _("Marketer")
    ADMIN = "admin", _("Admin")

    def reaches(self, other: "Role") -> bool:
        """Whether this role may do all that the other one may: each role in the list may do more than those before."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Theme(models.TextChoices):
    """Which look somebody wants to find on every machine."""

    SYSTEM = "", _("As the system says")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Users(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "role": Role.ADMIN})


class User(AbstractBaseUser):
    """A person who logs in by e-mail address, with exactly one role."""

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, blank=True, default=Theme.SYSTEM)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(null=True, blank=True, help_text=_("To some minutes."))

    objects: ClassVar[Users] = Users()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_is_known"),
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique_whatever_its_case"),
            models.CheckConstraint(condition=models.Q(theme__in=Theme.values), name="user_theme_is_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def initials(self) -> str:
        words = (self.name or self.email.split("@")[0].replace(".", " ")).split()
        return "".join(word[0] for word in words[:2]).upper()


class KeptAnswer(models.Model):
    """What a request with an idempotency key was answered, kept for a while so that the same request, sent again, is
    answered the same and changes nothing. Written in the transaction of the act itself."""

    whose = models.CharField(max_length=30, help_text=_("user:<id> or key:<id>."))
    idempotency_key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text=_("A keyed hash of method, address and body."))
    status = models.SmallIntegerField()
    content_type = models.CharField(max_length=100, blank=True, default="")
    location = models.TextField(blank=True, default="")
    body = models.BinaryField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["whose", "idempotency_key"], name="a_request_is_answered_once"),
        ]
        indexes = [
            # clm.lib.access.kept_answers.forget_answers
            models.Index(fields=["answered_at"], name="kept_answer_age"),
        ]

    def __str__(self) -> str:
        return f"{self.whose} {self.idempotency_key[:20]}: {self.status}"


def hashed(secret: str) -> str:
    """What is kept of an API key: keys carry 256 random bits, so one plain SHA-256 is enough and look-up is exact."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKey(models.Model):
    """A machine's key: only its hash is kept; its role decides what it may do. A person's own key reaches no further
    than that person's role, and opens nothing while its owner is shut out."""

    name = models.CharField(max_length=100)
    owner = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="keys", help_text=_("Null: the installation's.")
    )
    role = models.CharField(max_length=10, choices=Role)
    prefix = models.CharField(max_length=12, help_text=_("The first characters, to recognise a key by."))
    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text=_("To the minute."))
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="key_role_is_known")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, *, name: str, role: str, owner: User | None = None) -> tuple["ApiKey", str]:
        """A new key and its secret, which is shown once and never kept."""
        secret = "clm_" + secrets.token_urlsafe(32)
        made = cls.objects.create(name=name, role=role, owner=owner, prefix=secret[:10], secret_hash=hashed(secret))
        return made, secret

    # What Django and DRF ask of whoever stands behind a request.
    is_authenticated = True
    is_anonymous = False
    is_active = True
