"""Making a request fit: into a model's window by leaving out old turns, and across an answer that was cut off."""

import re
from collections.abc import Sequence

import msgspec

from app.ai.llm.chat import AssistantMessage, ChatReply, ChatRequest, Image, Message, ToolMessage, UserMessage

__all__ = ["continued", "ends_a_sentence", "fitted", "shortened", "up_to_last_sentence"]

_CHARACTERS_PER_TOKEN = 3.5  # Spanish; English needs fewer tokens
_IMAGE_TOKENS = 1_500
_SENTENCE_END = re.compile(r"[.!?…。](?=[\"'»”)*_]*(\s|$))")
_CONTINUE = UserMessage.of("Continue exactly where you stopped, without repeating anything.")


def fitted(request: ChatRequest, context_tokens: int) -> ChatRequest | None:
    """Return the request, without its oldest turns if need be, so that it fits; None if even the last turn does not."""
    sizes = [_characters(message) for message in request.messages]
    fixed = len(request.system) + sum(len(tool.parameters) + len(tool.description) for tool in request.tools)
    room = (context_tokens - request.max_output_tokens) * _CHARACTERS_PER_TOKEN - fixed
    total = sum(sizes)
    if total <= room:
        return request
    for start in _starts(request.messages):
        if total - sum(sizes[:start]) <= room:
            return msgspec.structs.replace(request, messages=request.messages[start:])
    return None


def shortened(request: ChatRequest) -> ChatRequest | None:
    """Return the request without about the older half of its history; None if there is none to leave out."""
    middle = (len(request.messages) + 1) // 2
    start = next((start for start in _starts(request.messages) if start >= middle), None)
    if start is None:
        start = next(reversed(_starts(request.messages)), None)
    return None if start is None else msgspec.structs.replace(request, messages=request.messages[start:])


def continued(request: ChatRequest, reply: ChatReply) -> ChatRequest:
    """Return the request that asks for the rest of an answer that was cut off."""
    return msgspec.structs.replace(request, messages=(*request.messages, AssistantMessage(reply.text), _CONTINUE))


def ends_a_sentence(text: str) -> bool:
    found = list(_SENTENCE_END.finditer(text))
    return bool(found) and not re.search(r"\w", text[found[-1].end() :])


def up_to_last_sentence(text: str) -> str:
    """Cut `text` after its last whole sentence; all of it if there is none."""
    found = list(_SENTENCE_END.finditer(text))
    return text[: found[-1].end()] if found else text


def _starts(messages: Sequence[Message]) -> list[int]:
    """Return where a shorter history may begin: at the customer's later turns, so that no tool result is orphaned."""
    return [number for number, message in enumerate(messages) if number > 0 and isinstance(message, UserMessage)]


def _characters(message: Message) -> int:
    match message:
        case UserMessage(parts=parts):
            images = sum(isinstance(part, Image) for part in parts)
            return len(message.text) + int(images * _IMAGE_TOKENS * _CHARACTERS_PER_TOKEN)
        case AssistantMessage(text=text, tool_calls=calls):
            return len(text) + sum(len(call.arguments) for call in calls)
        case ToolMessage(content=content):
            return len(content)
