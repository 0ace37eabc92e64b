"""The usual way to take events in, for comparison: a Django REST framework endpoint with a ModelSerializer(many=True),
get_or_create for people, names and traits, and bulk_create for what remains. It writes the tables that the program
writes, in one transaction, and knows repeated messages; it leaves out merges, late traits, conflicts and all else.
Written as well as this way can be: its rows are validated once and inserted together."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.events import message_hash
from customers.models import (
    Channel,
    Customer,
    Identity,
    Profile,
    RawBody,
    Source,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)


class TouchpointSerializer(serializers.ModelSerializer[Touchpoint]):
    class Meta:
        model = Touchpoint
        fields = ["occurred_at", "message_hash", "body_hash", "amount", "currency", "order_ref", "properties"]


class PeerView(APIView):
    authentication_classes = ()
    permission_classes = ()
    source: Source

    @transaction.atomic
    def post(self, request: Request) -> Response:
        now = timezone.now()
        events = request.data["batch"]
        profiles = [person(event) for event in events]
        told = [
            (event, profile) for event, profile in zip(events, profiles, strict=True) if event["type"] != "identify"
        ]
        serializer = TouchpointSerializer(data=[fields(event) for event, _profile in told], many=True)
        serializer.is_valid(raise_exception=True)
        touchpoints = []
        for (event, profile), valid in zip(told, serializer.validated_data, strict=True):
            name = event["event"] if event["type"] == "track" else "Page Viewed"
            kind, _new = TouchpointType.objects.get_or_create(name=name)
            channel, _new = Channel.objects.get_or_create(key="web")
            touchpoints.append(
                Touchpoint(profile=profile, source=self.source, type=kind, channel=channel, received_at=now, **valid)
            )
        Touchpoint.objects.bulk_create(touchpoints, ignore_conflicts=True)
        for event, profile in zip(events, profiles, strict=True):
            if event["type"] == "identify":
                tell(self.source, event, profile, now)
        RawBody.objects.bulk_create(
            [
                RawBody(
                    received_at=now,
                    source=self.source,
                    message_hash=message_hash(event["messageId"]),
                    body=repr(event).encode(),
                )
                for event in events
            ]
        )
        Stale.objects.bulk_create([Stale(profile=profile, cause=1, attempts=0) for profile in set(profiles)])
        return Response({"success": True})


def person(event: dict[str, Any]) -> Profile:
    """The profile of an event's identities, made if nobody has the first of them."""
    first: Profile | None = None
    for kind, value in (("user_id", event["userId"]), ("anonymous_id", event.get("anonymousId"))):
        if not value:
            continue
        found = Identity.objects.select_related("profile").filter(kind=kind, value=value).first()
        if found is None:
            if first is None:
                first = Profile.objects.create(customer=Customer.objects.create())
            found, _new = Identity.objects.get_or_create(kind=kind, value=value, defaults={"profile": first})
        first = first or found.profile
    assert first is not None
    return first


def fields(event: dict[str, Any]) -> dict[str, Any]:
    properties = event["properties"]
    revenue = properties.get("revenue")
    return {
        "occurred_at": event["timestamp"],
        "message_hash": message_hash(event["messageId"]),
        "body_hash": hash(repr(event)) >> 1,
        "amount": None if revenue is None else round(100 * revenue),
        "currency": properties.get("currency", ""),
        "order_ref": properties.get("order_id", ""),
        "properties": properties,
    }


def tell(source: Source, event: dict[str, Any], profile: Profile, now: datetime) -> None:
    """The traits of an identify call: a telling, and a step of each whose latest value differs."""
    at = datetime.fromisoformat(event["timestamp"])
    _telling, is_new = TraitTelling.objects.get_or_create(
        source=source,
        message_hash=message_hash(event["messageId"]),
        defaults={"profile": profile, "told_at": at, "traits": event["traits"], "recorded_at": now},
    )
    if not is_new:
        return
    for key, value in event["traits"].items():
        latest = Trait.objects.filter(profile=profile, key=key).order_by("-set_at").first()
        if latest is None or latest.value != value:
            Trait.objects.get_or_create(
                profile=profile, key=key, set_at=at, defaults={"value": value, "last_seen_at": at, "recorded_at": now}
            )
