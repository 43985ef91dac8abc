"""What a page shows, as the state of a session. Pure."""

from typing import Final

import msgspec

from app.whatsapp.web.states import State
from workers.whatsapp_web.page import Look

__all__ = ["Seen", "state_of"]

_SYNCING: Final = frozenset({"OPENING", "PAIRING", "SYNCING", "RESUMING", "CONNECTING"})
_BANNED: Final = frozenset({"TOS_BLOCK", "SMB_TOS_BLOCK"})


class Seen(msgspec.Struct, frozen=True):
    """The state a page shows, and words for it where a person should know more."""

    state: State
    reason: str | None = None


def state_of(look: Look, *, was_linked: bool) -> Seen:
    """Say what a page shows. `was_linked`: this profile had a phone linked when it was last seen."""
    mode = look.mode or ""
    if mode in _BANNED:
        return Seen(State.BANNED, "WhatsApp has closed this account: open WhatsApp on the phone to read why")
    if mode == "CONFLICT":
        return Seen(State.CONFLICT, "WhatsApp Web is open somewhere else")
    if mode == "DEPRECATED_VERSION":
        return Seen(State.UPDATE_REQUIRED, "WhatsApp wants a newer browser: update Chromium")
    if mode == "PROXYBLOCK":
        return Seen(State.OFFLINE, "a proxy between this machine and WhatsApp blocks it")
    if not look.authenticated:
        return _unlinked(look, was_linked=was_linked)
    if not look.online or mode == "OFFLINE" or look.info == "OFFLINE":
        return Seen(State.OFFLINE, "the page has no connection to WhatsApp")
    if mode == "SYNCING" or look.info in _SYNCING:
        return Seen(State.SYNCING)
    return Seen(State.ONLINE if mode in ("MAIN", "") else State.SYNCING)


def _unlinked(look: Look, *, was_linked: bool) -> Seen:
    if look.info == "PAIRING":
        return Seen(State.PAIRING)
    if look.code is None and look.pairing_code is None and not look.idle:
        return Seen(State.STARTING)
    if was_linked:
        return Seen(State.LOGGED_OUT, "the phone was unlinked")
    if look.pairing_code is not None:
        return Seen(State.NEEDS_CODE)
    return Seen(State.NEEDS_QR, "the code has expired: ask for a fresh one" if look.idle else None)
