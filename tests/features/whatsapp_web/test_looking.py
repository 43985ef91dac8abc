import pytest

from app.whatsapp.web.states import State
from workers.whatsapp_web.looking import state_of
from workers.whatsapp_web.page import Look


@pytest.mark.parametrize(
    ("look", "state"),
    [
        (Look(authenticated=True, mode="MAIN", info="NORMAL"), State.ONLINE),
        (Look(authenticated=True, mode="MAIN", info="SYNCING"), State.SYNCING),
        (Look(authenticated=True, mode="SYNCING"), State.SYNCING),
        (Look(authenticated=True, mode="MAIN", info="NORMAL", online=False), State.OFFLINE),
        (Look(authenticated=True, mode="OFFLINE"), State.OFFLINE),
        (Look(authenticated=True, mode="CONFLICT"), State.CONFLICT),
        (Look(authenticated=True, mode="TOS_BLOCK"), State.BANNED),
        (Look(authenticated=True, mode="SMB_TOS_BLOCK"), State.BANNED),
        (Look(authenticated=False, mode="DEPRECATED_VERSION"), State.UPDATE_REQUIRED),
        (Look(authenticated=True, mode="PROXYBLOCK"), State.OFFLINE),
        (Look(authenticated=False, mode="QR", code="2@x"), State.NEEDS_QR),
        (Look(authenticated=False, mode="QR", idle=True), State.NEEDS_QR),
        (Look(authenticated=False, mode="QR", code="2@x", pairing_code="ABCD1234"), State.NEEDS_CODE),
        (Look(authenticated=False, mode="QR", info="PAIRING", code="2@x"), State.PAIRING),
        (Look(authenticated=False, mode="QR"), State.STARTING),
        (Look(authenticated=True, mode="SOMETHING_NEW"), State.SYNCING),
    ],
)
def test_what_a_page_shows_is_a_state(look: Look, state: State) -> None:
    assert state_of(look, was_linked=False).state is state


def test_a_code_where_a_phone_was_linked_means_that_it_was_unlinked() -> None:
    assert state_of(Look(authenticated=False, mode="QR", code="2@x"), was_linked=True).state is State.LOGGED_OUT


def test_a_ready_screen_without_a_login_is_not_online() -> None:
    """`main_ready` is true on the QR screen too."""
    assert state_of(Look(authenticated=False, mode="MAIN"), was_linked=False).state is not State.ONLINE
