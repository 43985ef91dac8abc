"""Every provider there is. A new one is a file beside this and a line here."""

from collections.abc import Mapping

from app.ai.llm.provider import Provider
from app.ai.llm.providers import claude, compatible, gemini, lm_studio, offline, ollama, openai, openrouter, xai

__all__ = ["PROVIDERS"]

PROVIDERS: Mapping[str, Provider] = {
    "gemini": gemini.PROVIDER,
    "openai": openai.PROVIDER,
    "claude": claude.PROVIDER,
    "xai": xai.PROVIDER,
    "openrouter": openrouter.PROVIDER,
    "ollama": ollama.PROVIDER,
    "lm_studio": lm_studio.PROVIDER,
    "compatible": compatible.PROVIDER,
    "offline": offline.PROVIDER,
}
