"""Finding customers by what people type: a part of a name or an address, the beginning of a short word, a number of
this or another system, or the reference of an order; with accents or without. The list, the API and the search of every
page find the same people."""

import re
from dataclasses import dataclass
from unicodedata import normalize

from django.db.models import Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext as _

from clm.lib import sql
from clm.lib.folding import spellings
from clm.lib.questions import QuestionError
from customers.models import Customer, Touchpoint

from .bounded_search import Matching
from .customer_figures import initials, names_of

MOST_WORDS = 10
MOST_TEXT = 200
# A shorter run of letters has no trigram of its own: the index finds it only where a word begins with it.
TRIGRAM = 3
# A number as people write it, and what lies between its digits.
SHORTEST_NUMBER = 6
_PHONE = re.compile(r"[+(]*[0-9][0-9 ()./\u2010-\u2015-]*")
_NO_DIGIT = re.compile(r"[^0-9]+")
# The countries' prefixes of two digits; those of North America and of Russia have one, all others three.
_TWO_DIGIT_PREFIXES = frozenset(
    {20, 27, *range(30, 35), 36, 39, 40, 41, *range(43, 50), *range(51, 59), *range(60, 67)}
    | {81, 82, 84, 86, *range(90, 96), 98}
)
_RUNS = re.compile(r"[a-z0-9]+")
# An order and its refunds are one customer's; a reference that more share than this names nobody.
MOST_ORDERS = 50
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    """A customer that a search leads to. known_as: the name, or what stands for it; detail: the address or number
    beside it, "" when there is none."""

    id: int
    known_as: str
    initials: str
    detail: str


def searched(text: str) -> Q:
    """The customers in whom every word of `text` occurs. QuestionError for what no name can hold."""
    refuse_unsearchable(text)
    folded = normalize("NFC", text)
    asked = Q()
    for word in folded.split()[:MOST_WORDS]:
        asked &= _word(word)
    number = searched_digits(folded)
    return asked | Q(search_text__contains=number) if number else asked


def refuse_unsearchable(text: str) -> None:
    """QuestionError for what no name can hold."""
    if "\x00" in text:
        raise QuestionError("search", _("The search holds a character that no name has. Type it anew."))


def found_customers(*, text: str, most: int) -> list[FoundCustomer]:
    """The first `most` customers for a search as it is being typed: whoever is recognised by exactly this first, then
    the newest."""
    text = " ".join(normalize("NFC", text).split())[:MOST_TEXT]
    if not text:
        return []
    condition = searched(text)
    portraits = Customer.objects.filter(merged_into=None).only("pk", "name", "email", "phone", "search_text")
    recognised = _recognised(text)
    found = list(portraits.filter(pk__in=recognised).order_by("-pk")[:most]) if recognised else []
    # Whoever has this very address is meant; to look for it as a part of others' would read most of the index.
    if len(found) < most and not (found and "@" in text):
        matching = Customer.objects.filter(merged_into=None).filter(condition)
        newest = Matching(matching).newest(limit=most + len(found))
        others = [one for one in newest if one not in recognised][: most - len(found)]
        found += portraits.filter(pk__in=others).order_by("-pk")
    names = names_of(found)
    orders = _of_order(text)
    return [
        FoundCustomer(
            id=one.pk,
            known_as=names[one.pk],
            initials=initials(one.name, one.email),
            detail=_("order %(reference)s") % {"reference": text}
            if one.pk in orders
            else next((known for known in (one.email, one.phone) if known and known != names[one.pk]), ""),
        )
        for one in found
    ]


def searched_digits(text: str) -> str:
    """The digits to look for if the whole of `text` is a telephone number, however it is written: those after the
    country's prefix or the zero that stands for it at home. "" when it is none."""
    digits = _NO_DIGIT.sub("", text.replace("(0)", ""))
    if not _PHONE.fullmatch(text.strip()) or len(digits) < SHORTEST_NUMBER:
        return ""
    if text.strip().lstrip("( ").startswith("+") or digits.startswith("00"):
        digits = digits.removeprefix("00")
        width = 1 if digits[:1] in ("1", "7") else 2 if int(digits[:2]) in _TWO_DIGIT_PREFIXES else 3
        digits = digits[width:]
    else:
        digits = digits.removeprefix("0")
    return digits if len(digits) >= SHORTEST_NUMBER - 1 else ""


def occurring(word: str) -> Q:
    """Whoever has the word, or one that it begins if it is short, in what they are searched by: however its accents are
    typed."""
    found = Q()
    for form in spellings(word):
        part, at, _domain = form.partition("@")
        if at and len(part) >= TRIGRAM:
            # Half the world has the same domain: its trigrams only make the index read long lists. Looked for is what
            # stands before it, and the whole is compared in what that finds.
            found |= Q(search_text__contains=part + at) & Q(GreaterThan(StrIndex("search_text", Value(form)), 0))
        elif not form.isascii() or any(len(run) >= TRIGRAM for run in _RUNS.findall(form)):
            found |= Q(search_text__contains=form)
        else:
            found |= Q(search_text__startswith=form) | Q(search_text__contains=f" {form}")
    return found


def _word(word: str) -> Q:
    found = occurring(word)
    number = word.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 20 and int(number) <= _LARGEST_ID:
        found |= Q(pk=int(number))
    orders = _of_order(word)
    return found | Q(pk__in=orders) if orders else found


def _of_order(word: str) -> list[int]:
    """The customers of the orders of that reference, as it was typed or in capitals. Some shops write a # before the
    number and some do not, and so do people: either finds both. Every shop's reference has a digit, so names cost no
    query."""
    if not any(character.isdigit() for character in word):
        return []
    bare = word.removeprefix("#")
    forms = {form for each in (bare, bare.upper()) for form in (each, f"#{each}")}
    found = (
        Touchpoint.objects.filter(order_ref__in=sorted(forms))
        .exclude(order_ref="")  # what the partial index `touchpoint_order` is declared with
        .values_list("profile__customer", flat=True)[:MOST_ORDERS]
    )
    return sorted(set(found))


def _recognised(text: str) -> list[int]:
    """The customers that have exactly this as an identity."""
    return [row[0] for row in sql.rows("analytics/recognised", values=[text, text.lower()], most=MOST_ORDERS)]
