"""What simulated people are called, and what the messages about them say, word for word: as rows for COPY, and as the
events that ingestion would take. Both come from the same texts."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np

from clm.lib.milliseconds import from_ms
from customers.events import Event, Line

from .histories import Histories, channels
from .kinds import PLANS, PRODUCTS, Kind, Shape, shapes
from .parameters import Parameters
from .timeline import NEVER, Bools, Int64s

FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Greta",
    "Hugo",
    "Ida",
    "Jon",
    "Kira",
    "Leo",
    "Mia",
    "Noah",
    "Olga",
)
LAST = ("Adler", "Brandt", "Clarke", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kowalski")
HAS_AMOUNT = (Kind.ORDER, Kind.REFUND, Kind.INVOICE, Kind.RENEWED)
FREE = "free"
_SORTED = msgspec.json.Encoder(order="sorted")


def _json(said: Any) -> str:
    """As `body_hash` writes it."""
    return _SORTED.encode(said).decode()


@dataclass(frozen=True, slots=True)
class Money:
    """The reporting currency and the digits of its minor unit."""

    currency: str
    digits: int

    def whole(self, amount: int) -> str:
        """An amount in minor units as a decimal of whole ones."""
        return str(Decimal(amount).scaleb(-self.digits))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it reaches us. is_again: it was there before; says_other: and now it says something else."""

    event: Event
    received_at: datetime
    is_again: bool
    says_other: bool


class Messages:
    """The texts of some histories; everything in lists or arrays, one place per touchpoint or per person."""

    def __init__(self, histories: Histories, *, parameters: Parameters, seed: int, money: Money) -> None:
        self.histories, self.parameters, self.seed, self.money = histories, parameters, seed, money
        self.channels = channels(parameters)
        self.shapes = shapes(tuple(way.channel for way in parameters.ways))
        people = histories.people
        self.numbers: list[int] = people.number.tolist()
        self.anonymous = [f"sim{seed}-a{number}" for number in self.numbers]
        self.other_device = [f"sim{seed}-b{number}" for number in self.numbers]
        self.user = [f"sim{seed}-u{number}" for number in self.numbers]
        self.name = [f"{FIRST[number * 7 % 15]} {LAST[number * 5 % 11]}" for number in self.numbers]
        self.email = [
            f"{name.replace(' ', '.').lower()}.{number}@sim{seed}.example"
            for name, number in zip(self.name, self.numbers, strict=True)
        ]
        self.country = [parameters.countries[code][0] for code in people.country.tolist()]

    # --- per touchpoint -------------------------------------------------------------------------------------------
    @cached_property
    def is_named(self) -> Bools:
        """Whether it names the user: what happens from the sign-up on."""
        touches = self.histories.touches
        since = touches.ms >= self.histories.people.signed_up[touches.person]
        return since & ((touches.device == 0) | (touches.kind == Kind.SIGNED_IN))

    @cached_property
    def on_other_device(self) -> Bools:
        """Whether it belongs to the profile of a device that nobody has signed in on yet."""
        touches = self.histories.touches
        return (touches.device == 1) & (touches.kind != Kind.SIGNED_IN)

    @cached_property
    def has_amount(self) -> Bools:
        return np.isin(self.histories.touches.kind, HAS_AMOUNT)

    @cached_property
    def ids(self) -> list[str]:
        touches = self.histories.touches
        begin = [f"sim{self.seed}-{number}-" for number in self.numbers]
        return [begin[person] + str(n) for person, n in zip(touches.person.tolist(), touches.n.tolist(), strict=True)]

    @cached_property
    def hashes(self) -> bytes:
        """`message_hash` of all ids, end to end."""
        return b"".join([blake2b(each.encode(), digest_size=16).digest() for each in self.ids])

    @cached_property
    def said(self) -> dict[int, list[str]]:
        """The properties of each kind as JSON, by value; tickets lack their reference."""
        return {kind: [_json(each) for each in shape.said] for kind, shape in self.shapes.items()}

    @cached_property
    def references(self) -> list[str]:
        """The order or the ticket that each speaks of, or nothing."""
        touches = self.histories.touches
        out = [""] * len(touches.person)
        for place in np.flatnonzero(touches.ref >= 0).tolist():
            out[place] = f"SIM{self.seed}-{self.numbers[touches.person[place]]}-{touches.ref[place]}"
        return out

    @cached_property
    def is_of_ticket(self) -> Bools:
        return np.isin(self.histories.touches.kind, (Kind.OPENED, Kind.REPLIED, Kind.RESOLVED))

    @cached_property
    def order_refs(self) -> list[str]:
        return ["" if ticket else ref for ref, ticket in zip(self.references, self.is_of_ticket.tolist(), strict=True)]

    @cached_property
    def properties(self) -> list[str]:
        """As JSON with sorted keys."""
        touches, said = self.histories.touches, self.said
        out = [said[kind][value] for kind, value in zip(touches.kind.tolist(), touches.value.tolist(), strict=True)]
        for place in np.flatnonzero(self.is_of_ticket).tolist():
            out[place] = f'{out[place][:-1]},"ticket_ref":"T{self.references[place]}"}}'
        return out

    @cached_property
    def lines(self) -> dict[int, list[tuple[int, int, int]]]:
        """By touchpoint: product, quantity and amount of each line of its order."""
        lines = self.histories.lines
        out: dict[int, list[tuple[int, int, int]]] = {}
        for touch, product, quantity, amount in zip(
            lines.touch.tolist(), lines.product.tolist(), lines.quantity.tolist(), lines.amount.tolist(), strict=True
        ):
            out.setdefault(touch, []).append((product, quantity, amount))
        return out

    def traits(self, place: int) -> dict[str, Any]:
        """What a touchpoint tells of its customer."""
        touches = self.histories.touches
        kind, person = touches.kind[place], touches.person[place]
        if kind == Kind.SIGNED_UP:
            return {
                "country": self.country[person],
                "email": self.email[person],
                "name": self.name[person],
                "plan": FREE,
            }
        if kind in (Kind.SUBSCRIBED, Kind.UPGRADED):
            return {"plan": PLANS[touches.value[place]]}
        return {"plan": FREE} if kind == Kind.CANCELLED else {}

    @cached_property
    def telling(self) -> list[int]:
        """The touchpoints that tell traits."""
        kinds = (Kind.SIGNED_UP, Kind.SUBSCRIBED, Kind.UPGRADED, Kind.CANCELLED)
        return np.flatnonzero(np.isin(self.histories.touches.kind, kinds)).tolist()

    @cached_property
    def body_hashes(self) -> Int64s:
        """`body_hash` of every message, without making an Event of each: see the test that compares both."""
        touches = self.histories.touches
        by_anonymous = [f'[[["anonymous_id","{each}"]],' for each in self.anonymous]
        by_other = [f'[[["anonymous_id","{each}"]],' for each in self.other_device]
        by_user = [f'[[["user_id","{each}"]],' for each in self.user]
        begins = [
            (by_user if named else by_other if other else by_anonymous)[person]
            for person, named, other in zip(
                touches.person.tolist(), self.is_named.tolist(), self.on_other_device.tolist(), strict=True
            )
        ]
        for place in np.flatnonzero(np.isin(touches.kind, (Kind.SIGNED_UP, Kind.SIGNED_IN))).tolist():
            begins[place] = _json([sorted(self.identities(place))])[:-1] + ","
        # What follows the identities: type and channel; and what follows the instant, where there is no money.
        types = [self.shapes[kind].type for kind in Kind]
        means = [[f'"{name}","{channel}","' for channel in self.channels] for name in types]
        ends = {kind: [f'",null,null,"","",{each},{{}},[]]' for each in said] for kind, said in self.said.items()}
        end = [ends[kind][value] for kind, value in zip(touches.kind.tolist(), touches.value.tolist(), strict=True)]
        money, amounts = self.money, touches.amount.tolist()
        for place in np.flatnonzero(self.has_amount).tolist():
            amount, ref = amounts[place], self.references[place]
            lines = _json([[PRODUCTS[p][0], str(q), a] for p, q, a in self.lines.get(place, ())])
            end[place] = (
                f'",{amount},"{money.whole(amount)}","{money.currency}","{ref}",{self.properties[place]},{{}},{lines}]'
            )
        for place in np.flatnonzero(self.is_of_ticket).tolist():
            end[place] = f'",null,null,"","",{self.properties[place]},{{}},[]]'
        for place in self.telling:
            told = _json(self.traits(place))
            end[place] = f'",null,null,"","",{self.properties[place]},{told},[]]'
        instants = np.datetime_as_string(touches.ms.astype("M8[ms]"), unit="ms").tolist()
        hashed = b"".join(
            [
                blake2b(
                    (
                        begin + means[kind][channel] + (at[:-4] if at.endswith(".000") else at + "000") + "Z" + rest
                    ).encode(),
                    digest_size=8,
                ).digest()
                for begin, kind, channel, at, rest in zip(
                    begins, touches.kind.tolist(), touches.channel.tolist(), instants, end, strict=True
                )
            ]
        )
        return np.frombuffer(hashed, ">i8").astype(np.int64)

    def identities(self, place: int) -> tuple[tuple[str, str], ...]:
        """Whom a touchpoint names, strongest first."""
        person = int(self.histories.touches.person[place])
        kind = self.histories.touches.kind[place]
        anonymous, user = ("anonymous_id", self.anonymous[person]), ("user_id", self.user[person])
        if kind == Kind.SIGNED_UP:
            return user, ("email", self.email[person]), anonymous
        if kind == Kind.SIGNED_IN:
            return user, ("anonymous_id", self.other_device[person])
        if self.on_other_device[place]:
            return (("anonymous_id", self.other_device[person]),)
        return (user,) if self.is_named[place] else (anonymous,)

    # --- as events ------------------------------------------------------------------------------------------------
    def event(self, place: int) -> Event:
        """What ingestion would be told."""
        touches = self.histories.touches
        shape: Shape = self.shapes[Kind(touches.kind[place])]
        amount = int(touches.amount[place]) if self.has_amount[place] else None
        return Event(
            message_id=self.ids[place],
            identities=self.identities(place),
            type=shape.type,
            channel=self.channels[touches.channel[place]],
            occurred_at=from_ms(int(touches.ms[place])),
            amount=amount,
            original_amount=None if amount is None else Decimal(self.money.whole(amount)),
            currency="" if amount is None else self.money.currency,
            order_ref=self.order_refs[place],
            properties=json.loads(self.properties[place]),
            lines=tuple(
                Line(
                    product=PRODUCTS[product][0],
                    description=PRODUCTS[product][1],
                    category=PRODUCTS[product][2],
                    quantity=Decimal(quantity),
                    amount=part,
                    cost=cost_of(part, product),
                )
                for product, quantity, part in self.lines.get(place, ())
            ),
            traits=self.traits(place),
        )

    def arrivals(self) -> Iterator[Arrival]:
        """Every message in the order of its arrival, those that arrive again too."""
        touches = self.histories.touches
        again = np.flatnonzero(touches.repeated < NEVER)
        places = np.concatenate([np.arange(len(touches.person)), again])
        at = np.concatenate([touches.received, touches.repeated[again]])
        is_again = np.arange(len(places)) >= len(touches.person)
        for index in np.lexsort((touches.n[places], touches.person[places], is_again, at)).tolist():
            place = int(places[index])
            event = self.event(place)
            says_other = bool(is_again[index] and touches.conflicting[place])
            if says_other:
                event = Event(
                    message_id=event.message_id,
                    identities=event.identities,
                    type=event.type,
                    channel=event.channel,
                    occurred_at=event.occurred_at,
                    properties={"sent": "again"},
                )
            yield Arrival(event, from_ms(int(at[index])), bool(is_again[index]), says_other)


def cost_of(amount: int, product: int) -> int | None:
    """What a line cost us: six tenths of its amount; of every eighth product it is not known."""
    return None if product % 8 == 0 else amount * 6 // 10
