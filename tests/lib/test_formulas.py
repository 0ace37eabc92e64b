"""No text of a file is taken for a formula, and no other text is touched."""

import pytest

from clm.lib.formulas import harmless


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\0x", "＝1", "＋1", "－1", "＠x", "  =1", "\u00a0@x", "\u3000＝1"],
)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "Ann", "1-2", 'a "b", c', "a\tb", "Müller", "'=1"])
def test_other_texts_stay_what_they_are(text: str) -> None:
    assert harmless(text) == text
