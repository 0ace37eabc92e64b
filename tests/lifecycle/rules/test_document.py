"""JSON text read strictly."""

from decimal import Decimal

import pytest

from lifecycle.rules.document import RuleError, load_document


def test_numbers_are_never_floats():
    assert load_document('{"a": [0.1, 1e2, 5]}') == {"a": [Decimal("0.1"), Decimal("1e2"), 5]}
    assert isinstance(load_document("0.1"), Decimal)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[Infinity]", "Infinity is not"),
        ("[-Infinity]", "-Infinity is not"),
        ('{"a": 1, "b": 2, "a": 3}', '"a" is given twice'),
        ("9" * 5000, "not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"not":' * 100_000, "nested too deeply"),
        ('"' + "x" * 1_000_001 + '"', "at most"),
        (b'{"a": "\xff"}', "not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(text, words):
    with pytest.raises(RuleError, match=words) as caught:
        load_document(text)
    assert caught.value.path == "$"
