"""Logging: events with fields, in UTC, each carrying the correlation id of the work it belongs to."""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.core.ids import new_id

LogFormat = Literal["console", "json"]

REDACTED = "[redacted]"

# Words that make a field secret or personal when its name is one of them or ends in one (`smtp_password`). Plurals of
# counting words stay visible: `input_tokens` is a number an operator needs.
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|secrets|token|access_token|refresh_token|verify_token|api_key|apikey"
    r"|private_key|fernet_key|authorization|proxy_authorization|cookie|set_cookie|credential|credentials|signature"
    r"|phone|phone_number|wa_id|msisdn|message_text|caption)$"
)
_QUIET_LOGGERS = {
    "saq": logging.WARNING,
    "httpx": logging.WARNING,  # its INFO lines hold whole URLs, and media URLs are bearer secrets
    "httpcore": logging.WARNING,
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "alembic": logging.WARNING,
    "uvicorn.error": logging.WARNING,  # its INFO lines repeat our own start and stop events
}


def configure_logging(*, log_format: LogFormat, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records through one chain to `stream` (default: standard output).

    `level` is a name of the logging module in any case ("info", "WARNING"). Calling it again replaces what it set up.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # loggers made at import time must follow a later configuration
    )
    output = stream or sys.stdout
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared_processors(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(log_format, colors=output.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(least)
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False  # requests are counted by metrics; a line for each would hold addresses and queries


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.UnicodeDecoder(),
        redact,
    ]


def _renderers(log_format: LogFormat, *, colors: bool) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace values whose field name says that they are secret or personal; looks into dictionaries and lists too."""
    del logger, method
    for name, value in event.items():
        if name == "event":
            continue
        if _is_secret(name):
            event[name] = REDACTED
        elif isinstance(value, dict | list | tuple):
            event[name] = _redacted(value)
    return event


def _redacted(value: object) -> object:
    if isinstance(value, dict):
        return {name: REDACTED if _is_secret(str(name)) else _redacted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in value]
    return value


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name.lower().replace("-", "_")) is not None


def current_correlation_id() -> UUID | None:
    """Return the id bound to the work that is running, if any: it is stored beside what the work makes."""
    value = structlog.contextvars.get_contextvars().get("correlation_id")
    return UUID(value) if isinstance(value, str) else None


@contextmanager
def correlation(correlation_id: UUID | None = None) -> Iterator[UUID]:
    """Bind a correlation id (a new one when None) for everything logged and stored inside the block."""
    bound = correlation_id or new_id()
    with structlog.contextvars.bound_contextvars(correlation_id=str(bound)):
        yield bound
