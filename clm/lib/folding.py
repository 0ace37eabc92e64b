"""Letters without their accents, as searches compare them: whoever types Muller, Mueller or müller means Müller.

PostgreSQL does the same to what is searched in (`searchable_words`, a migration of `customers`); a test holds the two
to each other."""

import re
from unicodedata import normalize

_MARKS = re.compile("[\u0300-\u036f]")
# Letters that no sign can be taken off.
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"} | dict(zip("øłđðħıŧς", "olddhitσ", strict=True)))
# How Germans and Danes write them where their letters are missing.
_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def folded(text: str) -> str:
    """In small letters, without accents: Müller becomes muller, Ørsted orsted, Strauß strauss."""
    return normalize("NFC", _MARKS.sub("", normalize("NFD", text))).lower().translate(_LETTERS)


def spellings(word: str) -> tuple[str, ...]:
    """The forms of a word that are looked for, those without accents and those spelt out: muller and mueller. One where
    they are alike."""
    plain = folded(word)
    spelt = folded(normalize("NFC", word).lower().translate(_SPELT))
    return (plain,) if spelt == plain else (plain, spelt)
