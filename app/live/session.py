"""One client of the live channel, from its first message to its last, whatever carries the messages."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol, assert_never

import msgspec

from app.core.errors import Unavailable
from app.core.metrics import Metrics
from app.core.security.guards import Authenticator
from app.core.security.tokens import Access, InvalidToken
from app.live.bus import LiveBus, Subscription
from app.live.schemas import (
    Authenticate,
    ClientMessage,
    Ping,
    Pong,
    Presence,
    Present,
    Ready,
    Refused,
    Resync,
    ServerMessage,
    Subscribe,
    Subscribed,
    Unsubscribe,
)

CLOSE_UNAUTHENTICATED: Final = 4401
CLOSE_FORBIDDEN: Final = 4403
CLOSE_SLOW: Final = 4408
CLOSE_TOO_BIG: Final = 1009
CLOSE_TRY_LATER: Final = 1013

_LARGEST_MESSAGE = 16 * 1024
_MOST_TOPICS = 200
_PRESENCE_SECONDS = 0.25
_CLIENT_MESSAGE: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)


class LiveLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long the live channel waits, in seconds, and how many clients a process serves.

    `recheck_seconds` is how often a session is looked at when nobody says that it may have ended.
    """

    auth_seconds: float = 5.0
    ping_seconds: float = 20.0
    send_seconds: float = 10.0
    recheck_seconds: float = 10.0
    connections: int = 1000


class Closed(Exception):
    """The session is over. `code` and `reason` are for the close frame; None when the client has left."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Wire(Protocol):
    """Carries text both ways. `receive` raises `Closed` when the client has left."""

    async def receive(self) -> str: ...

    async def send(self, text: str) -> None: ...


class LiveSession:
    """Serves one client until it leaves, its session ends, its token expires or it can no longer keep up.

    `changed` is set whenever some session may have ended; None where sessions never do.
    """

    def __init__(
        self,
        wire: Wire,
        bus: LiveBus,
        authenticator: Authenticator,
        metrics: Metrics,
        limits: LiveLimits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        changed: asyncio.Event | None = None,
    ) -> None:
        self._wire = wire
        self._bus = bus
        self._authenticator = authenticator
        self._metrics = metrics
        self._limits = limits
        self._clock = clock
        self._renewed = asyncio.Event()
        self._changed = changed or asyncio.Event()
        self._told_others_at = float("-inf")

    async def serve(self, access: Access | None) -> None:
        """Run the session; without `access` the client's first message has to bring a token within five seconds.

        Raises `Closed` at its end, always.
        """
        self._access = access or await self._first_message()
        with self._bus.subscribe() as subscription:
            await self._send(Ready(expires_at=self._access.expires_at))
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(subscription))
                    tasks.create_task(self._tell(subscription))
                    tasks.create_task(self._end_at_expiry())
                    tasks.create_task(self._end_with_session())
            except* Closed as group:
                raise _first(group) from None

    async def _first_message(self) -> Access:
        try:
            async with asyncio.timeout(self._limits.auth_seconds):
                message = _decode(await self._wire.receive())
        except TimeoutError:
            raise Closed(CLOSE_UNAUTHENTICATED, "no token came in time") from None
        if not isinstance(message, Authenticate):
            raise Closed(CLOSE_UNAUTHENTICATED, "the first message must bring a token")
        return await self._verified(message.token)

    async def _verified(self, token: str) -> Access:
        try:
            access = await self._authenticator.authenticate(token)
        except InvalidToken as error:
            self._metrics.auth_failures.labels("token").inc()
            self._metrics.live_refused.labels("token").inc()
            raise Closed(CLOSE_UNAUTHENTICATED, "the token is not valid") from error
        except Unavailable as error:
            raise Closed(CLOSE_TRY_LATER, "the token cannot be checked now") from error
        if not may_listen(access):
            raise Closed(CLOSE_FORBIDDEN, "this key may not read conversations")
        return access

    async def _listen(self, subscription: Subscription) -> None:
        while True:
            message = _decode(await self._wire.receive())
            match message:
                case Subscribe(topics=topics):
                    await self._subscribe(subscription, topics)
                case Unsubscribe(topics=topics):
                    subscription.topics.difference_update(topics)
                    await self._send(Subscribed(topics=sorted(subscription.topics)))
                case Authenticate(token=token):
                    await self._renew(await self._verified(token))
                case Presence():
                    self._tell_others(message)
                case Refused():
                    await self._send(message)
                case Pong():
                    pass
                case _:
                    assert_never(message)

    async def _subscribe(self, subscription: Subscription, topics: list[str]) -> None:
        if len(subscription.topics.union(topics)) > _MOST_TOPICS:
            await self._send(Refused(code="too_many_topics", detail=f"a connection has at most {_MOST_TOPICS} topics"))
            return
        subscription.topics.update(topics)
        await self._send(Subscribed(topics=sorted(subscription.topics)))

    def _tell_others(self, presence: Presence) -> None:
        """Pass on that this person is there, but not more often than anybody could see."""
        now = asyncio.get_running_loop().time()
        if now - self._told_others_at < _PRESENCE_SECONDS:
            return
        self._told_others_at = now
        actor = self._access.actor
        self._bus.tell(
            Present(
                conversation_id=presence.conversation_id,
                user_id=actor.user_id,
                name=actor.username,
                state=presence.state,
            )
        )

    async def _renew(self, access: Access) -> None:
        if access.actor.user_id != self._access.actor.user_id:
            raise Closed(CLOSE_UNAUTHENTICATED, "the token belongs to somebody else")
        self._access = access
        self._renewed.set()
        await self._send(Ready(expires_at=access.expires_at))

    async def _tell(self, subscription: Subscription) -> None:
        while True:
            try:
                async with asyncio.timeout(self._limits.ping_seconds):
                    message: ServerMessage = await subscription.next()
            except TimeoutError:
                message = Ping()
            if isinstance(message, Present) and message.user_id == self._access.actor.user_id:
                continue  # one's own, perhaps from another tab
            if isinstance(message, Resync):
                self._metrics.live_resyncs.inc()
            await self._send(message)

    async def _end_at_expiry(self) -> None:
        while True:
            left = (self._access.expires_at - self._clock()).total_seconds()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    await self._renewed.wait()
                    self._renewed.clear()
            except TimeoutError:
                raise Closed(CLOSE_UNAUTHENTICATED, "the token has expired") from None

    async def _end_with_session(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.recheck_seconds):
                    await self._changed.wait()
            self._changed.clear()
            try:
                still_stands = await self._authenticator.is_valid(self._access)
            except Unavailable as error:
                raise Closed(CLOSE_TRY_LATER, "the session cannot be checked now") from error
            if not still_stands:
                raise Closed(CLOSE_UNAUTHENTICATED, "the session has ended")

    async def _send(self, message: ServerMessage) -> None:
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._wire.send(msgspec.json.encode(message).decode())
        except TimeoutError:
            raise Closed(CLOSE_SLOW, "the client does not read") from None


def may_listen(access: Access) -> bool:
    """Tell whether the channel's hints are for this client: everybody who may read conversations."""
    return access.actor.may("conversations:read")


def _decode(text: str) -> ClientMessage | Refused:
    if len(text) > _LARGEST_MESSAGE:
        raise Closed(CLOSE_TOO_BIG, "the message is too big")
    try:
        return _CLIENT_MESSAGE.decode(text.encode())
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return Refused(code="invalid_message", detail="send auth, subscribe, unsubscribe, presence or pong as JSON")


def _first(group: BaseExceptionGroup[Closed]) -> Closed:
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    raise AssertionError("an exception group is never empty")
