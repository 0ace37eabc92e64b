"""Texts in files that spreadsheet programs open. They take a text that begins with = + - or @ for a formula, whoever
wrote it; some look behind a tab, a line break, a NUL or blanks, and some read full-width signs as the plain ones (ASVS
1.2.10). Such a text begins with an apostrophe in a file. Numbers are not texts: they are written bare."""

_BLANK = " \u00a0\u3000\ufeff"
_SIGNS = frozenset("=+-@\t\r\n\0＝＋－＠")


def harmless(text: str) -> str:
    """A text that no spreadsheet program takes for a formula."""
    if not text:
        return text
    if text[0] in _SIGNS or (text[0] in _BLANK and text.lstrip(_BLANK)[:1] in _SIGNS - {""}):
        return f"'{text}"
    return text
