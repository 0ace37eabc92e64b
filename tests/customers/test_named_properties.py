"""Properties that rules name: kept by ingest from their registration on, backfilled for everything before."""

from datetime import timedelta
from decimal import Decimal

import pytest

from customers import named_properties
from customers.events import Event
from customers.ingest import clock, ingest
from customers.models import PropertyKey, PropertyValue, Source, Touchpoint
from customers.named_properties import Filling, fillings, register_properties

pytestmark = pytest.mark.django_db

KINDS = {
    "text": "x \u00e9",
    "empty": "",
    "whole": 9,
    "broken": 0.1,
    "large": 10**30,
    "yes": True,
    "no": False,
    "list": [1, 2],
    "object": {"a": 1},
    "null": None,
}
KEPT = {
    "text": (PropertyValue.Kind.STRING, "x \u00e9"),
    "empty": (PropertyValue.Kind.STRING, ""),
    "whole": (PropertyValue.Kind.NUMBER, "9"),
    "broken": (PropertyValue.Kind.NUMBER, "0.1"),
    "large": (PropertyValue.Kind.NUMBER, str(10**30)),
    "yes": (PropertyValue.Kind.BOOLEAN, "true"),
    "no": (PropertyValue.Kind.BOOLEAN, "false"),
    "list": (PropertyValue.Kind.OTHER, ""),
    "object": (PropertyValue.Kind.OTHER, ""),
}


def tell(id: str, **properties: object) -> int:
    source = Source.objects.get_or_create(key="s", defaults={"name": "s"})[0]
    event = Event(
        message_id=id,
        identities=(("user_id", "u"),),
        type="Note",
        channel="web",
        occurred_at=clock() - timedelta(minutes=1),
        amount=5,
        properties=properties,
    )
    ingest(source=source, events=[event])
    return Touchpoint.objects.latest("pk").pk


def kept(touchpoint: int) -> dict[str, tuple[int, str]]:
    rows = PropertyValue.objects.filter(touchpoint=touchpoint).values_list("property_key__key", "kind", "text")
    return {key: (kind, text) for key, kind, text in rows}


def test_ingest_and_backfill_keep_the_same_of_every_kind() -> None:
    before = tell("before", **KINDS)
    assert kept(before) == {}
    register_properties(keys=KINDS, now=clock())
    after = tell("after", **KINDS, unnamed=1)
    assert kept(before) == kept(after) == KEPT
    assert Decimal(kept(after)["large"][1]) == Decimal(10**30)


def test_a_kept_value_says_all_that_a_replay_knows_the_touchpoint_by() -> None:
    register_properties(keys=["n"], now=clock())
    tell("1", n=1)
    value, touchpoint = PropertyValue.objects.get(), Touchpoint.objects.get()
    for field in ("profile_id", "type_id", "channel_id", "occurred_at", "amount"):
        assert getattr(value, field) == getattr(touchpoint, field)


def test_registering_again_changes_nothing_and_a_killed_backfill_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    touchpoints = [tell(str(number), n=number) for number in range(5)]
    monkeypatch.setattr(named_properties, "BACKFILL_STEP", 2)
    register_properties(keys=["n"], now=clock())
    key = PropertyKey.objects.get()
    assert [kept(one)["n"][1] for one in touchpoints] == list("01234")
    # What a kill half-way leaves.
    PropertyValue.objects.filter(touchpoint__gt=touchpoints[1]).delete()
    PropertyKey.objects.update(backfilled_at=None, backfilled_upto=touchpoints[1])
    (far,) = fillings(keys=["n"])
    assert (far.key, far.has_begun) == ("n", True)
    assert 0 < far.done < far.parts == 3
    register_properties(keys=["n"], now=clock())
    assert [kept(one)["n"][1] for one in touchpoints] == list("01234")
    done = PropertyKey.objects.get()
    assert done.pk == key.pk
    assert done.backfilled_at is not None
    register_properties(keys=["n"], now=clock() + timedelta(hours=1))
    assert PropertyKey.objects.get().backfilled_at == done.backfilled_at


def test_how_far_a_property_is_can_be_told_until_it_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        tell(str(number), n=number)
    monkeypatch.setattr(named_properties, "BACKFILL_STEP", 2)
    assert fillings(keys=[]) == ()
    assert fillings(keys=["n"]) == (Filling("n", done=0, parts=3, has_begun=False),)
    seen = []
    keep = named_properties.sql.run

    def watched(name: str, /, **parameters: object) -> object:
        seen.extend(fillings(keys=["n"]))
        return keep(name, **parameters)

    with monkeypatch.context() as patched:
        patched.setattr(named_properties.sql, "run", watched)
        register_properties(keys=["n"], now=clock())
    assert [(one.done, one.parts, one.has_begun) for one in seen] == [(0, 3, True), (1, 3, True), (2, 3, True)]
    assert fillings(keys=["n", "other"]) == (Filling("other", done=0, parts=3, has_begun=False),)


def test_without_touchpoints_there_is_nothing_to_backfill() -> None:
    register_properties(keys=["n"], now=clock())
    register_properties(keys=[], now=clock())
    assert PropertyKey.objects.get().backfilled_at is not None
