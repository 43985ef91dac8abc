import asyncio
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from app.ai.knowledge.passages import Passage
from app.ai.llm.attempts import Answered, Attempt, ChainFailed
from app.ai.llm.chat import AssistantMessage, ChatRequest, Grounding, Image, UserMessage
from app.ai.llm.clock import SystemClock
from app.ai.llm.provider import Route, make_route
from app.ai.llm.providers.registry import PROVIDERS
from app.ai.llm.router import Router
from app.ai.llm.routes import offline_route
from app.ai.llm.state import MemoryState
from app.core.http_client import HttpClient
from settings.env import Secret
from tests.fakes.model_clock import FakeClock
from tests.fakes.model_server import ModelServer
from tests.fakes.model_wires import Answer, Say

QUESTION = ChatRequest(system="Eres el asistente.", messages=(UserMessage.of("¿Abren?"),))


def route(
    server: ModelServer,
    name: str = "openai",
    model: str = "gpt-4o-mini",
    *,
    requests_per_minute: int | None = None,
    requests_per_day: int | None = None,
) -> Route:
    return make_route(
        PROVIDERS[name],
        model,
        api_key=Secret("k"),
        base_url=server.url,
        requests_per_minute=requests_per_minute,
        requests_per_day=requests_per_day,
    )


class House:
    """A router over routes to one fake server, which answers in the wire format of whoever is asked."""

    def __init__(self, routes: Sequence[Route], client: HttpClient) -> None:
        self.clock = FakeClock()
        self.state = MemoryState(self.clock)
        self.router = Router(routes, client=client, state=self.state, clock=self.clock, jitter=lambda: 0.0)

    async def ask(self, request: ChatRequest = QUESTION, key: str | None = None) -> Answered:
        return await self.router.answer(request, conversation_key=key)

    async def ask_in_vain(self, request: ChatRequest = QUESTION) -> ChainFailed:
        with pytest.raises(ChainFailed) as caught:
            await self.ask(request)
        return caught.value


def story(done: Answered | ChainFailed) -> list[str]:
    return [f"{each.provider} {each.kind or each.skipped or 'answered'}" for each in done.attempts]


async def test_the_next_provider_answers_when_the_first_is_rate_limited(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server), route(server, "claude", "claude-haiku-4-5")], client)
    server.will("rate")

    assert story(await house.ask()) == ["openai rate", "claude answered"]
    assert story(await house.ask()) == ["openai cool_down", "claude answered"]
    house.clock.advance(7.1)
    assert story(await house.ask()) == ["openai answered"]


async def test_a_used_up_quota_is_left_alone_for_an_hour_whatever_retry_after_says(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server), route(server, "claude")], client)
    server.will("quota")
    await house.ask()
    house.clock.advance(3590)
    assert story(await house.ask()) == ["openai cool_down", "claude answered"]
    house.clock.advance(20)
    assert story(await house.ask()) == ["openai answered"]


async def test_a_daily_quota_of_gemini_ends_at_midnight_pacific(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, "gemini"), route(server)], client)  # it is 10:00 in Los Angeles
    server.will("quota")
    await house.ask()
    [status, _] = await house.router.status()
    assert (status.paused, status.paused_kind, status.paused_seconds) == ("cool_down", "quota", 14 * 3600.0)
    assert status.requests_per_day == 20


async def test_the_limit_in_a_429_replaces_the_configured_one(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, "gemini", requests_per_minute=15)], client)
    server.will("rate")
    await house.ask_in_vain()
    [status] = await house.router.status()
    assert status.requests_per_minute == 5


async def test_a_wrong_key_pauses_the_route_and_tells_the_operator(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude")], client)
    server.will("auth")
    assert story(await house.ask()) == ["openai auth", "claude answered"]
    [status, _] = await house.router.status()
    assert (status.paused, status.last_error_kind) == ("cool_down", "auth")
    assert status.paused_seconds == pytest.approx(600)


async def test_our_own_mistake_is_not_hidden_by_the_next_provider(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude")], client)
    server.will("bad_request")
    assert story(await house.ask_in_vain()) == ["openai bad_request"]
    assert server.count == 1


async def test_a_refusal_is_tried_on_one_other_provider_only(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude"), route(server, "gemini")], client)
    server.will("refusal", "refusal")
    failed = await house.ask_in_vain()
    assert story(failed) == ["openai refusal", "claude refusal"]
    assert failed.was_refused


async def test_a_lost_connection_is_tried_once_more_on_the_same_route(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude")], client)
    server.will("cut")
    assert story(await house.ask()) == ["openai network", "openai answered"]


async def test_an_overloaded_last_provider_is_asked_once_more(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude")], client)
    server.will("overload", "overload")
    assert story(await house.ask()) == ["openai overload", "claude overload", "claude answered"]
    assert house.clock.slept == [0.5]


async def test_every_cause_is_kept_when_nobody_answers(server: ModelServer, client: HttpClient) -> None:
    routes = [route(server), route(server, "claude"), route(server, "gemini"), route(server, "ollama")]
    house = House(routes, client)
    server.will("rate", "auth", "malformed", "server")
    failed = await house.ask_in_vain()
    assert story(failed) == ["openai rate", "claude auth", "gemini malformed", "ollama server"]
    assert [attempt.http_status for attempt in failed.attempts] == [429, 401, None, 500]


async def test_at_most_five_calls_are_made_for_one_question(server: ModelServer, client: HttpClient) -> None:
    routes = [route(server, "openai", f"model-{number}") for number in range(8)]
    for _ in routes:
        server.will("server")
    failed = await House(routes, client).ask_in_vain()
    assert len(failed.attempts) == server.count == 5


async def test_the_deadline_holds_while_a_provider_hangs(server: ModelServer, client: HttpClient) -> None:
    clock = SystemClock()
    routes = [route(server), route(server, "claude")]
    router = Router(routes, client=client, state=MemoryState(clock), clock=clock)
    server.will("hang")
    began = asyncio.get_running_loop().time()
    with pytest.raises(ChainFailed) as caught:
        await router.answer(QUESTION, conversation_key=None, deadline_seconds=1.2)
    assert asyncio.get_running_loop().time() - began < 2.0
    assert story(caught.value) == ["openai timeout"]


async def test_four_failures_in_a_row_open_the_breaker_and_one_probe_closes_it(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server), route(server, "claude")], client)
    for _ in range(4):
        server.will("server")
        await house.ask()
    assert story(await house.ask()) == ["openai breaker_open", "claude answered"]
    assert (await house.router.status())[0].breaker == "open"
    house.clock.advance(10.1)
    assert (await house.router.status())[0].breaker == "half_open"
    assert story(await house.ask()) == ["openai answered"]
    assert (await house.router.status())[0].breaker == "closed"


async def test_only_one_probe_goes_to_a_provider_that_was_ill(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude")], client)
    for _ in range(4):
        server.will("server")
        await house.ask()
    house.clock.advance(10.1)
    stories = [story(done) for done in await asyncio.gather(*(house.ask() for _ in range(5)))]
    assert stories.count(["openai answered"]) == 1
    assert stories.count(["openai breaker_open", "claude answered"]) == 4


async def test_a_full_minute_skips_to_the_next_route_without_a_request(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, requests_per_minute=2), route(server, "claude")], client)
    stories = [story(await house.ask())[0] for _ in range(3)]
    assert stories == ["openai answered", "openai answered", "openai minute_budget"]


async def test_a_slot_that_is_near_is_waited_for_when_there_is_no_other_route(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server, requests_per_minute=1)], client)
    await house.ask()
    house.clock.advance(55)
    assert story(await house.ask()) == ["openai minute_budget", "openai answered"]
    assert house.clock.slept == [5.0]


async def test_a_slot_that_is_far_is_not_waited_for(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, requests_per_minute=1)], client)
    await house.ask()
    house.clock.advance(30)
    failed = await house.ask_in_vain()
    assert story(failed) == ["openai minute_budget"]
    assert failed.attempts[0].wait_seconds == pytest.approx(30)
    assert house.clock.slept == []


async def test_background_work_leaves_the_last_slots_to_customers(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, requests_per_minute=4)], client)
    background = msgspec.structs.replace(QUESTION, priority="background")
    await house.ask(background)
    await house.ask(background)
    assert story(await house.ask_in_vain(background)) == ["openai minute_budget"]
    assert story(await house.ask()) == ["openai answered"]


async def test_a_days_budget_starts_again_at_midnight_pacific(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, requests_per_day=1)], client)
    await house.ask()
    assert story(await house.ask_in_vain()) == ["openai day_budget"]
    house.clock.advance(14 * 3600 + 1)
    assert story(await house.ask()) == ["openai answered"]


async def test_a_conversation_stays_with_the_fallback_that_answered_it(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude")], client)
    server.will("rate")
    await house.ask(key="c1")
    house.clock.advance(60)
    assert story(await house.ask(key="c1")) == ["claude answered"]
    assert story(await house.ask(key="c2")) == ["openai answered"]
    house.clock.advance(31 * 60)
    assert story(await house.ask(key="c1")) == ["openai answered"]


async def test_a_call_that_nobody_waits_for_any_more_is_in_the_trace(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), route(server, "claude", "claude-haiku-4-5")], client)
    server.will("rate", "hang")
    trace: list[Attempt] = []
    asking = asyncio.create_task(house.router.answer(QUESTION, conversation_key=None, trace=trace))
    await asyncio.wait_for(server.hangs.wait(), 5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [(each.provider, each.kind) for each in trace] == [("openai", "rate"), ("claude", "cancelled")]
    assert [one.breaker for one in await house.router.status()] == ["closed", "closed"]


async def test_the_order_changes_at_run_time_and_what_is_known_stays(server: ModelServer, client: HttpClient) -> None:
    first, second = route(server), route(server, "claude")
    house = House([first, second], client)
    server.will("rate")
    await house.ask()
    house.router.use([second, first])
    assert story(await house.ask()) == ["claude answered"]
    assert [(each.provider, each.paused) for each in await house.router.status()] == [
        ("claude", None),
        ("openai", "cool_down"),
    ]


async def test_routes_that_cannot_are_passed_over(server: ModelServer, client: HttpClient) -> None:
    disabled = make_route(PROVIDERS["xai"], "grok-4", base_url=server.url, is_enabled=False)
    blind = route(server, "ollama", "llama3.2:3b")
    house = House([disabled, blind, route(server)], client)
    picture = UserMessage((Image("image/png", b"png"),))
    done = await house.ask(msgspec.structs.replace(QUESTION, messages=(picture,)))
    assert story(done) == ["xai disabled", "ollama no_images", "openai answered"]
    assert server.count == 1


async def test_old_turns_are_left_out_to_fit_a_small_window(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, "ollama", "llama3.2:3b")], client)
    turns = [UserMessage.of("a" * 9_000), AssistantMessage("b" * 9_000), UserMessage.of("c" * 9_000)]
    await house.ask(msgspec.structs.replace(QUESTION, messages=tuple(turns)))
    assert [turn["content"][:1] for turn in server.received[0].body["messages"]] == ["E", "c"]
    too_long = msgspec.structs.replace(QUESTION, messages=(UserMessage.of("a" * 90_000),))
    assert story(await house.ask_in_vain(too_long)) == ["ollama context_too_small"]


async def test_a_conversation_too_long_for_the_model_is_shortened_once(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server)], client)
    turns = (UserMessage.of("uno"), AssistantMessage("sí"), UserMessage.of("dos"))
    server.will("context")
    done = await house.ask(msgspec.structs.replace(QUESTION, messages=turns))
    assert story(done) == ["openai context", "openai answered"]
    assert [turn["content"] for turn in server.received[1].body["messages"][1:]] == ["dos"]


async def test_an_answer_that_cannot_be_continued_ends_at_its_last_sentence(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server)], client)
    server.will(Say(text="Abrimos a las 9. El sábado cerr", finish="length"), "server")
    done = await house.ask()
    assert done.reply.text == "Abrimos a las 9."
    assert story(done) == ["openai answered", "openai server"]
    assert done.answered_by is done.attempts[0]


async def test_more_questions_than_places_wait_their_turn(server: ModelServer, client: HttpClient) -> None:
    narrow = make_route(PROVIDERS["openai"], "m", base_url=server.url, concurrency=2)
    house = House([narrow], client)
    server.latency_seconds = 0.01
    answers = await asyncio.gather(*(house.ask() for _ in range(20)))
    assert {story(done)[-1] for done in answers} == {"openai answered"}


async def test_a_busy_route_gives_way_to_a_free_one(server: ModelServer, client: HttpClient) -> None:
    narrow = make_route(PROVIDERS["openai"], "m", base_url=server.url, concurrency=1)
    house = House([narrow, route(server, "claude")], client)
    server.latency_seconds = 0.05
    stories = [story(done) for done in await asyncio.gather(house.ask(), house.ask())]
    assert stories == [["openai answered"], ["openai busy", "claude answered"]]


async def test_what_a_call_cost_is_kept_with_it(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, "openrouter", "some/model"), route(server)], client)
    server.will(Say(cost=0.00012), "server")
    assert (await house.ask()).attempts[0].cost_usd == Decimal("0.00012")
    failed, paid = (await house.ask()).attempts
    assert failed.cost_usd is None
    assert paid.cost_usd == Decimal("0.000024")  # 60 x 0.15 + 40 x 0.075 + 20 x 0.60 dollars a million


async def test_an_unusable_answer_that_was_paid_for_shows_its_cost(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server)], client)
    server.will("empty")
    [attempt] = (await house.ask_in_vain()).attempts
    assert (attempt.kind, attempt.output_tokens, attempt.cost_usd) == ("malformed", 20, Decimal("0.000024"))


async def test_limits_are_learned_from_headers_of_good_answers(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server, "claude"), route(server)], client)
    server.will(Say(headers={"anthropic-ratelimit-requests-limit": "50"}))
    await house.ask()
    assert (await house.router.status())[0].requests_per_minute == 50


async def test_a_test_call_goes_out_whatever_is_known_and_its_success_ends_the_pause(
    server: ModelServer, client: HttpClient
) -> None:
    paused = route(server)
    house = House([paused], client)
    server.will("auth", "auth")
    await house.ask_in_vain()
    assert (await house.router.test(paused)).kind == "auth"
    assert story(await house.ask_in_vain()) == ["openai cool_down"]
    assert (await house.router.test(paused)).outcome == "answered"
    assert story(await house.ask()) == ["openai answered"]


async def test_the_offline_answerer_is_a_route_that_never_fails(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server), offline_route()], client)
    passages = (Passage(id="1", heading="Horario", text="Abrimos de 9 a 18 h.", source="profile"),)
    request = msgspec.structs.replace(QUESTION, grounding=Grounding(passages=passages))
    server.will("server")
    done = await house.ask(request, key="c1")
    assert story(done) == ["openai server", "offline answered"]
    assert (done.reply.text, done.reply.unanswered) == ("Abrimos de 9 a 18 h.", False)
    assert done.attempts[-1].cost_usd == 0
    assert story(await house.ask(request, key="c1")) == ["openai answered"]

    unknown = msgspec.structs.replace(request, messages=(UserMessage.of("¿Venden neumáticos?"),))
    house.router.use([offline_route()])
    assert (await house.ask(unknown)).reply.unanswered


async def test_a_redirect_or_an_odd_status_is_a_failure_and_no_crash(server: ModelServer, client: HttpClient) -> None:
    for status in (302, 418, 599):
        server.will(Answer(status, b"<html>"))
        assert story(await House([route(server)], client).ask_in_vain())[0].startswith("openai ")


async def test_a_key_that_a_server_repeats_is_blotted_out(server: ModelServer, client: HttpClient) -> None:
    server.will(Answer(401, b'{"error":{"message":"Incorrect API key provided: sk-very-secret."}}'))
    ours = make_route(PROVIDERS["openai"], "m", api_key=Secret("sk-very-secret"), base_url=server.url)
    [attempt] = (await House([ours], client).ask_in_vain()).attempts
    assert attempt.message == "Incorrect API key provided: ***."


async def test_an_overloaded_provider_that_asks_for_a_long_wait_is_not_asked_again(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server)], client)
    server.will(Answer(503, b"{}", {"retry-after": "60"}))
    assert story(await house.ask_in_vain()) == ["openai overload"]
    assert house.clock.slept == []
    [status] = await house.router.status()
    assert (status.paused, status.paused_seconds) == ("cool_down", 60)


async def test_a_question_that_finds_no_place_in_time_says_so(server: ModelServer, client: HttpClient) -> None:
    clock = SystemClock()
    narrow = make_route(PROVIDERS["openai"], "m", base_url=server.url, concurrency=1)
    router = Router([narrow], client=client, state=MemoryState(clock), clock=clock)
    server.will("hang")
    first = asyncio.create_task(router.answer(QUESTION, conversation_key=None))
    await asyncio.wait_for(server.hangs.wait(), 5)
    with pytest.raises(ChainFailed) as caught:
        await router.answer(QUESTION, conversation_key=None, deadline_seconds=1.1)
    assert story(caught.value) == ["openai busy"]
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert story(await router.answer(QUESTION, conversation_key=None)) == ["openai answered"]


async def test_a_cancelled_probe_makes_room_for_the_next(server: ModelServer, client: HttpClient) -> None:
    house = House([route(server)], client)
    for _ in range(4):
        server.will("server")
        await house.ask_in_vain()
    house.clock.advance(10.1)
    server.will("hang")
    probe = asyncio.create_task(house.ask())
    await asyncio.wait_for(server.hangs.wait(), 5)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert story(await house.ask()) == ["openai answered"]


async def test_without_a_route_the_chain_fails_at_once(client: HttpClient) -> None:
    assert (await House([], client).ask_in_vain()).attempts == ()


async def test_those_who_wait_do_not_call_a_provider_that_fell_ill_meanwhile(
    server: ModelServer, client: HttpClient
) -> None:
    narrow = make_route(PROVIDERS["openai"], "m", base_url=server.url, concurrency=1)
    house = House([narrow], client)
    server.latency_seconds = 0.01
    for _ in range(10):
        server.will("server")
    failures = await asyncio.gather(*(house.ask_in_vain() for _ in range(10)))
    assert server.count == 4
    assert [story(failed) for failed in failures[4:]] == [["openai breaker_open"]] * 6


async def test_a_parameter_refused_to_several_at_once_is_left_out_for_all(
    server: ModelServer, client: HttpClient
) -> None:
    house = House([route(server)], client)
    server.will("param", "param", "param")
    warm = msgspec.structs.replace(QUESTION, temperature=0.2)
    done = await asyncio.gather(*(house.ask(warm) for _ in range(3)))
    assert [story(each) for each in done] == [["openai param", "openai answered"]] * 3
