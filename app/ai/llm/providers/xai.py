"""xAI's Grok (https://docs.x.ai/docs/api-reference)."""

from app.ai.llm import openai_wire
from app.ai.llm.provider import Provider

__all__ = ["PROVIDER"]


def _root(base_url: str | None) -> str:
    return openai_wire.root_of(base_url or "https://api.x.ai/v1")


PROVIDER = Provider(name="xai", build=openai_wire.build, parse=openai_wire.parse, root=_root)
