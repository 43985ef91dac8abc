"""Any server with an OpenAI-shaped chat endpoint: llama.cpp, vLLM, a gateway. Its base URL must be configured."""

from app.ai.llm import openai_wire
from app.ai.llm.provider import Provider

__all__ = ["PROVIDER"]


def _root(base_url: str | None) -> str:
    return openai_wire.root_of(base_url or "http://127.0.0.1:8080/v1")


PROVIDER = Provider(name="compatible", build=openai_wire.build, parse=openai_wire.parse, root=_root)
