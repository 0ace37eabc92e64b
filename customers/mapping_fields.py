"""The members of a mapping document, taken one by one and checked; every fault names its field."""

import re
from datetime import datetime
from typing import Any

from .models import Consent

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
CHANNEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
CURRENCY = re.compile("[A-Z]{3}")
# What is wrong with a text that has not the form of its field, in words.
_FORMS = {
    SLUG.pattern: "is no short name: small letters, digits, - and _, at most 40 of them, such as my_shop",
    CHANNEL.pattern: "is no channel: small letters, digits, - and _, at most 60 of them, such as my_shop",
    CURRENCY.pattern: "is no currency: three capital letters, such as EUR",
}


class BadMapping(ValueError):  # noqa: N818 told to people
    """A mapping document that cannot be used. `path` names the field."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"mapping, {path}: {message}" if path else f"mapping: {message}")
        self.path = path


class Fields:
    """The members of one object of the document, each taken once; what is left over at the end is refused."""

    def __init__(self, document: Any, path: str) -> None:
        if not isinstance(document, dict):
            raise BadMapping(path, "must be an object")
        self.left = dict(document)
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        value = self.left.pop(key, default)
        if value is None:
            raise BadMapping(self.at(key), "is missing")
        if not isinstance(value, kind):
            names: dict[Any, str] = {str: "a text", dict: "an object", list: "a list"}
            raise BadMapping(self.at(key), f"must be {names[kind]}")
        return value

    def text(
        self,
        key: str,
        *,
        default: str | None = None,
        pattern: re.Pattern[str] | None = None,
        may_be_empty: bool = False,
    ) -> str:
        value: str = self.take(key, str, default)
        if not value and not may_be_empty:
            raise BadMapping(self.at(key), "must not be empty")
        if pattern is not None and not pattern.fullmatch(value):
            raise BadMapping(self.at(key), f'"{value[:60]}" {_FORMS.get(pattern.pattern, "cannot be one")}')
        return value

    def texts(self, key: str) -> list[str]:
        values = self.take(key, list, [])
        for number, value in enumerate(values):
            if not isinstance(value, str):
                raise BadMapping(f"{self.at(key)}[{number}]", "must be a text")
        return values

    def truth(self, key: str) -> bool:
        """True or false; false where it is left out."""
        value = self.left.pop(key, False)
        if not isinstance(value, bool):
            raise BadMapping(self.at(key), "must be true or false")
        return value

    def end(self) -> None:
        if self.left:
            raise BadMapping(self.at(min(self.left)), "is not a field of a mapping")


def consent_says(fields: Fields) -> dict[str, str]:
    """What the cells of a column say of consent: folded text -> state, "" for nothing."""
    told = fields.take("says", dict)
    if not told:
        raise BadMapping(fields.at("says"), "must say what a cell means, such as yes: granted")
    for text, state in told.items():
        if state not in ("", *Consent.State.values):
            raise BadMapping(f"{fields.at('says')}.{text}", f"must be one of {', '.join(Consent.State.values)}")
    return {text.strip().casefold(): state for text, state in told.items()}


def check_encoding(encoding: str) -> None:
    try:
        "a".encode(encoding)
    except LookupError as error:
        raise BadMapping("encoding", f'"{encoding}" is not a known text encoding such as utf-8 or cp1252') from error


def check_time_format(time_format: str) -> None:
    """A format must give back the day that was written with it: one without a year, say, does not."""
    if time_format == "iso":
        return
    example = datetime(2011, 12, 31, 13, 45)  # noqa: DTZ001 a wall clock without a zone is what is meant
    try:
        read = datetime.strptime(example.strftime(time_format), time_format)  # noqa: DTZ007
    except ValueError as error:
        raise BadMapping("time_format", f'"{time_format}" is not a format of dates: {error}') from error
    if read.date() != example.date():
        raise BadMapping("time_format", f'"{time_format}" does not say day, month and year')
