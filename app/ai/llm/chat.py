"""A conversation with a model, in nobody's wire format: what is asked, what comes back, what it used."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from app.ai.knowledge.passages import Passage

__all__ = [
    "AssistantMessage",
    "ChatReply",
    "ChatRequest",
    "Grounding",
    "Image",
    "JsonOutput",
    "Message",
    "Text",
    "ToolCall",
    "ToolMessage",
    "ToolSpec",
    "Usage",
    "UserMessage",
    "json_schema",
    "without_thoughts",
]

Finish = Literal["stop", "length", "tool_calls", "refusal"]
Priority = Literal["reply", "background"]


class Text(msgspec.Struct, frozen=True, tag="text"):
    text: str


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture as its bytes. `media_type` is one of image/jpeg, image/png, image/gif and image/webp."""

    media_type: str
    data: bytes


class ToolCall(msgspec.Struct, frozen=True):
    """The model asks us to run a tool. `arguments` is the text of a JSON object.

    `signature` is an opaque token that Gemini wants back with the call; other providers never see it.
    """

    id: str
    name: str
    arguments: str
    signature: str | None = None


class UserMessage(msgspec.Struct, frozen=True, tag="user"):
    parts: tuple[Text | Image, ...]

    @classmethod
    def of(cls, text: str) -> "UserMessage":
        return cls((Text(text),))

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


class AssistantMessage(msgspec.Struct, frozen=True, tag="assistant"):
    text: str
    tool_calls: tuple[ToolCall, ...] = ()


class ToolMessage(msgspec.Struct, frozen=True, tag="tool"):
    """What the tool answered to the call `call_id`, as text (usually JSON)."""

    call_id: str
    name: str
    content: str


Message = UserMessage | AssistantMessage | ToolMessage


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool the model may call. `parameters` is a JSON Schema of an object, see `json_schema`."""

    name: str
    description: str
    parameters: msgspec.Raw


class JsonOutput(msgspec.Struct, frozen=True):
    """The reply's text must be JSON of this schema. `name` is letters, digits, `_` and `-`."""

    name: str
    schema: msgspec.Raw


class Grounding(msgspec.Struct, frozen=True, kw_only=True):
    """What the business says of itself, for the answerer that has no model. `language` is es, en or pt."""

    passages: tuple[Passage, ...]
    language: str = "es"
    business_name: str = ""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model. The last message is the customer's, or the tool results the model is waiting for.

    `cache_key` groups requests that share their beginning, so that a provider can reuse it. Requests of `background`
    priority leave the last slots of a minute's budget to customers who wait. `grounding` is read by the offline
    answerer only; models get what they need in `system`.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    output: JsonOutput | None = None
    max_output_tokens: int = 1024
    temperature: float | None = None
    cache_key: str | None = None
    priority: Priority = "reply"
    grounding: Grounding | None = None

    @property
    def has_images(self) -> bool:
        return any(
            isinstance(part, Image)
            for message in self.messages
            if isinstance(message, UserMessage)
            for part in message.parts
        )


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call, in the same meaning for every provider.

    `input_tokens` include those read from and written to the provider's prompt cache; `output_tokens` include
    `reasoning_tokens`. `cost_usd` is set only where the provider itself says what the call cost.
    """

    input_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal | None = None


class ChatReply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. `model` is the name the provider gave itself.

    `unanswered` is set by the offline answerer when it said that it does not know: a person should look.
    """

    text: str
    finish: Finish
    model: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    unanswered: bool = False

    def as_message(self) -> AssistantMessage:
        return AssistantMessage(self.text, self.tool_calls)


def json_schema(type_: type[msgspec.Struct]) -> msgspec.Raw:
    """Return the JSON Schema of a struct with the struct itself at the root, as every provider wants it.

    Structs for strict output must forbid unknown fields, which becomes `additionalProperties: false`.
    """
    (root,), components = msgspec.json.schema_components((type_,), ref_template="#/$defs/{name}")
    name = str(root.get("$ref", "")).rpartition("/")[2]
    schema: Mapping[str, Any] = components.pop(name, root)
    if components:
        schema = {**schema, "$defs": components}
    return msgspec.Raw(msgspec.json.encode(schema))


def without_thoughts(text: str) -> str:
    """Drop what open reasoning models write between `<think>` and `</think>` before their answer."""
    if "</think>" in text:
        text = text.rpartition("</think>")[2]
    elif "<think>" in text:
        text = text.partition("<think>")[0]
    return text.strip()
