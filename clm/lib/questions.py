"""What is wrong with a question that cannot be answered as asked."""


class QuestionError(ValueError):
    """A question that cannot be answered: `field` is the parameter to mend, `message` says how. The API answers it
    with 400, pages say it beside the field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class NotThereError(LookupError):
    """What the address names does not exist."""


class ConflictError(ValueError):
    """What is asked contradicts what is stored; the message says how, and the way out. The API answers it with 409."""
