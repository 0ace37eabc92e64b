"""Endpoints that are not told any more: switched off by a person, by themselves (410) or because nothing arrives. What
was still to be told is given up, and can be told again from the log once somebody has seen to it. Whoever is
responsible is told."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from clm.lib.access.invitations import sends_mail
from clm.lib.access.models import Role, User

from ..models import Delivery, Endpoint, Resending

log = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=30)


def disable(*, endpoint: Endpoint, because: str, now: datetime, is_by_hand: bool = False) -> None:
    """Tell an endpoint nothing more. Unless a person did it, the admins get a mail, where mail can be sent."""
    with transaction.atomic():
        changed = Endpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(
            disabled_at=now, disabled_because=because, paused_until=None
        )
        if not changed:
            return
        waiting = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.WAITING)
        dropped = waiting.update(state=Delivery.State.GIVEN_UP, finished_at=now, lease_until=None)
        Resending.objects.filter(endpoint=endpoint, done_at=None).update(done_at=now)
    endpoint.disabled_at, endpoint.disabled_because = now, because
    log.warning("webhook endpoint disabled", extra={"fields": {"endpoint": endpoint.pk, "dropped": dropped}})
    if not is_by_hand:
        transaction.on_commit(lambda: _tell_admins(endpoint, dropped))


def _tell_admins(endpoint: Endpoint, dropped: int) -> None:
    if not sends_mail():
        return
    admins = list(User.objects.filter(role=Role.ADMIN, is_active=True).values_list("email", flat=True))
    told = render_to_string("mail/webhook_disabled.txt", {"endpoint": endpoint, "dropped": dropped})
    try:
        send_mail(_("A webhook was switched off"), told, settings.DEFAULT_FROM_EMAIL, admins)
    except OSError as error:
        log.warning("the mail about a disabled webhook was not taken (%s)", type(error).__name__)


def forget_deliveries(*, now: datetime) -> int:
    """Delete what was told long ago, with its attempts; how many deliveries. The logs it was read from stay."""
    old = Delivery.objects.filter(finished_at__lt=now - KEPT_FOR)
    deleted = 0
    while some := list(old.values_list("pk", flat=True)[:5_000]):
        deleted += Delivery.objects.filter(pk__in=some).delete()[1].get("campaigns.Delivery", 0)
    return deleted
