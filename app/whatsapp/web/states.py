"""The states of a linked phone, and what each means for the messages that wait for it."""

from enum import StrEnum

__all__ = ["ENDED", "NEEDS_PERSON", "State"]


class State(StrEnum):
    """`starting > needs_qr | needs_code > pairing > syncing > online <> offline`, or one of those below."""

    STOPPED = "stopped"
    STARTING = "starting"
    NEEDS_QR = "needs_qr"
    NEEDS_CODE = "needs_code"
    PAIRING = "pairing"
    SYNCING = "syncing"
    ONLINE = "online"
    OFFLINE = "offline"
    CONFLICT = "conflict"
    """Opened elsewhere: we do not fight over it."""
    LOGGED_OUT = "logged_out"
    UPDATE_REQUIRED = "update_required"
    BANNED = "banned"
    CRASHED = "crashed"
    """It is being started again, after a pause."""
    FAILED = "failed"
    """It crashed too often: a person must look."""


ENDED = frozenset({State.STOPPED, State.LOGGED_OUT, State.BANNED, State.FAILED})
"""No browser runs, and none is started again by itself."""

NEEDS_PERSON = ENDED | {State.NEEDS_QR, State.NEEDS_CODE, State.CONFLICT, State.UPDATE_REQUIRED}
"""Nothing can leave until a person has done something: the channel is stopped meanwhile, and its messages wait."""
