"""Random rule documents, as JSON would give them (numbers int or Decimal), and the vocabulary they speak of."""

from decimal import Decimal

from hypothesis import strategies as st

TYPES = ("Order", "Renewal", "Refund", "Visit", "Ad", "Subscribe", "Cancel", "Odd")
ROLES = {
    "Order": "purchase",
    "Renewal": "purchase",
    "Refund": "refund",
    "Visit": "visit",
    "Ad": "exposure",
    "Subscribe": "subscribe",
    "Cancel": "cancel",
    "Odd": "other",
}
# The same types under a later mapping: a version brings its own roles.
REMAPPED = ROLES | {"Renewal": "upgrade", "Odd": "visit", "Visit": "other", "Ad": "purchase"}
CHANNELS = ("web", "mail", "shop")

STRINGS = ("pro", "Pro", "", "pro plan", "é", "e\u0301", "\U0001f600", "1", "true")
NUMBERS = (0, 1, Decimal("1.0"), Decimal("0.1"), Decimal("0.10000000000000000001"), -5, Decimal("1E+10"), 2**70)
MOMENTS = ("2024-03-01", "2024-03-01T00:00:00Z", "2024-03-01T05:45:00+05:45", "2024-03-01T00:00:00.001Z", "2024-02-29")
NO_MOMENTS = ("2024-03-01T00:00:00", "2023-02-29", "soon")
VALUES = (*STRINGS, *NUMBERS, *MOMENTS, *NO_MOMENTS, True, False, None, ["pro"], {"is": "pro"}, [])
PROPERTIES = ("plan", "score")


def _lists(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(items, min_size=1, max_size=3)


def _one_or_list(names: tuple[str, ...]) -> st.SearchStrategy:
    one = st.sampled_from(names)
    return one | _lists(one)


SCALARS = tuple(value for value in VALUES if isinstance(value, str | int | Decimal))
ITEMS = tuple([SCALARS[i], SCALARS[(i * 7 + 5) % len(SCALARS)]] for i in range(len(SCALARS)))
TEXTS = ("pro", "", "e", "\u0301", "1", "2024")

# Every operator with the operands it is tried with.
OPERANDS: dict[str, tuple] = {
    "is": SCALARS,
    "is_not": SCALARS,
    "in": (*ITEMS, ["pro"], [1]),
    "not_in": (*ITEMS, ["pro"], [1]),
    "contains": TEXTS,
    "starts_with": TEXTS,
    "gt": NUMBERS,
    "gte": NUMBERS,
    "lt": NUMBERS,
    "lte": NUMBERS,
    "before": MOMENTS,
    "after": MOMENTS,
    "exists": (True, False),
}


@st.composite
def property_tests(draw) -> dict:
    """One test of a `where` list, with one or two operators."""
    names = draw(st.lists(st.sampled_from(sorted(OPERANDS)), min_size=1, max_size=2, unique=True))
    return {"property": draw(st.sampled_from(PROPERTIES))} | {
        name: draw(st.sampled_from(OPERANDS[name])) for name in names
    }


PLAIN_SELECTORS = (
    {"role": "purchase"},
    {},
    {"role": ["purchase", "refund"]},
    {"type": "Order"},
    {"type": ["Visit", "Ad"]},
    {"any_activity": True},
    {"role": "subscribe"},
    {"role": ["cancel", "visit"]},
    {"channel": "web"},
    {"type": "Never sent"},
    [{"type": "Visit"}, {"role": "purchase", "channel": ["shop", "mail"]}],
    [{"role": "refund"}, {"any_activity": True, "channel": "web"}, {"type": "Order"}],
)
KEYED_SELECTORS = st.fixed_dictionaries(
    {},
    optional={
        "role": _one_or_list((*sorted(set(ROLES.values())), "upgrade", "usage")),
        "type": _one_or_list((*TYPES, "Never sent")),
        "channel": _one_or_list((*CHANNELS, "fax")),
        "any_activity": st.just(True),
    },
)
WHERE_SELECTORS = st.fixed_dictionaries(
    {"where": st.lists(property_tests(), min_size=1, max_size=2)}, optional={"channel": st.just("web")}
)


@st.composite
def selectors(draw) -> object:
    """Mostly plain ones: what selects hardly anything shows hardly anything."""
    sort = draw(st.sampled_from(("plain",) * 16 + ("keyed", "keyed", "where", "list")))
    if sort == "plain":
        return draw(st.sampled_from(PLAIN_SELECTORS))
    if sort == "list":
        return draw(_lists(WHERE_SELECTORS | st.sampled_from(PLAIN_SELECTORS[:3])))
    return draw(KEYED_SELECTORS if sort == "keyed" else WHERE_SELECTORS)


SELECTORS = selectors()

COUNTS = st.sampled_from((2, 1, 3, 2, 4, 7))
DAYS = st.sampled_from((2, 1, 3))
THRESHOLDS = st.sampled_from(("1", "1.25", "2.50", "3.501", "0.01", "0.005", "1.00", "10", "999999999.99"))
FACTORS = st.sampled_from(("1", "1.25", "0.5", "2", "0.8", "0.0001", "1.0001", "0.9999", "1000"))

LEAVES = ("did", "did", "on_days", "spent", "spent", "grew", "grew", "since")
NODES = ("all", "any", "not", "held", "lately")


@st.composite
def leaves(draw, windows: tuple[str, ...]) -> dict:
    """Rules over touchpoints alone."""
    head, selector = draw(st.sampled_from(LEAVES)), draw(SELECTORS)
    if head == "since":
        return {"since": selector, "until": draw(SELECTORS)}
    window = draw(st.sampled_from(windows))
    if head == "grew":
        return {"grew": selector, "by": draw(FACTORS), "within": window}
    within = {"within": window} if draw(st.sampled_from((1, 1, 1, 1, 0))) else {}
    if head == "spent":
        return {"spent": selector, "at_least": draw(THRESHOLDS)} | within
    if head == "on_days":
        return {"did": selector, "on_days": draw(DAYS)} | within
    return {"did": selector} | ({"at_least": draw(COUNTS)} if draw(st.booleans()) else {}) | within


# What a rule may name besides its own nodes: {"rule": ...}, {"segment": ...} and {"stage": ...} documents.
References = tuple[dict, ...]
TRAITS = ("plan", "score:risk")


@st.composite
def traits(draw) -> dict:
    """One test of a trait, with one or two operators."""
    names = draw(st.lists(st.sampled_from(sorted(OPERANDS)), min_size=1, max_size=2, unique=True))
    return {"trait": draw(st.sampled_from(TRAITS))} | {name: draw(st.sampled_from(OPERANDS[name])) for name in names}


PLAIN_TRAITS = st.sampled_from(
    (
        {"trait": "plan", "is": "pro"},
        {"trait": "plan", "is_not": "pro"},
        {"trait": "plan", "exists": True},
        {"trait": "plan", "exists": False},
        {"trait": "score:risk", "gte": 8},
        {"trait": "score:risk", "lt": 8, "is_not": 1},
        {"trait": "score:risk", "in": [1, 4]},
        {"trait": "score:risk", "exists": False},
        {"trait": "plan", "not_in": ["pro", 1]},
    )
)


@st.composite
def rules(draw, windows: tuple[str, ...], names: References = (), depth: int = 3) -> dict:
    """Rules of every node; `names` are the references they may use."""
    head = draw(st.sampled_from(("leaf", "leaf", *NODES))) if depth else "leaf"
    if head == "leaf":
        if names and not draw(st.integers(0, 2)):
            return draw(st.sampled_from(names))
        if not draw(st.integers(0, 6)):
            return draw(st.one_of(PLAIN_TRAITS, PLAIN_TRAITS, traits()))
        return draw(leaves(windows))
    if head in ("all", "any"):
        return {head: [draw(rules(windows, names, depth - 1)) for _ in range(draw(st.integers(1, 3)))]}
    inner = draw(rules(windows, names, depth - 1))
    if head == "not":
        return {"not": inner}
    return {head: inner, "for" if head == "held" else "within": draw(st.sampled_from(windows))}


# What selects much.
BROAD_SELECTORS = st.sampled_from(PLAIN_SELECTORS[:6])


def _wrapped(draw, rule: dict, window: str) -> dict:
    return draw(st.sampled_from((rule, rule, {"not": rule}, {"held": rule, "for": window})))


@st.composite
def day_rules(draw, windows: tuple[str, ...]) -> dict:
    """Rules that count days, of selectors that select much."""
    rule = {"did": draw(BROAD_SELECTORS), "on_days": draw(DAYS)}
    within = {"within": draw(st.sampled_from(windows))} if draw(st.sampled_from((1, 1, 1, 0))) else {}
    return _wrapped(draw, rule | within, windows[0])


@st.composite
def money_rules(draw, windows: tuple[str, ...]) -> dict:
    """Rules of sums, of selectors that select much."""
    selector, window = draw(BROAD_SELECTORS), draw(st.sampled_from(windows))
    if draw(st.booleans()):
        return _wrapped(draw, {"grew": selector, "by": draw(FACTORS), "within": window}, windows[0])
    within = {"within": window} if draw(st.sampled_from((1, 1, 1, 0))) else {}
    return _wrapped(draw, {"spent": selector, "at_least": draw(THRESHOLDS)} | within, windows[0])


@st.composite
def sub_rules(draw, windows: tuple[str, ...]) -> dict[str, object]:
    """Up to two named rules, the second of which may use the first."""
    named: dict[str, object] = {}
    for name in ("first", "second")[: draw(st.integers(0, 2))]:
        named[name] = draw(rules(windows, tuple({"rule": known} for known in named), 1))
    return named


@st.composite
def definitions(draw, windows: tuple[str, ...], names: References) -> tuple[dict, dict]:
    """Segments and models that rules may name: a list, segments that name one another, a model that names segments,
    and a segment that names its stages."""
    segments: dict[str, object] = {"list": None}
    segments["small"] = draw(rules(windows, (*names, {"segment": "list"}), 1))
    segments["big"] = draw(rules(windows, (*names, {"segment": "small"}, {"segment": "list"}), 1))
    named = (*names, {"segment": "big"}, {"segment": "list"})
    models = {"model": [(key, draw(rules(windows, named, 1))) for key in ("low", "high")]}
    segments["staged"] = draw(rules(windows, (*STAGES, *STAGES, {"segment": "big"}), 1))
    return segments, models


STAGES: References = tuple({"stage": ["model", key]} for key in ("low", "high", "left"))
SEGMENTS: References = tuple({"segment": key} for key in ("list", "small", "big", "staged"))


def plain_leaves(windows: tuple[str, ...]) -> tuple[dict, ...]:
    """Well over 62 different leaves, for models wider than one machine word of them."""
    return tuple(
        {"did": {"type": kind}, "at_least": k, "within": within}
        for kind in TYPES
        for k in (1, 2, 3)
        for within in windows
    )


@st.composite
def stages(draw, windows: tuple[str, ...], names: References) -> list[object]:
    """The rules of one model, lowest precedence first."""
    return draw(st.lists(rules(windows, names, 2), min_size=1, max_size=5))


@st.composite
def wide_stages(draw, windows: tuple[str, ...]) -> list[object]:
    """Stages with 17 to 90 leaves in all; at most 30 in one rule."""
    every = plain_leaves(windows)
    chosen = draw(st.lists(st.integers(0, len(every) - 1), min_size=17, max_size=min(90, len(every)), unique=True))
    per_stage = draw(st.integers(2, 15)) if len(chosen) < 60 else draw(st.integers(8, 15))
    found = []
    for first in range(0, len(chosen), per_stage):
        parts = [every[index] for index in chosen[first : first + per_stage]]
        half = len(parts) // 2
        head = draw(st.sampled_from(("any", "all")))
        if draw(st.booleans()) and half:
            other = "all" if head == "any" else "any"
            found.append({head: [*parts[:half], {"not": {other: parts[half:]}}]})
        else:
            found.append({head: parts})
    return found
