"""Anthropic's Claude, in the Messages format (https://docs.anthropic.com/en/api/messages)."""

from base64 import b64encode
from typing import Any

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
from app.ai.llm.classify import classify
from app.ai.llm.errors import CallFailed, Failure
from app.ai.llm.provider import HttpCall, Provider, Target
from app.ai.llm.tool_arguments import as_object

__all__ = ["PROVIDER"]


def _root(base_url: str | None) -> str:
    return (base_url or "https://api.anthropic.com").rstrip("/").removesuffix("/v1")


def _build(request: ChatRequest, target: Target) -> HttpCall:
    body: dict[str, Any] = {
        "model": target.model,
        "max_tokens": request.max_output_tokens,
        "messages": _merged(request.messages),
    }
    if request.system:
        block: dict[str, Any] = {"type": "text", "text": request.system}
        if "cache_control" not in target.dropped:
            block["cache_control"] = {"type": "ephemeral"}
        body["system"] = [block]
    if request.temperature is not None and target.capabilities.temperature:
        body["temperature"] = request.temperature
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
            for tool in request.tools
        ]
    if request.output is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.output.schema}}
    for parameter in target.dropped:
        if parameter != "max_tokens":  # required by this format
            body.pop(parameter, None)
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    if target.api_key is not None:
        headers["x-api-key"] = target.api_key.reveal()
    return HttpCall(f"{target.base_url}/v1/messages", headers, msgspec.json.encode(body))


def _merged(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Make neighbours of one role one turn: turns must alternate, and tool results belong to the user."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        role = "assistant" if isinstance(message, AssistantMessage) else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(_blocks(message))
        else:
            turns.append({"role": role, "content": _blocks(message)})
    return turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    match message:
        case UserMessage(parts=parts):
            return [_part(part) for part in parts]
        case AssistantMessage(text=text, tool_calls=calls):
            spoken: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
            return spoken + [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": as_object(call.arguments)}
                for call in calls
            ]
        case ToolMessage(call_id=call_id, content=content):
            return [{"type": "tool_result", "tool_use_id": call_id, "content": content}]


def _part(part: Text | Image) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    data = b64encode(part.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": data}}


class _Block(msgspec.Struct):
    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Reply(msgspec.Struct):
    content: list[_Block] | None = None
    model: str = ""
    stop_reason: str | None = None
    usage: _Usage = msgspec.field(default_factory=_Usage)
    type: str = ""


_decoder = msgspec.json.Decoder(_Reply)
_FINISHES: dict[str | None, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


def _parse(body: bytes) -> ChatReply:
    try:
        reply = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallFailed(Failure(kind="malformed", message=str(error)[:300])) from error
    if reply.type == "error":
        raise CallFailed(classify(200, {}, body))
    if reply.content is None:
        raise CallFailed(Failure(kind="malformed", message="the answer holds no content"))
    calls = tuple(
        ToolCall(block.id, block.name, bytes(block.input).decode())
        for block in reply.content
        if block.type == "tool_use"
    )
    used = reply.usage
    read, written = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
    return ChatReply(
        text="".join(block.text for block in reply.content if block.type == "text").strip(),
        finish="tool_calls" if calls else _FINISHES.get(reply.stop_reason, "stop"),
        model=reply.model,
        tool_calls=calls,
        usage=Usage(
            input_tokens=used.input_tokens + read + written,
            cached_input_tokens=read,
            cache_write_tokens=written,
            output_tokens=used.output_tokens,
        ),
    )


PROVIDER = Provider(name="claude", build=_build, parse=_parse, root=_root)
