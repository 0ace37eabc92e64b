"""Rules in English. Every node is a predicate of the customer ("has a purchase in the last 90 days"); a whole rule is
one sentence. All wording is in the tables and templates of this file."""

from __future__ import annotations

from lifecycle.rules.durations import say_duration
from lifecycle.rules.nodes import (
    ROLES,
    All,
    Any,
    Did,
    Grew,
    Held,
    InSegment,
    InStage,
    Lately,
    Named,
    Node,
    Not,
    OnDays,
    Pick,
    PropertyTest,
    Selector,
    Since,
    Spent,
    Test,
    Trait,
)
from lifecycle.rules.value_tests import say_test

# Role -> one touchpoint of it, several of it.
_NOUNS = {
    "exposure": ("exposure", "exposures"),
    "visit": ("visit", "visits"),
    "signup": ("sign-up", "sign-ups"),
    "subscribe": ("subscription start", "subscription starts"),
    "cancel": ("cancellation", "cancellations"),
    "onboarding": ("onboarding step", "onboarding steps"),
    "usage": ("product use", "product uses"),
    "cart": ("cart change", "cart changes"),
    "checkout": ("checkout", "checkouts"),
    "purchase": ("purchase", "purchases"),
    "refund": ("refund", "refunds"),
    "upgrade": ("upgrade", "upgrades"),
    "support": ("support contact", "support contacts"),
    "feedback": ("feedback answer", "feedback answers"),
    "review": ("review", "reviews"),
    "referral": ("referral", "referrals"),
    "share": ("share", "shares"),
    "other": ("other touchpoint", "other touchpoints"),
}


def sentence(node: Node, *, currency: str = "EUR", minor_digits: int = 2) -> str:
    """The rule as one English sentence; a sub-rule is called by its name."""
    words = _Words(currency=currency, minor_digits=minor_digits)
    # A rule that is nothing but a sub-rule says what that sub-rule means.
    while isinstance(node, Named):
        node = node.part
    return f"The customer {words.predicate(node)}."


def headline(node: Node, *, currency: str = "EUR", minor_digits: int = 2) -> str:
    """The rule in few words, as a heading over its parts: sub-rules by their bare names, what is made of several as a
    list of them. `All of: alive; established`."""
    said = _Words(currency=currency, minor_digits=minor_digits).heading(node)
    return said[:1].upper() + said[1:]


def counted(selector: Selector, count: int) -> str:
    """So many touchpoints of a selector: `2 purchases`, `no visit`; of a long selector `2 of these touchpoints`."""
    kinds = sum(len(pick.roles or pick.types or ("",)) for pick in selector)
    if kinds > 2 or any(pick.where for pick in selector):
        return "none of these touchpoints" if count == 0 else f"{count:,} of these touchpoints"
    if count == 0:
        return f"no {_bare_one(selector)}"
    return f"1 {_bare_one(selector)}" if count == 1 else f"{count:,} {_many(selector)}"


def said_money(units: int, *, currency: str, minor_digits: int) -> str:
    """An amount in minor units, as sentences write it."""
    return _Words(currency=currency, minor_digits=minor_digits).money(units)


def said_tests(tests: tuple[Test, ...]) -> str:
    """What is asked of a value: `is at least 50`."""
    return _tested(tests)


def said_ratio(ten_thousandths: int) -> str:
    """`1.25`."""
    return _ratio(ten_thousandths)


class _Words:
    """How nodes are said, given how money is written."""

    def __init__(self, *, currency: str, minor_digits: int) -> None:
        self.currency = currency
        self.minor_digits = minor_digits

    def predicate(self, node: Node) -> str:
        """The node after "the customer"."""
        match node:
            case All((part,)) | Any((part,)):
                return self.predicate(part)
            case All(parts):
                return _series([self.part(part) for part in parts], "and")
            case Any(parts):
                joined = _series([self.part(part) for part in parts], "or")
                return f"either {joined}"
            case Not(part):
                return self.negated(part)
            case Did(selector, at_least, within):
                what = _one(selector) if at_least == 1 else f"at least {at_least:,} {_many(selector)}"
                return f"{_had(within)} {what}{_window(within)}"
            case OnDays(selector, days, within):
                on = "on at least 1 day" if days == 1 else f"on at least {days:,} different days"
                return f"{_had(within)} {_many(selector)} {on}{_window(within)}"
            case Spent(selector, at_least, within):
                worth = f"worth at least {self.money(at_least)} in total"
                return f"{_had(within)} {_many(selector)} {worth}{_window(within)}"
            case Grew(selector, by, within):
                span = _bare(say_duration(within))
                return (
                    f"has had {_many(selector)} in the last {span} worth at least {_ratio(by)} times those of the "
                    f"{span} before"
                )
            case Since(start, until):
                return f"has had {_one(start)} and since the latest no {_bare_one(until)}"
            case Held(Named(name, _), duration):
                return f"has met “{name}” for {say_duration(duration)} without a break"
            case Held(InSegment() | InStage() as part, duration):
                return f"has been in {_place(part)} for {say_duration(duration)} without a break"
            case Held(part, duration):
                return f"has for {say_duration(duration)} without a break been one who {self.part(part)}"
            case Lately(Named(name, _), within):
                return f"met “{name}” at some time in the last {_bare(say_duration(within))}"
            case Lately(InSegment() | InStage() as part, within):
                return f"was in {_place(part)} at some time in the last {_bare(say_duration(within))}"
            case Lately(part, within):
                return f"was at some time in the last {_bare(say_duration(within))} one who {self.part(part)}"
            case Trait(key, (Test("exists", operand),)):
                return f"has {'a' if operand else 'no'} {_trait(key)}"
            case Trait(key, tests):
                return f"has a {_trait(key)} that {_tested(tests)}"
            case Named(name, _):
                return f"meets “{name}”"
            case InSegment() | InStage():
                return f"is in {_place(node)}"

    def heading(self, node: Node, *, inside: bool = False) -> str:
        """The node in few words; `inside` another one what could be read in two ways is in brackets."""
        match node:
            case Named(name, _):
                return name
            case All((part,)) | Any((part,)):
                return self.heading(part, inside=inside)
            case All(parts):
                said = f"all of: {'; '.join(self.heading(part, inside=True) for part in parts)}"
            case Any(parts):
                said = f"any of: {'; '.join(self.heading(part, inside=True) for part in parts)}"
            case Not(part):
                said = f"not: {self.heading(part, inside=True)}"
            case Held(part, duration):
                said = f"for {say_duration(duration)} without a break: {self.heading(part, inside=True)}"
            case Lately(part, within):
                said = f"at some time in the last {_bare(say_duration(within))}: {self.heading(part, inside=True)}"
            case InSegment() | InStage():
                return f"in {_place(node)}"
            case _:
                return self.predicate(node)
        return f"({said})" if inside else said

    def part(self, node: Node) -> str:
        """The node inside another one, in brackets when it could be read in two ways."""
        match node:
            case Held(Named() | InSegment() | InStage()) | Lately(Named() | InSegment() | InStage()):
                compound = False
            case All((part,)) | Any((part,)):
                return self.part(part)
            case _:
                compound = isinstance(node, All | Any | Since | Held | Lately)
        said = self.predicate(node)
        return f"({said})" if compound else said

    def negated(self, node: Node) -> str:
        match node:
            case Named(name, _):
                return f"does not meet “{name}”"
            case Held(Named(name, _), duration):
                return f"has not yet met “{name}” for {say_duration(duration)} without a break"
            case InSegment() | InStage():
                return f"is not in {_place(node)}"
            case Trait(key, tests) if all(test.operator != "exists" for test in tests):
                return f"has no {_trait(key)} that {_tested(tests)}"
            case Did(selector, 1, None):
                return f"has never had {_one(selector)}"
            case Did(selector, at_least, within):
                few = f"no {_bare_one(selector)}" if at_least == 1 else f"fewer than {at_least:,} {_many(selector)}"
                return f"has had {few}{_window(within)}"
            case _:
                return f"is not one who {self.part(node)}"

    def money(self, units: int) -> str:
        if self.minor_digits == 0:
            return f"{units:,} {self.currency}"
        whole, rest = divmod(units, 10**self.minor_digits)
        return f"{whole:,}.{rest:0{self.minor_digits}d} {self.currency}"


def _had(within: int | None) -> str:
    return "has at some time had" if within is None else "has had"


def _window(within: int | None) -> str:
    return "" if within is None else f" in the last {_bare(say_duration(within))}"


def _bare(span: str) -> str:
    # "in the last day", not "in the last 1 day"
    return span[2:] if span.startswith("1 ") else span


def _ratio(by: int) -> str:
    whole, rest = divmod(by, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def _place(node: InSegment | InStage) -> str:
    if isinstance(node, InSegment):
        return f"the segment “{node.name}”"
    model = node.model
    names = {key: name for key, name, _rule in model.stages} | {model.exit_key: model.exit_name}
    return f"the stage “{names[node.stage]}” of “{model.name}”"


def _trait(key: str) -> str:
    return f"score “{key.removeprefix('score:')}”" if key.startswith("score:") else f"“{key}”"


def _tested(tests: tuple[Test, ...]) -> str:
    return _series([say_test(one) for one in tests], "and")


# --- selectors ---------------------------------------------------------------------------------------------------
def _one(selector: Selector) -> str:
    said = _bare_one(selector)
    return f"{'an' if said[0] in 'aeio' or said.startswith('upgrade') else 'a'} {said}"


def _bare_one(selector: Selector) -> str:
    return " or ".join(_pick(pick, 0) for pick in selector)


def _many(selector: Selector) -> str:
    return " or ".join(_pick(pick, 1) for pick in selector)


def _pick(pick: Pick, number: int) -> str:
    """One selector object as a noun; `number` 0 for one touchpoint, 1 for several."""
    if pick.roles is not None:
        said = _series([_NOUNS[role][number] for role in ROLES if role in pick.roles], "or")
    else:
        said = ("touchpoint", "touchpoints")[number]
    if pick.any_activity:
        said = ("activity", "activities")[number] if pick.roles is None else f"active {said}"
    if pick.types is not None:
        said += f" of type {_quoted(pick.types)}"
    if pick.channels is not None:
        said += f" over {_quoted(pick.channels)}"
    if pick.where:
        said += f" whose {_series([_property(test) for test in pick.where], 'and')}"
    return said


def _property(test: PropertyTest) -> str:
    return f"“{test.key}” {_tested(test.tests)}"


def _quoted(names: frozenset[str]) -> str:
    return _series([f"“{name}”" for name in sorted(names)], "or")


def _series(said: list[str], last: str) -> str:
    if len(said) == 1:
        return said[0]
    return f"{', '.join(said[:-1])} {last} {said[-1]}"
