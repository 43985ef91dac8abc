"""Google's Gemini, in the generateContent format (https://ai.google.dev/api/generate-content)."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from app.ai.llm.chat import (
    AssistantMessage,
    ChatReply,
    ChatRequest,
    Finish,
    Image,
    Message,
    Text,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from app.ai.llm.classify import NO_ERROR, classify
from app.ai.llm.errors import CallFailed, Failure
from app.ai.llm.provider import HttpCall, Provider, Target
from app.ai.llm.tool_arguments import as_object

__all__ = ["PROVIDER"]

# Stands in for the signature of a call that another provider made (https://ai.google.dev/gemini-api/docs/thought-signatures).
_FOREIGN_SIGNATURE = "skip_thought_signature_validator"


def _root(base_url: str | None) -> str:
    base = (base_url or "https://generativelanguage.googleapis.com/v1").rstrip("/")
    return base if urlsplit(base).path else f"{base}/v1"


def _build(request: ChatRequest, target: Target) -> HttpCall:
    settings: dict[str, Any] = {"maxOutputTokens": request.max_output_tokens}
    if request.temperature is not None and target.capabilities.temperature:
        settings["temperature"] = request.temperature
    if request.output is not None:
        settings["responseMimeType"] = "application/json"
        settings["responseJsonSchema"] = request.output.schema
    for parameter in target.dropped:
        settings.pop(parameter, None)
    body: dict[str, Any] = {"contents": _merged(request.messages), "generationConfig": settings}
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.tools and "tools" not in target.dropped:
        declared = [
            {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
            for tool in request.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    headers = {"content-type": "application/json"}
    if target.api_key is not None:
        headers["x-goog-api-key"] = target.api_key.reveal()
    model = quote(target.model.removeprefix("models/"))
    return HttpCall(f"{target.base_url}/models/{model}:generateContent", headers, msgspec.json.encode(body))


def _merged(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Make neighbours of one role one turn: turns must alternate, and tool results belong to the user."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = "model" if isinstance(message, AssistantMessage) else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"].extend(_parts(message))
        else:
            turns.append({"role": role, "parts": _parts(message)})
    return turns


def _parts(message: Message) -> list[dict[str, Any]]:
    match message:
        case UserMessage(parts=parts):
            return [_part(part) for part in parts]
        case AssistantMessage(text=text, tool_calls=calls):
            spoken: list[dict[str, Any]] = [{"text": text}] if text else []
            return spoken + [
                {
                    "functionCall": {"name": call.name, "args": as_object(call.arguments)},
                    "thoughtSignature": call.signature or _FOREIGN_SIGNATURE,
                }
                for call in calls
            ]
        case ToolMessage(name=name, content=content):
            return [{"functionResponse": {"name": name, "response": {"result": content}}}]


def _part(part: Text | Image) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    return {"inlineData": {"mimeType": part.media_type, "data": b64encode(part.data).decode()}}


class _FunctionCall(msgspec.Struct):
    name: str
    args: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: _FunctionCall | None = None


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int = 0
    candidates_token_count: int = 0
    thoughts_token_count: int = 0
    cached_content_token_count: int = 0


class _Reply(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Usage = msgspec.field(default_factory=_Usage)
    model_version: str = ""
    error: msgspec.Raw = NO_ERROR


_decoder = msgspec.json.Decoder(_Reply)
_REFUSALS = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"}
)
_BROKEN = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"}
)


def _parse(body: bytes) -> ChatReply:
    try:
        reply = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallFailed(Failure(kind="malformed", message=str(error)[:300])) from error
    if reply.error != NO_ERROR:
        raise CallFailed(classify(200, {}, body))
    usage = _usage(reply.usage_metadata)
    if not reply.candidates:
        if reply.prompt_feedback is not None and reply.prompt_feedback.block_reason:
            return ChatReply(text="", finish="refusal", model=reply.model_version, usage=usage)
        raise CallFailed(Failure(kind="malformed", message="the answer holds no candidate"))
    candidate = reply.candidates[0]
    if candidate.finish_reason in _BROKEN:
        raise CallFailed(Failure(kind="malformed", message=f"finished by {candidate.finish_reason}"))
    parts = candidate.content.parts if candidate.content and candidate.content.parts else []
    calls = tuple(
        ToolCall(
            part.function_call.id or f"call_{number}_{part.function_call.name}",
            part.function_call.name,
            bytes(part.function_call.args).decode(),
            part.thought_signature,
        )
        for number, part in enumerate(parts)
        if part.function_call is not None
    )
    return ChatReply(
        text="".join(part.text for part in parts if part.text and not part.thought).strip(),
        finish=_finish(candidate.finish_reason, has_calls=bool(calls)),
        model=reply.model_version,
        tool_calls=calls,
        usage=usage,
    )


def _finish(reason: str | None, *, has_calls: bool) -> Finish:
    if reason in _REFUSALS:
        return "refusal"
    if has_calls:
        return "tool_calls"
    return "length" if reason == "MAX_TOKENS" else "stop"


def _usage(said: _Usage) -> Usage:
    return Usage(
        input_tokens=said.prompt_token_count,
        cached_input_tokens=said.cached_content_token_count,
        output_tokens=said.candidates_token_count + said.thoughts_token_count,
        reasoning_tokens=said.thoughts_token_count,
    )


PROVIDER = Provider(name="gemini", build=_build, parse=_parse, root=_root)
