"""Taking a whole import back: the touchpoints, tellings, identities, consents and companies it brought. What came from
elsewhere stays, and what the traits were told otherwise counts again as if the import had never been.

The portions stored last go first. One is one transaction, noted with what it took back, so that a killed undo goes on
where it stopped:
1. keep ingests, merges and the advance of these customers away; ingest could otherwise be about to write under an
   identity that goes;
2. undo the merges it led to, and have companies say again what they said before, where nobody said otherwise since;
3. leave out what another import of the same source says too;
4. delete, make the steps of the traits anew from what is still told, and mark the profiles as changed;
5. let customers go of whom nothing is left (`let_go`, which knows of stages)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from django.db import connection, transaction

from clm.lib import sql
from clm.lib.milliseconds import truncated

from .. import locks
from ..company_changes import take_back
from ..file_lock import refuse_stopped
from ..ingest import clock
from ..merge import unmerge
from ..models import (
    Account,
    Affiliation,
    Cause,
    Consent,
    Customer,
    Import,
    ImportBrought,
    Merge,
    Profile,
    Role,
    Stale,
    TouchpointType,
    TraitTelling,
)
from ..raw_bodies import drop_bodies
from ..trait_steps import canonical_text, first_of, keeps_first, steps_of
from .staging import forget_content, forget_rows

# Takes customers of whom nothing is left out of stages, lists and the list of customers; those that went.
LetGo = Callable[[Sequence[int]], int]


@dataclass(frozen=True, slots=True)
class Undone:
    """What one portion took back. sales: purchases and refunds among the touchpoints."""

    touchpoints: int
    sales: int
    customers: int


def undo_next(*, record: Import, let_go: LetGo) -> Undone | None:
    """Take one more portion back; None when nothing is left to take."""
    with transaction.atomic():
        refuse_stopped(record)
        brought = ImportBrought.objects.filter(from_import=record, undone_at=None).order_by("-pk").first()
        if brought is None:
            return None
        locks.own_patiently(locks.PROPERTY_KEYS)
        locks.share(locks.VERSIONS)
        locks.own(locks.MERGES)
        done = _undo(record, brought, let_go)
        brought.undone_at = clock()
        brought.save(update_fields=["undone_at"])
        counts = record.counts
        for name, count in (
            ("undone_touchpoints", done.touchpoints),
            ("undone_sales", done.sales),
            ("undone_customers", done.customers),
        ):
            counts[name] = counts.get(name, 0) + count
        record.progress = {**record.progress, "phase": "undoing", "undone": record.progress.get("undone", 0) + 1}
        record.save(update_fields=["counts", "progress"])
    return done


@transaction.atomic
def finish_undo(*, record: Import) -> None:
    """Nothing is left to take back: the import is undone, and its file is not needed any more."""
    refuse_stopped(record)
    record.state, record.undone_at, record.error = Import.State.UNDONE, clock(), ""
    record.save(update_fields=["state", "undone_at", "error"])
    forget_rows(record=record)
    forget_content(record=record)


def _undo(record: Import, brought: ImportBrought, let_go: LetGo) -> Undone:
    # People it made one are two again before what it said of them goes: each keeps what came under its own name.
    for number in (
        Merge.objects.filter(pk__in=brought.merges, undone_at=None).order_by("-pk").values_list("pk", flat=True)
    ):
        unmerge(merge=number, now=clock())
    take_back(brought.accounts)
    asked = {
        "touchpoints": brought.touchpoints,
        "tellings": brought.tellings,
        "identities": brought.identities,
        "affiliations": brought.affiliations,
    }
    ((*claimed,),) = sql.rows(
        "customers/import_undo_claimed", **{"import": record.pk}, source=record.source_id, **asked
    )
    taken = {name: sorted(set(ids) - set(theirs)) for (name, ids), theirs in zip(asked.items(), claimed, strict=True)}
    touched = sql.rows("customers/import_undo_scope", **taken, consents=brought.consents)
    profiles = sorted(profile for profile, _customer in touched)
    customers = sorted({customer for _profile, customer in touched})
    _hold(customers)
    sales = list(
        TouchpointType.objects.filter(role__in=[Role.PURCHASE, Role.REFUND]).order_by("pk").values_list("pk", flat=True)
    )
    gone = sql.rows("customers/import_undo_touchpoints", touchpoints=taken["touchpoints"], types=sales)
    drop_bodies((at, source, message) for at, source, message, _is_sale in gone)
    arrived = TraitTelling.objects.filter(pk__in=taken["tellings"]).values_list(
        "recorded_at", "source_id", "message_hash"
    )
    drop_bodies(
        (truncated(at), source, message)
        for at, source, message in arrived
        if at is not None and source is not None and message is not None
    )
    _steps_anew(sql.rows("customers/import_undo_traits", tellings=taken["tellings"]))
    Consent.objects.filter(pk__in=brought.consents).delete()
    _leave_companies(record, taken["affiliations"])
    left = [identity for (identity,) in sql.rows("customers/import_undo_left", profiles=profiles)]
    sql.run("customers/import_undo_identities", identities=sorted({*taken["identities"], *left})).close()
    Stale.objects.bulk_create([Stale(profile_id=profile, cause=Cause.IMPORT) for profile in profiles])
    # Lists sorted by last seen or revenue look again at whose portrait changed.
    Customer.objects.filter(pk__in=customers).update(portrayed_at=clock())
    emptied = [customer for (customer,) in sql.rows("customers/import_undo_emptied", customers=customers)]
    return Undone(len(gone), sum(is_sale for *_key, is_sale in gone), let_go(emptied) if emptied else 0)


def _hold(customers: Sequence[int]) -> None:
    """Lock customers and their profiles, in order."""
    locks.share_buckets(customers)
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=customers).order_by("pk").values_list("pk"))
    list(Profile.objects.select_for_update(no_key=True).filter(customer__in=customers).order_by("pk").values_list("pk"))


def _steps_anew(asked: Sequence[tuple[int, str]]) -> None:
    """The steps of some traits, made of all that is still told of them."""
    if not asked:
        return
    told = defaultdict(list)
    for profile, key, value, at, _traits in sql.rows(
        "customers/trait_tellings", profiles=[profile for profile, _key in asked], keys=[key for _p, key in asked]
    ):
        told[profile, key].append((at, canonical_text(value)))
    steps = [
        {
            "profile": profile,
            "key": key,
            "value": msgspec.Raw(step.value.encode()),
            "set_at": step.set_at.isoformat(),
            "last_seen_at": step.last_seen_at.isoformat(),
        }
        for (profile, key), tellings in sorted(told.items(), key=lambda one: one[0])
        for step in (first_of(tellings) if keeps_first(key) else steps_of(tellings))
    ]
    sql.run("customers/trait_steps_add", steps=msgspec.json.encode(steps).decode(), now=clock()).close()


def _leave_companies(record: Import, affiliations: Sequence[int]) -> None:
    """People leave the companies they were said to belong to; a company that the import made, and nobody is left in,
    goes too."""
    accounts = set(Affiliation.objects.filter(pk__in=affiliations).values_list("account", flat=True))
    Affiliation.objects.filter(pk__in=affiliations).delete()
    made = Account.objects.filter(pk__in=accounts, created_at__gte=record.created_at, affiliations=None)
    made.delete()


def portions_left(*, record: Import) -> int:
    """How many portions an undo still has to take back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM customers_importbrought WHERE from_import_id = %s AND undone_at IS NULL", [record.pk]
        )
        (count,) = cursor.fetchone()
    return int(count)
