"""Simulated people straight into the tables by COPY, a portion in one transaction: the rows that ingestion would have
left, had each message come in when the simulation says. What ingestion does besides (marking profiles as changed) is
left to the replay that follows: a million marks would be read and deleted one by one, and say nothing more.

Who is there already is left alone, so a portion can be stored again, and a stopped run goes on where it was."""

import json
import uuid
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection, transaction

from clm.lib.columns import fetch_columns
from clm.lib.rows import store_rows
from customers import catalogue, locks
from customers.models import Identity, Import, PropertyKey, PropertyValue

from .histories import BLOCK, Histories, block, joined, selected
from .kinds import PRODUCTS, Kind
from .messages import Messages, Money, cost_of
from .parameters import Parameters
from .timeline import NEVER, Int64s, Span

# People of one transaction.
PORTION = 5 * BLOCK
_TEN_THOUSANDTHS = 10_000


@dataclass(frozen=True, slots=True)
class Order:
    """What is simulated: people 0 to `people` of a seed, for a source, under an Import that keeps the account."""

    parameters: Parameters
    seed: int
    span: Span
    people: int
    source: int
    account: int
    money: Money


def portions(people: int) -> int:
    """How many portions that many people are."""
    return -(-people // PORTION)


@transaction.atomic
def store_portion(*, order: Order, number: int) -> dict[str, int]:
    """Store what is missing of a portion; what was stored, by name. Others working on the same portion wait."""
    locks.share(locks.PROPERTY_KEYS)
    locks.own(locks.SIMULATED, zlib.crc32(f"{order.seed}/{number}".encode()) - 2**31)
    start, stop = number * PORTION, min((number + 1) * PORTION, order.people)
    stored = _stored(order.seed, start, stop)
    if len(stored) == stop - start:
        return {}
    histories = joined(
        [
            block(parameters=order.parameters, seed=order.seed, number=each, span=order.span)
            for each in range(start // BLOCK, -(-stop // BLOCK))
        ]
    )
    people = histories.people.number
    missing = (people < stop) & ~np.isin(people, stored)
    if not missing.all():
        histories = selected(histories, missing)
    _tell_history(order.seed, number)
    counts = _Portion(order, histories).store()
    # The account is written last: its row is what all processes wait for.
    account = Import.objects.select_for_update().get(pk=order.account)
    account.counts = dict(Counter(account.counts) + Counter(counts))
    account.lines_read += counts["touchpoints_new"] + counts["touchpoints_repeated"] + counts["touchpoints_conflicting"]
    account.lines_used = account.lines_read
    account.save(update_fields=["counts", "lines_read", "lines_used"])
    return counts


def _tell_history(seed: int, number: int) -> None:
    """Say in the history of consents and merges why they are there. (A row without a context costs twice as much.)"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
            [str(uuid.uuid4()), json.dumps({"simulated": seed, "portion": number})],
        )


def _stored(seed: int, start: int, stop: int) -> list[int]:
    """Which of these people are there: each has an anonymous id of its own from its first message on."""
    names = {f"sim{seed}-a{number}": number for number in range(start, stop)}
    found = Identity.objects.filter(kind="anonymous_id", value__in=list(names)).values_list("value", flat=True)
    return [names[value] for value in found]


def _drawn(table: str, count: int) -> Int64s:
    return fetch_columns("analytics/ids_drawn", {"id": "q"}, table=table, count=count)["id"]


def _least(places: Int64s, values: Int64s, count: int) -> Int64s:
    """The least value at each place, NEVER where there is none."""
    out = np.full(count, NEVER)
    np.minimum.at(out, places, values)
    return out


@dataclass(frozen=True, slots=True)
class Merged:
    """Merges in their order in time: who survives, who is absorbed, and the one profile that changes hands."""

    survivor: Int64s
    absorbed: Int64s
    profile: Int64s
    at: Int64s


class _Portion:
    """The rows of one portion. Profiles are numbered 0 to n-1 by person, those of second devices follow."""

    def __init__(self, order: Order, histories: Histories) -> None:
        self.order, self.people, self.touches = order, histories.people, histories.touches
        self.lines = histories.lines
        self.messages = Messages(histories, parameters=order.parameters, seed=order.seed, money=order.money)
        self.count = len(self.people.number)

    def store(self) -> dict[str, int]:
        rows = self._people() + self._touchpoints() + self._traits() + self._consents() + self._merges()
        again = self.touches.repeated < NEVER
        conflicting = int(self.touches.conflicting.sum())
        return {
            "touchpoints_new": len(self.touches.person),
            "touchpoints_repeated": int(again.sum()) - conflicting,
            "touchpoints_conflicting": conflicting,
            "customers_new": self.profiles,
            "merges": len(self.merged.at),
            "rows_changed": rows,
        }

    # --- who they are ---------------------------------------------------------------------------------------------
    def _people(self) -> int:
        touches, messages, people = self.touches, self.messages, self.people
        others = np.unique(touches.person[messages.on_other_device])  # people met on a second device
        place = np.full(self.count, -1)
        place[others] = self.count + np.arange(len(others))
        self.slot = np.where(messages.on_other_device, place[touches.person], touches.person)
        self.profiles = self.count + len(others)
        met = _least(self.slot, touches.received, self.profiles)
        # Numbers are given in the order in which people were met.
        order = np.argsort(met, kind="stable")
        self.profile = np.empty(self.profiles, np.int64)
        self.profile[order] = np.sort(_drawn("customers_profile", self.profiles))
        customer = np.empty(self.profiles, np.int64)
        customer[order] = np.sort(_drawn("customers_customer", self.profiles))
        person = np.concatenate([np.arange(self.count), others])
        is_other = np.arange(self.profiles) >= self.count
        is_merged = is_other & (people.merged[person] < NEVER)
        survivor = customer[person]  # of the person's first profile
        rows = self._customers(customer, met, person, is_other, is_merged, survivor)
        rows += store_rows(
            "customers_profile",
            {"id": "q", "customer_id": "q", "created_at": "t"},
            {"id": self.profile, "customer_id": np.where(is_merged, survivor, customer), "created_at": met},
        )
        order = np.flatnonzero(is_merged)
        order = order[np.argsort(people.merged[person[order]], kind="stable")]
        self.merged = Merged(
            survivor=survivor[order],
            absorbed=customer[order],
            profile=self.profile[order],
            at=people.merged[person[order]],
        )
        return rows + self._identities(met, person, is_other)

    def _customers(
        self, customer: Int64s, met: Int64s, person: Int64s, is_other: Any, is_merged: Any, survivor: Int64s
    ) -> int:
        """With the portraits that `customers.portrait` would draw of them."""
        messages = self.messages
        joined = (self.people.signed_up < NEVER).tolist()
        merged = (self.people.merged < NEVER).tolist()
        name, email, search, anonymous = [], [], [], []
        for one, other, gone in zip(person.tolist(), is_other.tolist(), is_merged.tolist(), strict=True):
            has_joined = joined[one] and not other
            name.append(messages.name[one] if has_joined else "")
            email.append(messages.email[one] if has_joined else "")
            anonymous.append(not has_joined and not gone)
            if gone:
                search.append("")
            elif other:
                search.append(messages.other_device[one])
            elif has_joined:
                ids = f"{messages.anonymous[one]} {email[-1]} {messages.user[one]}"
                ids += f" {messages.other_device[one]}" if merged[one] else ""
                search.append(f"{name[-1]} {email[-1]} {ids}".lower())
            else:
                search.append(messages.anonymous[one])
        return store_rows(
            "customers_customer",
            {
                "id": "q",
                "created_at": "t",
                "merged_into_id": "q",
                "name": "s",
                "email": "s",
                "phone": "s",
                "search_text": "s",
                "is_anonymous": "b",
            },
            {
                "id": customer,
                "created_at": met,
                "merged_into_id": np.ma.array(survivor, mask=~is_merged),
                "name": name,
                "email": email,
                "phone": [""] * len(name),
                "search_text": search,
                "is_anonymous": np.array(anonymous),
            },
        )

    def _identities(self, met: Int64s, person: Int64s, is_other: Any) -> int:
        """In the order in which they were told, those of one message by kind."""
        messages = self.messages
        joined = np.flatnonzero(self.people.signed_up < NEVER)
        signing = np.flatnonzero(self.touches.kind == Kind.SIGNED_UP)
        told = np.full(self.count, NEVER)
        told[self.touches.person[signing]] = self.touches.received[signing]
        values = [
            (messages.other_device if other else messages.anonymous)[one]
            for one, other in zip(person.tolist(), is_other.tolist(), strict=True)
        ]
        values += [messages.email[one] for one in joined.tolist()] + [messages.user[one] for one in joined.tolist()]
        kinds = ["anonymous_id"] * len(met) + ["email"] * len(joined) + ["user_id"] * len(joined)
        profile = np.concatenate([self.profile, self.profile[joined], self.profile[joined]])
        at = np.concatenate([met, told[joined], told[joined]])
        order = np.argsort(at, kind="stable").tolist()
        return store_rows(
            "customers_identity",
            {"id": "q", "profile_id": "q", "created_at": "t", "kind": "s", "value": "s"},
            {
                "id": np.sort(_drawn("customers_identity", len(order))),
                "profile_id": profile[order],
                "created_at": at[order],
                "kind": [kinds[place] for place in order],
                "value": [values[place] for place in order],
            },
        )

    def _merges(self) -> int:
        """The rows that `customers.merge` writes; moves of profiles are numbered under its lock."""
        merged, count = self.merged, len(self.merged.at)
        if not count:
            return 0
        locks.own(locks.MERGES)
        ids = np.sort(_drawn("customers_merge", count))
        reason = ["Signed in on another device (simulated)."] * count
        rows = store_rows(
            "customers_merge",
            {"id": "q", "survivor_id": "q", "absorbed_id": "q", "at": "t", "reason": "s"},
            {
                "id": ids,
                "survivor_id": merged.survivor,
                "absorbed_id": merged.absorbed,
                "at": merged.at,
                "reason": reason,
            },
        )
        rows += store_rows(
            "customers_mergedprofile",
            {"merge_id": "q", "profile_id": "q"},
            {"merge_id": ids, "profile_id": merged.profile},
        )
        return rows + store_rows(
            "customers_profilemove",
            {"profile_id": "q", "from_customer_id": "q", "to_customer_id": "q", "at": "t"},
            {
                "profile_id": merged.profile,
                "from_customer_id": merged.absorbed,
                "to_customer_id": merged.survivor,
                "at": merged.at,
            },
        )

    # --- what happened --------------------------------------------------------------------------------------------
    def _touchpoints(self) -> int:
        touches, messages, money = self.touches, self.messages, self.order.money
        count = len(touches.person)
        type_ids = catalogue.type_ids(shape.type for shape in messages.shapes.values())
        channel_ids = catalogue.channel_ids(messages.channels)
        types = np.array([type_ids[messages.shapes[kind].type] for kind in Kind])[touches.kind]
        ways = np.array([channel_ids[channel] for channel in messages.channels])[touches.channel]
        ids = np.sort(_drawn("customers_touchpoint", count))
        no_amount = ~messages.has_amount
        amount = np.ma.array(touches.amount, mask=no_amount)
        original = np.ma.array(touches.amount * (_TEN_THOUSANDTHS // 10**money.digits), mask=no_amount)
        rows = store_rows(
            "customers_touchpoint",
            {
                "id": "q",
                "profile_id": "q",
                "occurred_at": "t",
                "received_at": "t",
                "body_hash": "q",
                "message_hash": "u",
                "source_id": "i",
                "type_id": "i",
                "channel_id": "h",
                "flags": "h",
                "amount": "q",
                "currency": "s",
                "original_amount": "n",
                "order_ref": "s",
                "properties": "j",
            },
            {
                "id": ids,
                "profile_id": self.profile[self.slot],
                "occurred_at": touches.ms,
                "received_at": touches.received,
                "body_hash": messages.body_hashes,
                "message_hash": messages.hashes,
                "source_id": np.full(count, self.order.source),
                "type_id": types,
                "channel_id": ways,
                "flags": np.zeros(count, np.int64),
                "amount": amount,
                "currency": [money.currency if has else "" for has in messages.has_amount.tolist()],
                "original_amount": original,
                "order_ref": messages.order_refs,
                "properties": messages.properties,
            },
        )
        return rows + self._order_lines(ids) + self._property_values(ids, types, ways, amount)

    def _order_lines(self, ids: Int64s) -> int:
        lines = self.lines
        products = lines.product.tolist()
        costs = [cost_of(amount, product) for amount, product in zip(lines.amount.tolist(), products, strict=True)]
        return store_rows(
            "customers_orderline",
            {
                "touchpoint_id": "q",
                "number": "i",
                "quantity": "n",
                "amount": "q",
                "is_product": "b",
                "cost": "q",
                "product": "s",
                "description": "s",
                "category": "s",
            },
            {
                "touchpoint_id": ids[lines.touch],
                "number": lines.number,
                "quantity": lines.quantity * _TEN_THOUSANDTHS,
                "amount": lines.amount,
                "is_product": np.ones(len(products), bool),
                "cost": np.ma.array([cost or 0 for cost in costs], np.int64, mask=[cost is None for cost in costs]),
                "product": [PRODUCTS[product][0] for product in products],
                "description": [PRODUCTS[product][1] for product in products],
                "category": [PRODUCTS[product][2] for product in products],
            },
        )

    def _property_values(self, ids: Int64s, types: Int64s, ways: Int64s, amount: Any) -> int:
        """The values of the properties that rules name."""
        touches, messages, rows = self.touches, self.messages, 0
        for number, key in PropertyKey.objects.order_by("id").values_list("id", "key"):
            if key == "ticket_ref":
                places = np.flatnonzero(messages.is_of_ticket).tolist()
                said: list[Any] = [f"T{messages.references[place]}" for place in places]
            else:
                kinds = [kind for kind, shape in messages.shapes.items() if key in shape.said[-1]]
                places = np.flatnonzero(np.isin(touches.kind, kinds)).tolist()
                said = [messages.shapes[Kind(touches.kind[at])].said[touches.value[at]][key] for at in places]
            kind_of = {str: PropertyValue.Kind.STRING, int: PropertyValue.Kind.NUMBER}
            rows += store_rows(
                "customers_propertyvalue",
                {
                    "touchpoint_id": "q",
                    "property_key_id": "i",
                    "profile_id": "q",
                    "type_id": "i",
                    "channel_id": "h",
                    "occurred_at": "t",
                    "kind": "h",
                    "amount": "q",
                    "text": "s",
                },
                {
                    "touchpoint_id": ids[places],
                    "property_key_id": np.full(len(places), number),
                    "profile_id": self.profile[self.slot[places]],
                    "type_id": types[places],
                    "channel_id": ways[places],
                    "occurred_at": touches.ms[places],
                    "kind": np.array([kind_of[type(each)] for each in said], np.int64),
                    "amount": amount[places],
                    "text": [str(each) for each in said],
                },
            )
        return rows

    # --- what was told of them ------------------------------------------------------------------------------------
    def _traits(self) -> int:
        """Every telling says something new, so each is a step of its own."""
        messages, touches = self.messages, self.touches
        told = [(place, key, value) for place in messages.telling for key, value in messages.traits(place).items()]
        places = np.array([place for place, _key, _value in told], np.int64)
        at = touches.ms[places]
        return store_rows(
            "customers_trait",
            {"profile_id": "q", "set_at": "t", "last_seen_at": "t", "recorded_at": "t", "key": "s", "value": "j"},
            {
                "profile_id": self.profile[self.slot[places]],
                "set_at": at,
                "last_seen_at": at,
                "recorded_at": touches.received[places],
                "key": [key for _place, key, _value in told],
                "value": [f'"{value}"' for _place, _key, value in told],
            },
        )

    def _consents(self) -> int:
        people, messages = self.people, self.messages
        given = np.flatnonzero(people.consented < NEVER)
        taken = np.flatnonzero(people.withdrawn < NEVER)
        who = np.concatenate([given, taken])
        at = np.concatenate([people.consented[given], people.withdrawn[taken]])
        same = {"channel": "email", "purpose": "marketing", "source": "simulator", "text_version": "1"}
        return store_rows(
            "customers_consent",
            {
                "profile_id": "q",
                "at": "t",
                "recorded_at": "t",
                "address": "s",
                "state": "s",
                "channel": "s",
                "purpose": "s",
                "source": "s",
                "text_version": "s",
            },
            {
                "profile_id": self.profile[who],
                "at": at,
                "recorded_at": at,
                "address": [messages.email[one] for one in who.tolist()],
                "state": ["granted"] * len(given) + ["withdrawn"] * len(taken),
                **{name: [value] * len(who) for name, value in same.items()},
            },
        )
