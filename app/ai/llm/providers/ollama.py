"""Ollama on the customer's own machine (https://docs.ollama.com/api)."""

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
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
    without_thoughts,
)
from app.ai.llm.classify import NO_ERROR, classify
from app.ai.llm.errors import CallFailed, Failure
from app.ai.llm.provider import HttpCall, Provider, Target
from app.ai.llm.tool_arguments import as_object

__all__ = ["PROVIDER"]


def _root(base_url: str | None) -> str:
    return (base_url or "http://127.0.0.1:11434").rstrip("/").removesuffix("/v1").removesuffix("/api")


def _build(request: ChatRequest, target: Target) -> HttpCall:
    # Ollama cuts a longer conversation to num_ctx without a word, so the window is always said.
    options: dict[str, Any] = {
        "num_predict": request.max_output_tokens,
        "num_ctx": max(8_192, target.capabilities.context_tokens),
    }
    if request.temperature is not None and target.capabilities.temperature:
        options["temperature"] = request.temperature
    messages = [{"role": "system", "content": request.system}] if request.system else []
    body: dict[str, Any] = {
        "model": target.model,
        "messages": messages + [_message(message) for message in request.messages],
        "stream": False,
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
            }
            for tool in request.tools
        ]
    if request.output is not None:
        body["format"] = request.output.schema
    for parameter in target.dropped:
        body.pop(parameter, None)
        options.pop(parameter, None)
    body["options"] = options
    headers = {"content-type": "application/json"}
    if target.api_key is not None:
        headers["authorization"] = f"Bearer {target.api_key.reveal()}"
    return HttpCall(f"{target.base_url}/api/chat", headers, msgspec.json.encode(body))


def _message(message: Message) -> dict[str, Any]:
    match message:
        case UserMessage(parts=parts):
            said: dict[str, Any] = {"role": "user", "content": message.text}
            images = [b64encode(part.data).decode() for part in parts if isinstance(part, Image)]
            return said | {"images": images} if images else said
        case AssistantMessage(text=text, tool_calls=calls):
            spoken: dict[str, Any] = {"role": "assistant", "content": text}
            if calls:
                spoken["tool_calls"] = [
                    {"function": {"name": call.name, "arguments": as_object(call.arguments)}} for call in calls
                ]
            return spoken
        case ToolMessage(name=name, content=content):
            return {"role": "tool", "tool_name": name, "content": content}


class _Function(msgspec.Struct):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class _ToolCall(msgspec.Struct):
    function: _Function


class _Spoken(msgspec.Struct):
    content: str = ""
    tool_calls: list[_ToolCall] | None = None


class _Reply(msgspec.Struct):
    message: _Spoken | None = None
    model: str = ""
    done_reason: str | None = None
    prompt_eval_count: int = 0
    eval_count: int = 0
    error: msgspec.Raw = NO_ERROR


_decoder = msgspec.json.Decoder(_Reply)


def _parse(body: bytes) -> ChatReply:
    try:
        reply = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CallFailed(Failure(kind="malformed", message=str(error)[:300])) from error
    if reply.error != NO_ERROR:
        raise CallFailed(classify(200, {}, body))
    if reply.message is None:
        raise CallFailed(Failure(kind="malformed", message="the answer holds no message"))
    calls = tuple(
        ToolCall(f"call_{number}", call.function.name, bytes(call.function.arguments).decode())
        for number, call in enumerate(reply.message.tool_calls or ())
    )
    finish: Finish = "length" if reply.done_reason == "length" else "stop"
    return ChatReply(
        text=without_thoughts(reply.message.content),
        finish="tool_calls" if calls else finish,
        model=reply.model,
        tool_calls=calls,
        usage=Usage(input_tokens=reply.prompt_eval_count, output_tokens=reply.eval_count),
    )


PROVIDER = Provider(name="ollama", build=_build, parse=_parse, root=_root, is_local=True)
