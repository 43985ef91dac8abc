"""The web server: where it listens, what it calls itself, how it logs."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from settings.env import Reader, Secret, is_unencrypted, split_url
from settings.strength import RANDOM_HEX_COMMAND, secret_weakness

__all__ = ["Environment", "LogFormat", "LogLevel", "ServerSettings", "read"]

Environment = Literal["development", "production"]
LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ANY_ADDRESS: Final = {"0.0.0.0", "::"}  # noqa: S104  # recognised, not bound to
_METRICS_TOKEN_BYTES: Final = 16
_PANEL_DIR: Final = Path(__file__).parents[1] / "frontend" / "dist"  # where `make ui` puts it


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """`public_url` and `cors_origins` have no slash at their end.

    `allowed_hosts` are names this server answers for beside that of `public_url`. `trusted_proxies` are the addresses
    and networks whose X-Forwarded-For is believed. Without a `metrics_token`, metrics are for this machine alone.
    `panel_dir` holds the built panel.
    """

    host: str
    port: int
    environment: Environment
    public_url: str
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    log_format: LogFormat
    log_level: LogLevel
    metrics_token: Secret | None
    panel_dir: Path

    @property
    def is_production(self) -> bool:
        return self.environment == "production"


def read(reader: Reader) -> ServerSettings:
    environment: Environment = reader.choice("APP_ENV", "development", get_args(Environment))
    host = _host(reader)
    port = reader.whole_number("PORT", 8003, minimum=1, maximum=65535)
    production = environment == "production"
    return ServerSettings(
        host=host,
        port=port,
        environment=environment,
        public_url=_public_url(reader, host, port, production=production),
        allowed_hosts=_allowed_hosts(reader),
        cors_origins=_cors_origins(reader),
        trusted_proxies=_trusted_proxies(reader),
        log_format=reader.choice("LOG_FORMAT", "json" if production else "console", get_args(LogFormat)),
        log_level=reader.choice("LOG_LEVEL", "info", get_args(LogLevel)),
        metrics_token=_metrics_token(reader, production=production),
        panel_dir=Path(reader.text("PANEL_DIR", str(_PANEL_DIR))),
    )


def _host(reader: Reader) -> str:
    host = reader.text("HOST", "127.0.0.1")
    if not _is_address(host) and not _HOST.fullmatch(host):
        reader.problem(
            "HOST", f'"{host}" is neither an address nor a host name', "write one such as 127.0.0.1 or 0.0.0.0"
        )
    return host


def _public_url(reader: Reader, host: str, port: int, *, production: bool) -> str:
    # A server that listens everywhere is reached on this machine by its loopback address.
    reachable = "127.0.0.1" if host in _ANY_ADDRESS else host
    default = f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
    given = reader.url("PUBLIC_URL", None)
    if given is None:
        return default
    if production and is_unencrypted(given):
        reader.problem(
            "PUBLIC_URL",
            f"{given} is not encrypted, and sign-in cookies and webhooks need HTTPS",
            "write the https:// address that your proxy serves",
        )
    return given


def _allowed_hosts(reader: Reader) -> tuple[str, ...]:
    hosts = reader.texts("ALLOWED_HOSTS")
    for host in hosts:
        if not _HOST.fullmatch(host) and not (host.startswith("[") and _is_address(host.strip("[]"))):
            reader.problem(
                "ALLOWED_HOSTS",
                f'"{host}" is not a host name',
                "write names without a scheme, a port or *, separated by commas, such as desk.example.com",
            )
    return hosts


def _cors_origins(reader: Reader) -> tuple[str, ...]:
    origins = reader.texts("CORS_ORIGINS")
    for origin in origins:
        parts = split_url(origin)
        if (
            parts is None
            or parts.scheme not in {"http", "https"}
            or not parts.hostname
            or "*" in origin
            or origin != f"{parts.scheme}://{parts.netloc}"
            or "@" in parts.netloc
        ):
            reader.problem(
                "CORS_ORIGINS",
                f'"{origin}" is not an origin',
                "write exact ones, separated by commas and without a path or *, such as https://panel.example.com",
            )
    return origins


def _trusted_proxies(reader: Reader) -> tuple[str, ...]:
    proxies = reader.texts("TRUSTED_PROXIES")
    for proxy in proxies:
        # A network of everybody would let any client choose its own address.
        if not _is_network(proxy):
            reader.problem(
                "TRUSTED_PROXIES",
                f'"{proxy}" is neither an address nor a network',
                "write those of your own proxy, separated by commas, such as 127.0.0.1 or 172.18.0.0/16",
            )
    return proxies or ("127.0.0.1",)


def _metrics_token(reader: Reader, *, production: bool) -> Secret | None:
    token = reader.secret("METRICS_TOKEN")
    weakness = secret_weakness(token.reveal(), minimum_bytes=_METRICS_TOKEN_BYTES) if token and production else None
    if weakness:
        reader.problem("METRICS_TOKEN", weakness, f"write the output of: {RANDOM_HEX_COMMAND}")
    return token


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return network.prefixlen > 0
