"""What can be wrong with a request about a message that leaves."""

from app.core.errors import Conflict, InvalidInput, NotFound


class OutboundNotFound(NotFound):
    code = "outbound_message_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such message in the queue")


class MessageNotFound(NotFound):
    code = "message_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such message in this conversation")


class OneAtATime(InvalidInput):
    """`cursor`, `around` and `after` each choose where the page is: only one of them can."""

    def __init__(self, field: str) -> None:
        super().__init__("give one of cursor, around and after", field=field)


class TooLate(Conflict):
    """The message is in a state in which this cannot be done any more."""

    code = "too_late"

    def __init__(self, verb: str, state: str) -> None:
        super().__init__(f"the message cannot be {verb}: it is {state}")


class KeyReused(Conflict):
    """An idempotency key was used again for another message."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for another message: use a new key for a new message")
