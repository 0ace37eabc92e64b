"""What is wrong with a question that cannot be answered as asked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

Answer = TypeVar("Answer")
Otherwise = TypeVar("Otherwise")


class QuestionError(ValueError):
    """A question that cannot be answered: `field` is the parameter to mend, `message` a sentence that says what is
    wrong and the way out. The API answers it with 400, pages say it beside the field. customer: who has what was asked
    for, where that is the reason."""

    def __init__(self, field: str, message: str, *, customer: int | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.message = str(message)
        self.customer = customer

    @property
    def errors(self) -> "tuple[QuestionError, ...]":
        """Every fault of the question; most have one."""
        return (self,)


class ManyFaultsError(QuestionError):
    """A question with several faults, told at once so that nobody mends one only to meet the next. As a QuestionError
    it is the first of them."""

    def __init__(self, errors: Sequence[QuestionError]) -> None:
        super().__init__(errors[0].field, errors[0].message, customer=errors[0].customer)
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
            self.note(error)

    def note(self, error: QuestionError) -> None:
        """Keep a fault that was found otherwise."""
        self._found.extend(error.errors)

    def read(self, part: Callable[[], Answer], otherwise: Otherwise) -> Answer | Otherwise:
        """What `part` returns; `otherwise` when it cannot be answered, which is noted."""
        try:
            return part()
        except QuestionError as error:
            self.note(error)
            return otherwise

    def __bool__(self) -> bool:
        """Whether anything was noted."""
        return bool(self._found)

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
