"""OpenRouter (https://openrouter.ai/docs/api-reference): many models behind one key; says what each call cost."""

from app.ai.llm import openai_wire
from app.ai.llm.chat import ChatRequest
from app.ai.llm.provider import HttpCall, Provider, Target

__all__ = ["PROVIDER"]


def _build(request: ChatRequest, target: Target) -> HttpCall:
    body = openai_wire.body_of(request, target)
    body["usage"] = {"include": True}
    if request.output is not None:
        # Without this a host that ignores response_format may be chosen.
        body["provider"] = {"require_parameters": True}
    return openai_wire.call(target, body)


def _root(base_url: str | None) -> str:
    return openai_wire.root_of(base_url or "https://openrouter.ai/api/v1")


PROVIDER = Provider(name="openrouter", build=_build, parse=openai_wire.parse, root=_root)
