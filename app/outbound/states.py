"""The states of a message that leaves, and which way they may go."""

from enum import StrEnum


class State(StrEnum):
    """`pending > processing > sent`; `processing > retry > processing`; or one of the other ends.

    `unknown` means that WhatsApp may have it: it is never sent again blindly, and a late status settles it.
    """

    PENDING = "pending"
    PROCESSING = "processing"
    RETRY = "retry"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


WAITING = (State.PENDING, State.PROCESSING, State.RETRY)
CLAIMABLE = (State.PENDING, State.RETRY)
FINAL = frozenset({State.SENT, State.FAILED, State.CANCELLED, State.SUPERSEDED, State.EXPIRED})
