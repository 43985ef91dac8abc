"""What model providers answer, good and bad, in the four wire formats (shapes: reference/llm.md 3 and 4)."""

from typing import Any, Literal

import msgspec

Family = Literal["openai", "claude", "gemini", "ollama"]
Fault = Literal[
    "rate",
    "quota",
    "overload",
    "server",
    "auth",
    "not_found",
    "context",
    "param",
    "bad_request",
    "malformed",
    "cut",
    "hang",
    "refusal",
    "length",
    "empty",
    "error_in_200",
]


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """A good answer. `tool` is the name and the arguments of a call the model asks for."""

    text: str = "Abrimos de 9 a 18 h."
    tool: tuple[str, dict[str, Any]] | None = None
    input_tokens: int = 100
    cached_tokens: int = 40
    output_tokens: int = 20
    reasoning_tokens: int = 5
    cost: float | None = None
    finish: Literal["stop", "length"] = "stop"
    headers: dict[str, str] = {}


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    headers: dict[str, str] = {}


def family_of(path: str) -> Family | None:
    if path.endswith("/chat/completions"):
        return "openai"
    if path.endswith("/v1/messages"):
        return "claude"
    if path.endswith(":generateContent"):
        return "gemini"
    return "ollama" if path.endswith("/api/chat") else None


def good(family: Family, say: Say) -> Answer:
    body = {"openai": _openai, "claude": _claude, "gemini": _gemini, "ollama": _ollama}[family](say)
    return Answer(200, msgspec.json.encode(body), say.headers)


def _openai(say: Say) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": say.text}
    if say.tool is not None:
        name, arguments = say.tool
        function = {"name": name, "arguments": msgspec.json.encode(arguments).decode()}
        message = {"role": "assistant", "content": None}
        message["tool_calls"] = [{"id": "call_abc", "type": "function", "function": function}]
    usage = {
        "prompt_tokens": say.input_tokens,
        "completion_tokens": say.output_tokens,
        "total_tokens": say.input_tokens + say.output_tokens,
        "prompt_tokens_details": {"cached_tokens": say.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": say.reasoning_tokens},
    }
    if say.cost is not None:
        usage["cost"] = say.cost
    finish = "tool_calls" if say.tool else say.finish
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": "fake-1", "choices": [choice], "usage": usage}


def _claude(say: Say) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": say.text}]
    if say.tool is not None:
        content = [{"type": "tool_use", "id": "toolu_abc", "name": say.tool[0], "input": say.tool[1]}]
    usage = {
        "input_tokens": say.input_tokens - say.cached_tokens,
        "cache_read_input_tokens": say.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": say.output_tokens,
    }
    stop = "tool_use" if say.tool else {"stop": "end_turn", "length": "max_tokens"}[say.finish]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "fake-1",
        "content": content,
        "stop_reason": stop,
        "usage": usage,
    }


def _gemini(say: Say) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": "pensando", "thought": True}, {"text": say.text}]
    if say.tool is not None:
        call = {"name": say.tool[0], "args": say.tool[1]}
        parts = [{"functionCall": call, "thoughtSignature": "c2lnbmVk"}]
    usage = {
        "promptTokenCount": say.input_tokens,
        "candidatesTokenCount": say.output_tokens - say.reasoning_tokens,
        "thoughtsTokenCount": say.reasoning_tokens,
        "cachedContentTokenCount": say.cached_tokens,
    }
    finish = {"stop": "STOP", "length": "MAX_TOKENS"}[say.finish]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake-1"}


def _ollama(say: Say) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": say.text}
    if say.tool is not None:
        call = {"function": {"name": say.tool[0], "arguments": say.tool[1]}}
        message = {"role": "assistant", "content": "", "tool_calls": [call]}
    return {
        "model": "fake-1",
        "created_at": "2026-11-23T00:00:00Z",
        "message": message,
        "done": True,
        "done_reason": say.finish,
        "prompt_eval_count": say.input_tokens,
        "eval_count": say.output_tokens,
    }


def bad(family: Family, fault: Fault) -> Answer:
    """Answer with a fault as this provider would. `cut` and `hang` are the server's to play."""
    match fault:
        case "refusal":
            return Answer(200, msgspec.json.encode(_refusal(family)))
        case "length":
            return good(family, Say(text="Abrimos de lunes a", finish="length"))
        case "empty":
            return good(family, Say(text=""))
        case "malformed":
            return Answer(200, b'{"choices": [{"mess')
        case _:
            status, error, headers = _ERRORS[family][fault]
            return Answer(status, msgspec.json.encode(error), headers)


def _refusal(family: Family) -> dict[str, Any]:
    match family:
        case "openai":
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
            return {"model": "fake-1", "choices": [{"index": 0, "message": message, "finish_reason": "content_filter"}]}
        case "claude":
            usage = {"input_tokens": 10, "output_tokens": 1}
            return {"type": "message", "model": "fake-1", "content": [], "stop_reason": "refusal", "usage": usage}
        case "gemini":
            return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 10}}
        case "ollama":  # it has no refusal of its own; an error of a moderating proxy before it
            return {"error": {"message": "flagged", "code": "content_filter"}}


def _openai_error(message: str, type_: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "code": code, "param": param}}


def _claude_error(type_: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type_, "message": message}, "request_id": "req_1"}


def _gemini_error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


_TYPE = "type.googleapis.com/google.rpc."


def _gemini_quota(quota_id: str, value: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [{"quotaId": quota_id, "quotaValue": value}]}


_GEMINI_RETRY = {"@type": f"{_TYPE}RetryInfo", "retryDelay": "7s"}
_GEMINI_EXCEEDED = "You exceeded your current quota, please check your plan and billing details."
_Errors = dict[Fault, tuple[int, dict[str, Any], dict[str, str]]]

_ERRORS: dict[Family, _Errors] = {
    "openai": {
        "rate": (
            429,
            _openai_error("Rate limit reached for requests", "requests", "rate_limit_exceeded"),
            {"retry-after": "7"},
        ),
        "quota": (
            429,
            _openai_error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
            {"retry-after": "1"},
        ),
        "overload": (503, _openai_error("Overloaded", "server_error", "server_is_overloaded"), {}),
        "server": (500, _openai_error("The server had an error", "server_error", None), {}),
        "auth": (401, _openai_error("Incorrect API key provided", "invalid_request_error", "invalid_api_key"), {}),
        "not_found": (404, _openai_error("The model does not exist", "invalid_request_error", "model_not_found"), {}),
        "context": (
            400,
            _openai_error(
                "This model's maximum context length is 8192 tokens.",
                "invalid_request_error",
                "context_length_exceeded",
                "messages",
            ),
            {},
        ),
        "param": (
            400,
            _openai_error(
                "Unsupported value: 'temperature' does not support 0.2 with this model.",
                "invalid_request_error",
                "unsupported_value",
                "temperature",
            ),
            {},
        ),
        "bad_request": (400, _openai_error("Invalid type for 'messages'.", "invalid_request_error", None), {}),
        "error_in_200": (200, {"error": {"code": 502, "message": "Upstream error"}}, {}),
    },
    "claude": {
        "rate": (429, _claude_error("rate_limit_error", "Too many requests"), {"retry-after": "7"}),
        "quota": (400, _claude_error("invalid_request_error", "You have reached your specified API usage limits."), {}),
        "overload": (529, _claude_error("overloaded_error", "Overloaded"), {}),
        "server": (500, _claude_error("api_error", "Internal server error"), {}),
        "auth": (401, _claude_error("authentication_error", "invalid x-api-key"), {}),
        "not_found": (404, _claude_error("not_found_error", "model: nope"), {}),
        "context": (400, _claude_error("invalid_request_error", "prompt is too long: 9000 tokens > 8000 maximum"), {}),
        "param": (
            400,
            _claude_error("invalid_request_error", "`temperature` is deprecated for this model."),
            {},
        ),
        "bad_request": (400, _claude_error("invalid_request_error", "messages: roles must alternate"), {}),
        "error_in_200": (200, _claude_error("api_error", "Internal server error"), {}),
    },
    "gemini": {
        "rate": (
            429,
            _gemini_error(
                429,
                "RESOURCE_EXHAUSTED",
                _GEMINI_EXCEEDED,
                _gemini_quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "5"),
                _GEMINI_RETRY,
            ),
            {},
        ),
        "quota": (
            429,
            _gemini_error(
                429,
                "RESOURCE_EXHAUSTED",
                _GEMINI_EXCEEDED,
                _gemini_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "20"),
                _GEMINI_RETRY,
            ),
            {},
        ),
        "overload": (503, _gemini_error(503, "UNAVAILABLE", "The model is overloaded."), {}),
        "server": (500, _gemini_error(500, "INTERNAL", "An internal error has occurred."), {}),
        "auth": (
            400,
            _gemini_error(
                400,
                "INVALID_ARGUMENT",
                "API key not valid. Please pass a valid API key.",
                {"@type": f"{_TYPE}ErrorInfo", "reason": "API_KEY_INVALID"},
            ),
            {},
        ),
        "not_found": (404, _gemini_error(404, "NOT_FOUND", "models/nope is not found"), {}),
        "context": (
            400,
            _gemini_error(
                400, "INVALID_ARGUMENT", "The input token count (9000) exceeds the maximum number of tokens allowed"
            ),
            {},
        ),
        "param": (400, _gemini_error(400, "INVALID_ARGUMENT", "temperature is not supported by this model"), {}),
        "bad_request": (400, _gemini_error(400, "INVALID_ARGUMENT", "contents must not be empty"), {}),
        "error_in_200": (200, _gemini_error(500, "INTERNAL", "An internal error has occurred."), {}),
    },
    "ollama": {
        "rate": (429, {"error": "too many requests"}, {"retry-after": "7"}),
        "quota": (402, {"error": "payment required"}, {}),
        "overload": (503, {"error": "server busy, please try again. maximum pending requests exceeded"}, {}),
        "server": (500, {"error": "llama runner process has terminated"}, {}),
        "auth": (401, {"error": "unauthorized"}, {}),
        "not_found": (404, {"error": "model 'nope' not found"}, {}),
        "context": (400, {"error": "the input length exceeds the context length"}, {}),
        "param": (400, {"error": "unsupported value: temperature is not supported"}, {}),
        "bad_request": (400, {"error": "invalid message content"}, {}),
        "error_in_200": (200, {"error": "an error was encountered while running the model"}, {}),
    },
}
