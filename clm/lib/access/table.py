"""The one permission table: what each role may do. A page or an API view names its permission; one that names none is
not there (see `middleware`)."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.translation import gettext_lazy as _

from .models import Role

EVERYBODY = frozenset(Role)
STAFF = frozenset({Role.AGENT, Role.MARKETER, Role.ADMIN})
MARKETERS = frozenset({Role.MARKETER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})

TABLE: dict[str, tuple[frozenset[Role], Any]] = {
    "overview.view": (EVERYBODY, _("See the overview, the sources, and what the installation counts in")),
    "customers.view": (EVERYBODY, _("See customers and their timelines")),
    "customers.edit": (STAFF, _("Create and edit customers")),
    "customers.export": (MARKETERS, _("Take lists of customers away as files")),
    "touchpoints.log": (STAFF, _("Log a call or a note")),
    "customers.merge": (STAFF, _("Merge customers and undo a merge")),
    "customers.erase": (ADMINS, _("Erase customers for good, and let them in again when they come back")),
    "messages.view": (ADMINS, _("See messages exactly as they arrived, with everything they say of a person")),
    "stages.view": (EVERYBODY, _("See stage models and their rules")),
    "stages.edit": (ADMINS, _("Name, write and publish stage models, their stages and shared rules")),
    "stages.place": (STAFF, _("Place a customer in a stage by hand")),
    "segments.view": (EVERYBODY, _("See segments and their members")),
    "segments.edit": (MARKETERS, _("Name segments, write and publish their rules, and keep who is on their lists")),
    "rules.evaluate": (EVERYBODY, _("Try a rule, on a made-up history or on all customers")),
    "metrics.view": (EVERYBODY, _("See retention, value and cost figures")),
    "campaigns.view": (EVERYBODY, _("See campaigns and what was spent on them")),
    "campaigns.edit": (MARKETERS, _("Change campaigns")),
    "experiments.view": (EVERYBODY, _("See experiments and what they found")),
    "experiments.edit": (MARKETERS, _("Make, start, stop and end experiments")),
    "spend.edit": (MARKETERS, _("Enter what was spent on marketing")),
    "reports.edit": (MARKETERS, _("Save figures as reports, and have them sent to users")),
    "reports.send_outside": (ADMINS, _("Have reports sent to addresses outside")),
    "rates.edit": (ADMINS, _("Enter exchange rates")),
    "catalogue.edit": (ADMINS, _("Say what the names of events mean")),
    "sources.manage": (ADMINS, _("Let websites, apps and servers send, and try refused messages again")),
    "imports.run": (MARKETERS, _("Bring in files, look at what became of them, and take them back")),
    "webhooks.manage": (ADMINS, _("Tell other programs of changes")),
    "imports.view": (ADMINS, _("See what became of imported files and what was refused")),
    "account.own": (EVERYBODY, _("Keep one's own name, time zone, theme and keys")),
    "users.manage": (ADMINS, _("Manage users and keys")),
    "installation.edit": (ADMINS, _("Change the installation's settings")),
    "system.manage": (ADMINS, _("See how the installation is doing, and try parked customers again")),
}

View = TypeVar("View", bound=Callable[..., Any])


def can(who: Any, permission: str) -> bool:
    """Whether a user or an API key may do what `permission` names. An unknown permission is a KeyError: a typo must
    never open a door."""
    roles, _label = TABLE[permission]
    return bool(getattr(who, "is_authenticated", False) and who.is_active and getattr(who, "role", None) in roles)


def allowed(permission: str) -> Callable[[View], View]:
    """Declare on a view function which permission it needs."""
    assert permission in TABLE, permission

    def mark(view: View) -> View:
        view.permission_needed = permission  # type: ignore[attr-defined]
        return view

    return mark
