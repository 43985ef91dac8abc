"""LM Studio on the customer's own machine (https://lmstudio.ai/docs/api)."""

from app.ai.llm import openai_wire
from app.ai.llm.provider import Provider

__all__ = ["PROVIDER"]


def _root(base_url: str | None) -> str:
    return openai_wire.root_of(base_url or "http://127.0.0.1:1234/v1")


PROVIDER = Provider(name="lm_studio", build=openai_wire.build, parse=openai_wire.parse, root=_root, is_local=True)
