"""One suite for every provider that is called over HTTP: what goes over the wire, and what comes of what comes back."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ai.llm.attempts import ChainFailed
from app.ai.llm.chat import (
    AssistantMessage,
    ChatRequest,
    Image,
    JsonOutput,
    Text,
    ToolMessage,
    ToolSpec,
    UserMessage,
    json_schema,
)
from app.ai.llm.errors import CallFailed, ErrorKind
from app.ai.llm.provider import Route, make_route
from app.ai.llm.providers.registry import PROVIDERS
from app.ai.llm.router import Router
from app.ai.llm.state import MemoryState
from app.core.http_client import HttpClient
from settings.env import Secret
from tests.fakes.model_clock import FakeClock
from tests.fakes.model_server import ModelServer
from tests.fakes.model_wires import Fault, Say

CALLED = sorted(name for name, provider in PROVIDERS.items() if provider.answer is None)
KEY_HEADERS = {"claude": ("x-api-key", "k-1"), "gemini": ("x-goog-api-key", "k-1")}
PATHS = {
    "claude": "/v1/messages",
    "gemini": "/v1/models/llava:generateContent",
    "ollama": "/api/chat",
}
KINDS: dict[Fault, ErrorKind] = {
    "rate": "rate",
    "quota": "quota",
    "overload": "overload",
    "server": "server",
    "auth": "auth",
    "not_found": "not_found",
    "context": "context",
    "bad_request": "bad_request",
    "malformed": "malformed",
    "empty": "malformed",
    "cut": "network",
    "refusal": "refusal",
    "error_in_200": "server",
}

pytestmark = pytest.mark.parametrize("name", CALLED)


class Booking(msgspec.Struct, forbid_unknown_fields=True):
    day: str
    people: int


QUESTION = ChatRequest(system="Eres el asistente.", messages=(UserMessage.of("¿A qué hora abren?"),))
TOOL = ToolSpec("get_slots", "Free times of a day.", json_schema(Booking))


def route_to(server: ModelServer, name: str, *, timeout_seconds: float = 5.0) -> Route:
    return make_route(
        PROVIDERS[name],
        "llava",
        api_key=Secret("k-1"),
        base_url=server.url,
        attempt_timeout_seconds=timeout_seconds,
    )


def router_to(server: ModelServer, client: HttpClient, name: str, *, timeout_seconds: float = 5.0) -> Router:
    clock = FakeClock()
    route = route_to(server, name, timeout_seconds=timeout_seconds)
    return Router([route], client=client, state=MemoryState(clock), clock=clock, jitter=lambda: 0.0)


async def test_a_question_is_answered_and_its_tokens_are_counted(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    done = await router_to(server, client, name).answer(QUESTION, conversation_key=None)

    assert done.reply.text == "Abrimos de 9 a 18 h."
    assert (done.reply.finish, done.reply.model) == ("stop", "fake-1")
    [attempt] = done.attempts
    assert (attempt.outcome, attempt.http_status) == ("answered", 200)
    assert (attempt.input_tokens, attempt.output_tokens) == (100, 20)
    assert attempt.cached_input_tokens == (0 if name == "ollama" else 40)
    assert attempt.reasoning_tokens == (0 if name in {"ollama", "claude"} else 5)


async def test_the_request_shows_its_key_and_goes_to_the_documented_path(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    await router_to(server, client, name).answer(QUESTION, conversation_key=None)

    [received] = server.received
    header, value = KEY_HEADERS.get(name, ("authorization", "Bearer k-1"))
    assert received.headers[header] == value
    assert received.path == PATHS.get(name, "/v1/chat/completions")
    assert "k-1" not in msgspec.json.encode(received.body).decode()


async def test_the_system_prompt_is_no_turn_of_the_conversation(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    await router_to(server, client, name).answer(QUESTION, conversation_key=None)

    body = server.received[0].body
    match name:
        case "claude":
            assert body["system"][0]["text"] == "Eres el asistente."
            assert [turn["role"] for turn in body["messages"]] == ["user"]
        case "gemini":
            assert body["systemInstruction"] == {"parts": [{"text": "Eres el asistente."}]}
            assert [turn["role"] for turn in body["contents"]] == ["user"]
        case _:
            assert [turn["role"] for turn in body["messages"]] == ["system", "user"]


async def test_a_picture_travels_as_base64(server: ModelServer, client: HttpClient, name: str) -> None:
    picture = UserMessage((Text("¿Qué es?"), Image("image/png", b"\x89PNG\r\n")))
    request = msgspec.structs.replace(QUESTION, messages=(picture,))
    await router_to(server, client, name).answer(request, conversation_key=None)

    body = server.received[0].body
    match name:
        case "claude":
            source = body["messages"][0]["content"][1]["source"]
            assert source == {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}
        case "gemini":
            assert body["contents"][0]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": "iVBORw0K"}}
        case "ollama":
            assert body["messages"][1]["images"] == ["iVBORw0K"]
        case _:
            url = body["messages"][1]["content"][1]["image_url"]["url"]
            assert url == "data:image/png;base64,iVBORw0K"


async def test_a_tool_call_comes_back_and_its_result_goes_out(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    router = router_to(server, client, name)
    server.will(Say(tool=("get_slots", {"day": "2026-12-01", "people": 2})), Say(text="Hay sitio a las 9."))
    request = msgspec.structs.replace(QUESTION, tools=(TOOL,))

    first = (await router.answer(request, conversation_key=None)).reply
    assert first.finish == "tool_calls"
    [call] = first.tool_calls
    assert call.name == "get_slots"
    assert msgspec.json.decode(call.arguments, type=Booking) == Booking("2026-12-01", 2)

    result = ToolMessage(call.id, call.name, '{"slots":["9:00"]}')
    with_result = msgspec.structs.replace(request, messages=(*request.messages, first.as_message(), result))
    second = (await router.answer(with_result, conversation_key=None)).reply
    assert second.text == "Hay sitio a las 9."

    declared, body = server.received[0].body["tools"][0], server.received[1].body
    match name:
        case "claude":
            assert declared["input_schema"]["required"] == ["day", "people"]
            assert body["messages"][1]["content"][0]["input"] == {"day": "2026-12-01", "people": 2}
            assert body["messages"][2]["content"][0]["tool_use_id"] == "toolu_abc"
        case "gemini":
            assert declared["functionDeclarations"][0]["parametersJsonSchema"]["type"] == "object"
            assert body["contents"][1]["parts"][0]["thoughtSignature"] == "c2lnbmVk"
            response = body["contents"][2]["parts"][0]["functionResponse"]
            assert response == {"name": "get_slots", "response": {"result": '{"slots":["9:00"]}'}}
        case "ollama":
            assert body["messages"][2]["tool_calls"][0]["function"]["arguments"]["people"] == 2
            assert body["messages"][3]["tool_name"] == "get_slots"
        case _:
            assert declared["function"]["parameters"]["additionalProperties"] is False
            assert body["messages"][3] == {
                "role": "tool",
                "tool_call_id": "call_abc",
                "content": '{"slots":["9:00"]}',
            }


async def test_neighbouring_turns_of_one_person_are_taken(server: ModelServer, client: HttpClient, name: str) -> None:
    turns = (UserMessage.of("Hola"), UserMessage.of("¿Abren?"), AssistantMessage("Sí."), UserMessage.of("¿Cuándo?"))
    await router_to(server, client, name).answer(
        msgspec.structs.replace(QUESTION, messages=turns), conversation_key=None
    )

    body = server.received[0].body
    if name in {"claude", "gemini"}:
        roles = [turn["role"] for turn in body.get("messages") or body["contents"]]
        assert roles == ["user", "model" if name == "gemini" else "assistant", "user"]
    else:
        assert [turn["role"] for turn in body["messages"]] == ["system", "user", "user", "assistant", "user"]


async def test_an_answer_of_a_schema_is_asked_for_and_checked(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    request = msgspec.structs.replace(QUESTION, output=JsonOutput("booking", json_schema(Booking)))
    router = router_to(server, client, name)
    server.will(Say(text='{"day":"2026-12-01","people":2}'), Say(text="¡Claro! Aquí tienes el JSON:"))

    good = await router.answer(request, conversation_key=None)
    assert msgspec.json.decode(good.reply.text, type=Booking).people == 2
    with pytest.raises(ChainFailed) as caught:
        await router.answer(request, conversation_key=None)
    assert caught.value.attempts[0].kind == "malformed"

    body = server.received[0].body
    match name:
        case "claude":
            schema = body["output_config"]["format"]["schema"]
        case "gemini":
            schema = body["generationConfig"]["responseJsonSchema"]
        case "ollama":
            schema = body["format"]
        case _:
            schema = body["response_format"]["json_schema"]["schema"]
            assert body["response_format"]["json_schema"]["strict"] is True
    assert schema["required"] == ["day", "people"]
    assert "$ref" not in schema


@pytest.mark.parametrize("fault", KINDS)
async def test_a_fault_is_told_by_its_kind(server: ModelServer, client: HttpClient, name: str, fault: Fault) -> None:
    server.will(*([fault] * 3))
    with pytest.raises(ChainFailed) as caught:
        await router_to(server, client, name).answer(QUESTION, conversation_key=None)
    assert {attempt.kind for attempt in caught.value.attempts} == {KINDS[fault]}


async def test_a_provider_that_says_nothing_is_left_at_the_time_limit(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    server.will("hang")
    with pytest.raises(ChainFailed) as caught:
        await router_to(server, client, name, timeout_seconds=0.1).answer(QUESTION, conversation_key=None)
    assert [attempt.kind for attempt in caught.value.attempts] == ["timeout"]


async def test_a_parameter_the_model_does_not_take_is_left_out_for_good(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    server.will("param")
    router = router_to(server, client, name)
    warm = msgspec.structs.replace(QUESTION, temperature=0.2)

    done = await router.answer(warm, conversation_key=None)
    assert [attempt.kind for attempt in done.attempts] == ["param", None]
    await router.answer(warm, conversation_key=None)
    said = ["temperature" in msgspec.json.encode(received.body).decode() for received in server.received]
    assert said == [True, False, False]


async def test_an_answer_cut_off_in_a_sentence_is_continued_once(
    server: ModelServer, client: HttpClient, name: str
) -> None:
    server.will("length", Say(text="viernes de 9 a 18."))
    done = await router_to(server, client, name).answer(QUESTION, conversation_key=None)
    assert done.reply.text == "Abrimos de lunes a viernes de 9 a 18."
    assert len(done.attempts) == 2


@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "message",
                        "content",
                        "error",
                        "candidates",
                        "parts",
                        "usage",
                        "tool_calls",
                        "finish_reason",
                        "function",
                        "arguments",
                        "text",
                        "type",
                        "functionCall",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(msgspec.json.encode)
)
def test_whatever_comes_back_is_a_reply_or_a_failure(name: str, body: bytes) -> None:
    with contextlib.suppress(CallFailed):
        assert PROVIDERS[name].parse(body).finish in {"stop", "length", "tool_calls", "refusal"}
