import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.errors import Unavailable
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.tokens import Access, AccessTokens
from app.live.bus import InProcessBus
from app.live.schemas import LiveEvent, Present, conversation_topic
from app.live.session import (
    CLOSE_FORBIDDEN,
    CLOSE_SLOW,
    CLOSE_TOO_BIG,
    CLOSE_TRY_LATER,
    CLOSE_UNAUTHENTICATED,
    Closed,
    LiveLimits,
    LiveSession,
)
from tests.core.http.door import SECRET
from tests.virtual_time import in_virtual_time

ANA = Actor(user_id=new_id(), username="ana", role="agent", session_id=new_id())
TOKENS = AccessTokens(SECRET)


class Client:
    """The other end of a session: what it says, and what it was told."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str | None] = asyncio.Queue()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()

    async def receive(self) -> str:
        text = await self.said.get()
        if text is None:
            raise Closed
        return text

    async def send(self, text: str) -> None:
        await self.reads.wait()
        self.told.put_nowait(json.loads(text))

    def say(self, **message: Any) -> None:
        self.said.put_nowait(json.dumps(message))

    async def next(self) -> dict[str, Any]:
        return await self.told.get()


class Standing(AccessTokens):
    """Believes tokens while the session stands, and can be unable to say."""

    def __init__(self) -> None:
        super().__init__(SECRET)
        self.stands = True
        self.reachable = True
        self.asked = 0

    async def is_valid(self, access: Access) -> bool:
        self.asked += 1
        if not self.reachable:
            raise Unavailable("the database does not answer")
        return self.stands


class Running:
    """A session that runs: its client, its bus and how it will end."""

    def __init__(
        self, access: Access | None, metrics: Metrics | None = None, authenticator: AccessTokens = TOKENS
    ) -> None:
        self.client = Client()
        self.bus = InProcessBus()
        self.metrics = metrics or Metrics()
        self.started = asyncio.get_running_loop().time()
        self._now = datetime.now(UTC)
        self.changed = asyncio.Event()
        session = LiveSession(
            self.client, self.bus, authenticator, self.metrics, LiveLimits(), self._clock, self.changed
        )
        self.task = asyncio.create_task(session.serve(access))

    def _clock(self) -> datetime:
        return self._now + timedelta(seconds=self.elapsed)

    @property
    def elapsed(self) -> float:
        return asyncio.get_running_loop().time() - self.started

    async def end(self) -> Closed:
        with pytest.raises(Closed) as ended:
            await self.task
        return ended.value

    async def leave(self) -> None:
        self.client.said.put_nowait(None)
        assert (await self.end()).code is None


def access(seconds: float = 600) -> Access:
    return Access(actor=ANA, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))


async def subscribed(*topics: str) -> Running:
    running = Running(access())
    assert (await running.client.next())["type"] == "ready"
    running.client.say(type="subscribe", topics=list(topics))
    assert (await running.client.next())["topics"] == sorted(topics)
    return running


@in_virtual_time
async def test_a_client_is_told_what_happens_on_its_topics_and_nothing_else() -> None:
    conversation = new_id()
    running = await subscribed("outbound", conversation_topic(conversation))
    running.bus.publish("conversations", LiveEvent(type="conversation.changed"))
    running.bus.publish(conversation_topic(new_id()), LiveEvent(type="message.received"))
    event = LiveEvent(type="message.received", conversation_id=conversation)
    running.bus.publish(conversation_topic(conversation), event)
    told = await running.client.next()
    assert told == {
        "type": "event",
        "topic": f"conversation:{conversation}",
        "event": {
            "type": "message.received",
            "at": event.at.isoformat().replace("+00:00", "Z"),
            "id": str(event.id),
            "conversation_id": str(conversation),
        },
    }
    await running.leave()


@in_virtual_time
async def test_a_topic_can_be_left_again() -> None:
    running = await subscribed("outbound", "system")
    running.client.say(type="unsubscribe", topics=["outbound"])
    assert (await running.client.next()) == {"type": "subscribed", "topics": ["system"]}
    running.bus.publish("outbound", LiveEvent(type="outbound.sent"))
    running.bus.publish("system", LiveEvent(type="provider.changed"))
    assert (await running.client.next())["topic"] == "system"
    await running.leave()


@in_virtual_time
async def test_the_first_message_may_bring_the_token() -> None:
    running = Running(None)
    running.client.say(type="auth", token=TOKENS.issue(ANA).token)
    assert (await running.client.next())["type"] == "ready"
    await running.leave()


@in_virtual_time
async def test_a_client_that_brings_no_token_within_five_seconds_is_sent_away() -> None:
    running = Running(None)
    assert (await running.end()).code == CLOSE_UNAUTHENTICATED
    assert running.elapsed == pytest.approx(5)
    assert running.client.told.empty()


@pytest.mark.parametrize("first", ['{"type":"subscribe","topics":["system"]}', '{"type":"auth","token":"x"}', "{", ""])
def test_a_first_message_without_a_good_token_ends_the_session(first: str) -> None:
    @in_virtual_time
    async def check() -> None:
        running = Running(None)
        running.client.said.put_nowait(first)
        assert (await running.end()).code == CLOSE_UNAUTHENTICATED
        assert running.client.told.empty()

    check()


@in_virtual_time
async def test_a_quiet_client_is_pinged_every_twenty_seconds() -> None:
    running = await subscribed("system")
    for number in (1, 2, 3):
        assert (await running.client.next()) == {"type": "ping"}
        assert running.elapsed == pytest.approx(20 * number)
        running.client.say(type="pong")
    await running.leave()


@in_virtual_time
async def test_the_session_ends_when_the_token_expires() -> None:
    running = Running(access(seconds=90))
    assert (await running.end()).code == CLOSE_UNAUTHENTICATED
    assert running.elapsed == pytest.approx(90, abs=1)


@in_virtual_time
async def test_a_fresh_token_keeps_the_session_open() -> None:
    running = Running(access(seconds=90))
    await running.client.next()
    running.client.say(type="auth", token=TOKENS.issue(ANA).token)
    assert (await running.client.next())["type"] == "ready"
    assert (await running.end()).code == CLOSE_UNAUTHENTICATED
    assert running.elapsed == pytest.approx(600, abs=2)


@in_virtual_time
async def test_somebody_elses_token_ends_the_session() -> None:
    running = await subscribed("system")
    other = Actor(user_id=new_id(), username="bea", role="admin", session_id=new_id())
    running.client.say(type="auth", token=TOKENS.issue(other).token)
    assert (await running.end()).code == CLOSE_UNAUTHENTICATED


@in_virtual_time
async def test_a_session_that_has_ended_closes_the_connection_as_soon_as_it_is_said() -> None:
    standing = Standing()
    running = Running(access(), authenticator=standing)
    await running.client.next()
    running.changed.set()
    await asyncio.sleep(1)
    assert (standing.asked, running.task.done()) == (1, False), "it was somebody else's"
    standing.stands = False
    running.changed.set()
    assert (await running.end()).code == CLOSE_UNAUTHENTICATED
    assert running.elapsed == pytest.approx(1)


@in_virtual_time
async def test_a_session_that_has_ended_closes_the_connection_also_when_nobody_says_so() -> None:
    standing = Standing()
    running = Running(access(), authenticator=standing)
    await running.client.next()
    standing.stands = False
    assert (await running.end()).code == CLOSE_UNAUTHENTICATED
    assert running.elapsed == pytest.approx(10)


@in_virtual_time
async def test_a_session_that_cannot_be_checked_is_not_believed() -> None:
    standing = Standing()
    running = Running(access(), authenticator=standing)
    await running.client.next()
    standing.reachable = False
    assert (await running.end()).code == CLOSE_TRY_LATER


@in_virtual_time
async def test_an_api_key_that_may_not_read_conversations_hears_nothing() -> None:
    class Keys(AccessTokens):
        async def authenticate(self, credential: str) -> Access:
            actor = Actor(ANA.user_id, "ana", "admin", None, new_id(), frozenset({"contacts:read"}))
            return Access(actor=actor, expires_at=datetime.now(UTC) + timedelta(days=1))

    running = Running(None, authenticator=Keys(SECRET))
    running.client.say(type="auth", token="mk_x")
    assert (await running.end()).code == CLOSE_FORBIDDEN


@in_virtual_time
async def test_a_client_that_was_too_slow_is_told_to_fetch_everything_once() -> None:
    running = await subscribed("system")
    running.client.reads.clear()
    for _ in range(1000):
        running.bus.publish("system", LiveEvent(type="provider.changed"))
    await asyncio.sleep(1)
    running.client.reads.set()
    told = [await running.client.next()]
    while told[-1]["type"] != "resync":
        told.append(await running.client.next())
    assert len(told) <= 2
    assert running.metrics.registry.get_sample_value("wa_live_resyncs_total") == 1
    await running.leave()


@in_virtual_time
async def test_a_client_that_stops_reading_is_let_go() -> None:
    running = await subscribed("system")
    running.client.reads.clear()
    running.bus.publish("system", LiveEvent(type="provider.changed"))
    assert (await running.end()).code == CLOSE_SLOW


BROKEN = [
    "",
    "{",
    "[]",
    '{"type":"nonsense"}',
    '{"type":"subscribe","topics":[]}',
    '{"type":"subscribe","topics":["everything"]}',
    '{"type":"subscribe","topics":["conversation:1"]}',
    '{"type":"subscribe","topics":["system"],"extra":1}',
    '{"type":"subscribe","topics":' + "[" * 2000,
    '{"type":"pong\ud800"}',
]


@pytest.mark.parametrize("message", BROKEN)
def test_a_message_that_cannot_be_used_is_answered_and_changes_nothing(message: str) -> None:
    @in_virtual_time
    async def check() -> None:
        running = await subscribed("system")
        running.client.said.put_nowait(message)
        told = await running.client.next()
        assert (told["type"], told["code"]) == ("error", "invalid_message")
        running.bus.publish("system", LiveEvent(type="provider.changed"))
        assert (await running.client.next())["type"] == "event"
        await running.leave()

    check()


@in_virtual_time
async def test_topics_are_bounded() -> None:
    running = Running(access())
    await running.client.next()
    for _ in range(3):
        running.client.say(type="subscribe", topics=[conversation_topic(new_id()) for _ in range(100)])
    await running.client.next()
    assert len((await running.client.next())["topics"]) == 200
    assert (await running.client.next())["code"] == "too_many_topics"
    await running.leave()


@in_virtual_time
async def test_a_huge_message_ends_the_session() -> None:
    running = await subscribed("system")
    running.client.said.put_nowait("x" * 20_000)
    assert (await running.end()).code == CLOSE_TOO_BIG


@in_virtual_time
async def test_nobody_listening_costs_the_publisher_nothing() -> None:
    bus = InProcessBus()
    bus.publish("system", LiveEvent(type="provider.changed"))
    with bus.subscribe() as subscription:
        subscription.topics.add("system")
        bus.publish("system", LiveEvent(type="provider.restored"))
        happened = await subscription.next()
        assert getattr(happened, "event", None)
    bus.publish("system", LiveEvent(type="provider.changed"))


@in_virtual_time
async def test_others_on_a_conversation_see_who_is_there() -> None:
    conversation = new_id()
    running = await subscribed(conversation_topic(conversation))
    with running.bus.subscribe() as marta:
        marta.topics = {conversation_topic(conversation)}
        running.client.say(type="presence", conversation_id=str(conversation), state="typing")
        told = await marta.next()
    assert isinstance(told, Present)
    assert (told.conversation_id, told.user_id, told.name, told.state) == (conversation, ANA.user_id, "ana", "typing")
    assert running.client.told.empty()  # nobody is told of themselves
    running.bus.tell(Present(conversation_id=conversation, user_id=new_id(), name="marta", state="viewing"))
    assert await running.client.next() | {"at": "", "user_id": ""} == {
        "type": "presence",
        "conversation_id": str(conversation),
        "user_id": "",
        "name": "marta",
        "state": "viewing",
        "at": "",
    }
    await running.leave()


@in_virtual_time
async def test_presence_reaches_nobody_who_does_not_look_at_the_conversation() -> None:
    running = await subscribed("conversations")
    running.bus.tell(Present(conversation_id=new_id(), user_id=new_id(), name="marta", state="viewing"))
    running.bus.publish("conversations", LiveEvent(type="note_added"))
    assert (await running.client.next())["type"] == "event"
    await running.leave()


@in_virtual_time
async def test_presence_that_is_repeated_too_fast_is_not_passed_on() -> None:
    conversation = new_id()
    running = await subscribed("outbound")
    with running.bus.subscribe() as marta:
        marta.topics = {conversation_topic(conversation)}
        for _ in range(50):
            running.client.say(type="presence", conversation_id=str(conversation), state="typing")
        await asyncio.sleep(0.2)
        running.client.say(type="presence", conversation_id=str(conversation), state="typing")
        await asyncio.sleep(0.1)
        running.client.say(type="presence", conversation_id=str(conversation), state="viewing")
        first, second = await marta.next(), await marta.next()
    assert isinstance(first, Present)
    assert isinstance(second, Present)
    assert (first.state, second.state) == ("typing", "viewing")
    await running.leave()


@pytest.mark.parametrize("state", ["sleeping", None, 1])
def test_a_presence_that_says_nothing_known_is_refused(state: object) -> None:
    @in_virtual_time
    async def check() -> None:
        running = await subscribed("system")
        running.client.say(type="presence", conversation_id=str(new_id()), state=state)
        assert (await running.client.next())["code"] == "invalid_message"
        await running.leave()

    check()
