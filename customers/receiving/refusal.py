"""Why one message of a batch is not used. Its neighbours are."""


class Refusal(ValueError):  # noqa: N818 a fault of one message, told to people
    """`path` is the member at fault, such as `properties.total`; "" for the message as a whole."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path, self.reason = path, reason
