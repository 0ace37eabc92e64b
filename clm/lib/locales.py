"""The reader's locale as Babel knows it; all words and numbers people read are formatted with it."""

import functools

from babel import Locale
from django.utils.translation import get_language


@functools.cache
def _parsed(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def reader_locale() -> Locale:
    """The locale of the active translation, British English when translations are off."""
    return _parsed(get_language() or "en-gb")
