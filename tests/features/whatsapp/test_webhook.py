import asyncio
import hashlib
import hmac
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.core.errors import Forbidden, Unauthenticated, Unavailable
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.whatsapp.channels import ChannelNotFound, ChannelSecrets
from app.whatsapp.intake import RawEvent
from app.whatsapp.webhook import WebhookDoor
from tests.virtual_time import in_virtual_time

OURS = new_id()
LOST = new_id()
BODY = b'{"object":"whatsapp_business_account"}'


def signed(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Store:
    """The intake: keeps bodies in memory, or never answers."""

    def __init__(self) -> None:
        self.kept: list[RawEvent] = []
        self.hangs = False

    async def save(self, event: RawEvent, *, within_seconds: float) -> bool:
        if self.hangs:
            await asyncio.sleep(within_seconds)
            raise Unavailable("too late")
        new = event not in self.kept
        self.kept.append(event)
        return new


class Channels:
    async def get(self, channel_id: UUID) -> Any:
        if channel_id == OURS:
            return SimpleNamespace(secrets=ChannelSecrets("t", ("channel-secret",), "channel-verify"))
        if channel_id == LOST:
            return SimpleNamespace(secrets=None)
        raise ChannelNotFound


class Door:
    def __init__(self, *secrets: str, verify_token: str | None = "verify") -> None:
        self.store = Store()
        self.metrics = Metrics()
        self.door = WebhookDoor(
            self.store,  # type: ignore[arg-type]
            Channels(),  # type: ignore[arg-type]
            self.metrics,
            app_secrets=secrets,
            verify_token=verify_token,
        )

    async def receive(self, body: bytes, signature: str | None, channel_id: UUID | None = None) -> None:
        await self.door.receive(body, signature, channel_id)

    def counted(self, outcome: str) -> float:
        return float(self.metrics.webhook_requests.labels(outcome)._value.get())


async def test_a_signed_body_is_stored_as_it_came() -> None:
    door = Door("secret")
    await door.receive(BODY, signed(BODY, "secret"))
    assert door.store.kept == [RawEvent(BODY, None)]
    assert door.counted("stored") == 1
    await door.receive(BODY, signed(BODY, "secret"))
    assert door.counted("duplicate") == 1


@pytest.mark.parametrize("secret", ["new", "old"])
async def test_each_of_the_secrets_counts_while_they_are_rotated(secret: str) -> None:
    door = Door("new", "old")
    await door.receive(BODY, signed(BODY, secret))
    assert len(door.store.kept) == 1


@pytest.mark.parametrize(
    "signature",
    [None, "", "sha256=", signed(BODY, "other"), signed(BODY + b" ", "secret"), signed(BODY, "secret")[:-1], "sha1=00"],
)
async def test_a_missing_or_wrong_signature_is_refused_and_nothing_is_stored(signature: str | None) -> None:
    door = Door("secret")
    with pytest.raises(Unauthenticated):
        await door.receive(BODY, signature)
    assert door.store.kept == []
    assert door.counted("bad_signature") == 1


async def test_without_a_secret_nothing_is_believed() -> None:
    door = Door()
    with pytest.raises(Unavailable, match="WHATSAPP_APP_SECRET"):
        await door.receive(BODY, signed(BODY, ""))
    assert door.store.kept == []


async def test_an_address_of_a_channel_takes_that_channels_secret_only() -> None:
    door = Door("secret")
    await door.receive(BODY, signed(BODY, "channel-secret"), OURS)
    assert door.store.kept == [RawEvent(BODY, OURS)]
    with pytest.raises(Unauthenticated):
        await door.receive(BODY, signed(BODY, "secret"), OURS)
    with pytest.raises(Unauthenticated):
        await door.receive(BODY, signed(BODY, "channel-secret"))


@pytest.mark.parametrize("channel_id", [LOST, new_id()])
async def test_a_channel_that_is_not_there_or_has_lost_its_secrets_is_not_found(channel_id: UUID) -> None:
    door = Door("secret")
    with pytest.raises(ChannelNotFound):
        await door.receive(BODY, signed(BODY, "secret"), channel_id)
    assert door.store.kept == []


@in_virtual_time
async def test_meta_is_told_within_five_seconds_to_deliver_again() -> None:
    door = Door("secret")
    door.store.hangs = True
    started = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable):
        await door.receive(BODY, signed(BODY, "secret"))
    assert asyncio.get_running_loop().time() - started <= 5
    assert door.counted("unavailable") == 1


async def test_the_handshake_wants_mode_and_token() -> None:
    door = Door("secret").door
    await door.shake_hands("subscribe", "verify", None)
    await door.shake_hands("subscribe", "channel-verify", OURS)
    for mode, token, channel_id in (
        ("unsubscribe", "verify", None),
        ("subscribe", "wrong", None),
        ("subscribe", None, None),
        (None, None, None),
        ("subscribe", "verify", OURS),
        ("subscribe", "vérify", None),
    ):
        with pytest.raises(Forbidden):
            await door.shake_hands(mode, token, channel_id)


async def test_without_a_token_no_handshake_succeeds() -> None:
    for token in (None, ""):
        with pytest.raises(Forbidden):
            await Door("secret", verify_token=None).door.shake_hands("subscribe", token, None)
