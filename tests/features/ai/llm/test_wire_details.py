"""What only one provider or one model does."""

import msgspec
import pytest

from app.ai.llm.chat import AssistantMessage, ChatRequest, ToolCall, ToolMessage, UserMessage, json_schema
from app.ai.llm.errors import CallFailed
from app.ai.llm.fitting import ends_a_sentence, shortened, up_to_last_sentence
from app.ai.llm.provider import make_route
from app.ai.llm.providers.registry import PROVIDERS

QUESTION = ChatRequest(system="s", messages=(UserMessage.of("hola"),), temperature=0.2, cache_key="tenant-1")


def body(name: str, model: str, request: ChatRequest = QUESTION, dropped: frozenset[str] = frozenset()) -> bytes:
    target = msgspec.structs.replace(make_route(PROVIDERS[name], model).target, dropped=dropped)
    return PROVIDERS[name].build(request, target).body


@pytest.mark.parametrize(
    ("name", "model", "is_sent"),
    [
        ("openai", "gpt-4o-mini", True),
        ("openai", "gpt-5.4-mini", False),
        ("openai", "o4-mini", False),
        ("openrouter", "openai/gpt-5.4-mini", False),
        ("claude", "claude-haiku-4-5-20251001", True),
        ("claude", "claude-opus-4-7", False),
        ("claude", "claude-sonnet-5", False),
        ("gemini", "gemini-2.5-flash-lite", True),
        ("ollama", "llama3.2:3b", True),
    ],
)
def test_temperature_goes_only_to_models_that_take_it(name: str, model: str, is_sent: bool) -> None:
    assert (b'"temperature":0.2' in body(name, model)) == is_sent


def test_openai_gets_its_own_name_for_the_token_limit_and_the_cache_key() -> None:
    sent = body("openai", "gpt-4o-mini")
    assert b'"max_completion_tokens":1024' in sent
    assert b'"prompt_cache_key":"tenant-1"' in sent
    assert b"cache_key" not in body("xai", "grok-4")


def test_a_server_that_refuses_max_tokens_gets_the_other_name() -> None:
    assert b'"max_tokens":1024' in body("compatible", "m")
    assert b'"max_completion_tokens":1024' in body("compatible", "m", dropped=frozenset({"max_tokens"}))
    neither = body("compatible", "m", dropped=frozenset({"max_tokens", "max_completion_tokens"}))
    assert b"1024" not in neither


def test_ollama_is_always_told_its_window() -> None:
    assert b'"num_ctx":8192' in body("ollama", "llama3.2:3b")


def test_gemini_gets_a_stand_in_for_the_signature_of_a_foreign_call() -> None:
    turns = (
        UserMessage.of("¿Hay sitio?"),
        AssistantMessage("", (ToolCall("call_1", "get_slots", "{}"),)),
        ToolMessage("call_1", "get_slots", "[]"),
    )
    sent = body("gemini", "gemini-3-flash-preview", msgspec.structs.replace(QUESTION, messages=turns))
    assert b'"thoughtSignature":"skip_thought_signature_validator"' in sent


def reply(content: object, **extra: object) -> bytes:
    return msgspec.json.encode({"choices": [{"message": {"content": content, **extra}, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<think>hmm\n</think>\nHola", "Hola"),
        ("<think>never ends", ""),
        ([{"type": "text", "text": "Ho"}, {"type": "text", "text": "la"}], "Hola"),
        (None, ""),
    ],
)
def test_text_is_what_the_customer_should_see(content: object, text: str) -> None:
    assert PROVIDERS["compatible"].parse(reply(content)).text == text


@pytest.mark.parametrize("arguments", ["[1]", "{", "nope"])
def test_tool_arguments_that_are_no_object_are_malformed(arguments: str) -> None:
    calls = [{"id": "1", "function": {"name": "f", "arguments": arguments}}]
    with pytest.raises(CallFailed) as caught:
        PROVIDERS["openai"].parse(reply(None, tool_calls=calls))
    assert caught.value.failure.kind == "malformed"


def test_a_tool_call_without_arguments_has_an_empty_object() -> None:
    parsed = PROVIDERS["openai"].parse(reply(None, tool_calls=[{"function": {"name": "f"}}]))
    assert [(call.id, call.arguments) for call in parsed.tool_calls] == [("call_0", "{}")]


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    day: str


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner


def test_a_schema_has_its_struct_at_the_root_and_others_beside_it() -> None:
    schema = msgspec.json.decode(json_schema(Outer))
    assert schema["type"] == "object"
    assert schema["properties"]["inner"] == {"$ref": "#/$defs/Inner"}
    assert list(schema["$defs"]) == ["Inner"]


@pytest.mark.parametrize(
    ("text", "ends"),
    [("Hola.", True), ("¿Sí?", True), ("*Listo!*", True), ("a las 9.30 de", False), ("", False), ("Hola. Te", False)],
)
def test_the_end_of_a_sentence_is_seen(text: str, ends: bool) -> None:
    assert ends_a_sentence(text) == ends


def test_a_text_without_any_sentence_is_kept_whole() -> None:
    assert up_to_last_sentence("abrimos de lunes a") == "abrimos de lunes a"


def test_a_single_turn_cannot_be_shortened() -> None:
    assert shortened(QUESTION) is None
