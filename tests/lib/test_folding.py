"""Words with accents and without: what is typed becomes what PostgreSQL stored."""

import pytest
from django.db import connection

from clm.lib.folding import folded, spellings

# Latin with its extensions, Greek, Cyrillic, Vietnamese; Hangul, Kana, Han, Hebrew, Arabic, Devanagari.
LETTERS = [chr(code) for start, end in ((0xC0, 0x250), (0x370, 0x530), (0x1E00, 0x2000)) for code in range(start, end)]
WORDS = ["한국어", "がぎ", "刘伟", "שָׁלוֹם", "مُحَمَّد", "हिन्दी", "Ελευθερία", "Ёлка", "Đặng", "e\u0301te\u0301"]


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("Müller", ("muller", "mueller")),
        ("Mu\u0308ller", ("muller", "mueller")),
        ("Mueller", ("mueller",)),
        ("STRAẞE", ("strasse",)),
        ("Ærø", ("aero", "aeroe")),
        ("İstanbul", ("istanbul",)),
        ("Ångström", ("angstrom", "aangstroem")),
        ("", ("",)),
    ],
)
def test_the_forms_of_a_word(word: str, forms: tuple[str, ...]) -> None:
    assert spellings(word) == forms


@pytest.mark.django_db
def test_what_is_typed_and_what_is_stored_are_folded_alike() -> None:
    words = [each for each in [*LETTERS, *WORDS] if each.isprintable()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT folded_letters(word), spelt_letters(word) FROM unnest(%s) WITH ORDINALITY AS t (word, place) "
            "ORDER BY place",
            [words],
        )
        stored = cursor.fetchall()
    told = [(folded(word), spellings(word)[-1]) for word in words]
    assert [(word, *pair) for word, *pair in zip(words, stored, told, strict=True) if pair[0] != pair[1]] == []
