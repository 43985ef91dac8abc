"""The OpenAI chat-completions format, which OpenAI, xAI, OpenRouter, LM Studio and many servers speak (llm.md 3)."""

from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

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
    without_thoughts,
)
from app.ai.llm.classify import NO_ERROR, classify
from app.ai.llm.errors import CallFailed, Failure
from app.ai.llm.provider import HttpCall, Target
from app.ai.llm.tool_arguments import checked_arguments

__all__ = ["body_of", "build", "call", "parse", "root_of"]


def root_of(base_url: str) -> str:
    """Return the base with its version path: `http://host:1234` and `http://host:1234/v1/` are the same server."""
    base = base_url.rstrip("/")
    return base if urlsplit(base).path else f"{base}/v1"


def build(request: ChatRequest, target: Target) -> HttpCall:
    return call(target, body_of(request, target))


def call(target: Target, body: dict[str, Any]) -> HttpCall:
    """Encode `body` without what the model was found not to take."""
    for parameter in target.dropped:
        limit = body.pop(parameter, None)
        if parameter == "max_tokens" and limit is not None and "max_completion_tokens" not in target.dropped:
            body["max_completion_tokens"] = limit
    headers = {"content-type": "application/json"}
    if target.api_key is not None:
        headers["authorization"] = f"Bearer {target.api_key.reveal()}"
    return HttpCall(f"{target.base_url}/chat/completions", headers, msgspec.json.encode(body))


def body_of(request: ChatRequest, target: Target, *, limit_field: str = "max_tokens") -> dict[str, Any]:
    """Return the request as the JSON object that goes over the wire, before anything is left out."""
    body: dict[str, Any] = {"model": target.model, "messages": list(_messages(request))}
    body[limit_field] = request.max_output_tokens
    if request.temperature is not None and target.capabilities.temperature:
        body["temperature"] = request.temperature
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in request.tools
        ]
    if request.output is not None:
        schema = {"name": request.output.name, "strict": True, "schema": request.output.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _messages(request: ChatRequest) -> Iterator[dict[str, Any]]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in request.messages:
        yield _message(message)


def _message(message: Message) -> dict[str, Any]:
    match message:
        case UserMessage(parts=(Text(text=text),)):
            return {"role": "user", "content": text}
        case UserMessage(parts=parts):
            return {"role": "user", "content": [_part(part) for part in parts]}
        case AssistantMessage(text=text, tool_calls=calls):
            spoken: dict[str, Any] = {"role": "assistant", "content": text or None}
            if calls:
                spoken["tool_calls"] = [
                    {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                    for call in calls
                ]
            return spoken
        case ToolMessage(call_id=call_id, content=content):
            return {"role": "tool", "tool_call_id": call_id, "content": content}


def _part(part: Text | Image) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    url = f"data:{part.media_type};base64,{b64encode(part.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


class _Function(msgspec.Struct):
    name: str
    arguments: str = ""


class _ToolCall(msgspec.Struct):
    function: _Function
    id: str = ""


class _Spoken(msgspec.Struct):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    message: _Spoken
    finish_reason: str | None = None


class _InputDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _InputDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    cost: Decimal | None = None


class _Reply(msgspec.Struct):
    choices: list[_Choice] = []
    model: str | None = None
    usage: _Usage | None = None
    error: msgspec.Raw = NO_ERROR


_decoder = msgspec.json.Decoder(_Reply)
_FINISHES: dict[str | None, Finish] = {
    "length": "length",
    "content_filter": "refusal",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


def parse(body: bytes) -> ChatReply:
    try:
        reply = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallFailed(Failure(kind="malformed", message=str(error)[:300])) from error
    if reply.error != NO_ERROR:
        raise CallFailed(classify(200, {}, body))
    if not reply.choices:
        raise CallFailed(Failure(kind="malformed", message="the answer holds no choice"))
    choice = reply.choices[0]
    spoken = choice.message
    if choice.finish_reason == "error":
        raise CallFailed(Failure(kind="server", message="the provider broke off its answer"))
    calls = tuple(
        ToolCall(call.id or f"call_{number}", call.function.name, checked_arguments(call.function.arguments))
        for number, call in enumerate(spoken.tool_calls or ())
    )
    finish: Finish = "tool_calls" if calls else _FINISHES.get(choice.finish_reason, "stop")
    if spoken.refusal:
        finish = "refusal"
    return ChatReply(
        text=spoken.refusal or without_thoughts(_text(spoken.content)),
        finish=finish,
        model=reply.model or "",
        tool_calls=calls,
        usage=_usage(reply.usage),
    )


def _text(content: str | list[dict[str, Any]] | None) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""


def _usage(said: _Usage | None) -> Usage:
    if said is None:
        return Usage()
    cached = said.prompt_tokens_details.cached_tokens if said.prompt_tokens_details else None
    reasoned = said.completion_tokens_details.reasoning_tokens if said.completion_tokens_details else None
    return Usage(
        input_tokens=said.prompt_tokens,
        cached_input_tokens=cached or 0,
        output_tokens=said.completion_tokens,
        reasoning_tokens=reasoned or 0,
        cost_usd=said.cost,
    )
