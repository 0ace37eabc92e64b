"""What is wrong with a question that cannot be answered as asked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class QuestionError(ValueError):
    """A question that cannot be answered: `field` is the parameter to mend, `message` says how. The API answers it
    with 400, pages say it beside the field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message

    @property
    def errors(self) -> "tuple[QuestionError, ...]":
        """Every fault of the question; most have one."""
        return (self,)


class ManyFaultsError(QuestionError):
    """A question with several faults, told at once so that nobody mends one only to meet the next. As a QuestionError
    it is the first of them."""

    def __init__(self, errors: Sequence[QuestionError]) -> None:
        super().__init__(errors[0].field, errors[0].message)
        self._errors = tuple(errors)

    @property
    def errors(self) -> tuple[QuestionError, ...]:
        return self._errors


class Faults:
    """Collects the faults of several fields, to refuse them together: `with faults.noted(): ...` around each check,
    `faults.refuse()` when all are made."""

    def __init__(self) -> None:
        self._found: list[QuestionError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Keep the QuestionError that the block raises, and go on after it."""
        try:
            yield
        except QuestionError as error:
            self._found.extend(error.errors)

    def refuse(self) -> None:
        """Raise what was noted; nothing when nothing was."""
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            raise ManyFaultsError(self._found)


class NotThereError(LookupError):
    """What the address names does not exist."""


class ConflictError(ValueError):
    """What is asked contradicts what is stored; the message says how, and the way out. The API answers it with 409."""
