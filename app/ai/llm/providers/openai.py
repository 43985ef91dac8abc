"""OpenAI (https://platform.openai.com/docs/api-reference/chat)."""

from app.ai.llm import openai_wire
from app.ai.llm.chat import ChatRequest
from app.ai.llm.provider import HttpCall, Provider, Target

__all__ = ["PROVIDER"]


def _build(request: ChatRequest, target: Target) -> HttpCall:
    # Reasoning models answer 400 to max_tokens, and every current model takes this name.
    body = openai_wire.body_of(request, target, limit_field="max_completion_tokens")
    if request.cache_key is not None:
        body["prompt_cache_key"] = request.cache_key
    return openai_wire.call(target, body)


def _root(base_url: str | None) -> str:
    return openai_wire.root_of(base_url or "https://api.openai.com/v1")


PROVIDER = Provider(name="openai", build=_build, parse=openai_wire.parse, root=_root)
