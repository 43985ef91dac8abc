"""Language models: which providers are configured, and in which order they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from settings.env import Reader, Secret, is_unencrypted, split_url

__all__ = ["CLOUD_PROVIDERS", "LOCAL_PROVIDERS", "PROVIDERS", "AiSettings", "ProviderSettings", "read"]

CLOUD_PROVIDERS: Final = ("gemini", "openai", "claude", "xai", "openrouter")
LOCAL_PROVIDERS: Final = ("ollama", "lm_studio", "compatible")
PROVIDERS: Final = CLOUD_PROVIDERS + LOCAL_PROVIDERS

# Where Ollama and LM Studio listen on the machine of whoever tries this out.
_USUAL_LOCAL_SERVERS: Final = ("http://127.0.0.1:11434", "http://127.0.0.1:1234")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderSettings:
    """What is set for one provider; None leaves the choice to the provider's own default."""

    api_key: Secret | None = None
    model: str | None = None
    base_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AiSettings:
    """`providers` holds the configured ones only, and `fallback_order` names those of them that are asked, in order.

    `local_servers` are addresses in our own network (scheme, host, port) that providers added in the panel may use.
    """

    fallback_order: tuple[str, ...]
    providers: Mapping[str, ProviderSettings]
    local_servers: tuple[str, ...] = ()


def read(reader: Reader, *, production: bool) -> AiSettings:
    given = {name: _provider(reader, name) for name in PROVIDERS}
    configured = {name: provider for name, provider in given.items() if _is_configured(name, provider)}
    order = _fallback_order(reader)
    for name in configured:
        if name not in order:
            reader.warn(f"AI_FALLBACK_ORDER does not name {name}, so that it is configured but never asked")
    return AiSettings(
        fallback_order=tuple(name for name in order if name in configured),
        providers=MappingProxyType(configured),
        local_servers=_local_servers(reader, production=production),
    )


def _provider(reader: Reader, name: str) -> ProviderSettings:
    prefix = name.upper()
    provider = ProviderSettings(
        api_key=reader.secret(f"{prefix}_API_KEY"),
        model=reader.text(f"{prefix}_MODEL", None),
        base_url=reader.url(f"{prefix}_BASE_URL", None),
    )
    if name in CLOUD_PROVIDERS and provider.base_url is not None and is_unencrypted(provider.base_url):
        reader.problem(f"{prefix}_BASE_URL", "would send the API key unencrypted", "write an https:// address")
    if name == "compatible" and provider.base_url is None and (provider.api_key or provider.model):
        reader.problem("COMPATIBLE_BASE_URL", "is not set, but COMPATIBLE_API_KEY or COMPATIBLE_MODEL is", "set it too")
    if name == "compatible" and provider.base_url is not None and provider.model is None:
        reader.problem("COMPATIBLE_MODEL", "is not set, but COMPATIBLE_BASE_URL is", "set it too")
    return provider


def _is_configured(name: str, provider: ProviderSettings) -> bool:
    if name in CLOUD_PROVIDERS:
        return provider.api_key is not None
    return provider.base_url is not None or provider.model is not None


def _fallback_order(reader: Reader) -> tuple[str, ...]:
    given = tuple(name.lower() for name in reader.texts("AI_FALLBACK_ORDER"))
    for name in dict.fromkeys(given):
        if name not in PROVIDERS:
            reader.problem("AI_FALLBACK_ORDER", f'"{name}" is not a provider', f"write some of {','.join(PROVIDERS)}")
    return tuple(dict.fromkeys(given)) or PROVIDERS


def _local_servers(reader: Reader, *, production: bool) -> tuple[str, ...]:
    given = reader.texts("AI_LOCAL_SERVERS")
    for address in given:
        parts = split_url(address)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            reader.problem(
                "AI_LOCAL_SERVERS",
                "holds something that is not an address of a server",
                f"write addresses such as {_USUAL_LOCAL_SERVERS[0]}, separated by commas",
            )
    return given or (() if production else _USUAL_LOCAL_SERVERS)
