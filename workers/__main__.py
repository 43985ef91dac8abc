"""`python -m workers web | jobs | scheduler | whatsapp-web`: every process that Mostrador can be made of."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import structlog

from app.core.log import configure_logging
from settings import BadSettings, Settings, load
from workers import browsers, jobs, lifecycle, schedule

__all__ = ["main"]

Process = Literal["jobs", "scheduler", "whatsapp-web"]

PROCESSES: dict[Process, Callable[[Any, asyncio.Event], Awaitable[None]]] = {
    "jobs": jobs.run,
    "scheduler": schedule.run,
    "whatsapp-web": browsers.run,
}
NO_REDIS = (
    "Without REDIS_URL the web process does this work itself. To run worker processes, set REDIS_URL and DATABASE_URL."
)

_log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the process named by the arguments until a signal stops it; return its exit status.

    0 after a stop that was asked for, 2 for arguments, settings or a process that cannot be used. `environ` stands for
    this process's environment.
    """
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("process", choices=["web", *PROCESSES])
    process: Process | Literal["web"] = parser.parse_args(arguments).process
    try:
        settings = load(environ)
    except BadSettings as error:
        return _refuse(str(error))
    if process == "web":
        return _serve(settings)
    if settings.storage.redis_url is None:
        return _refuse(NO_REDIS)
    _run(process, settings)
    return 0


def _serve(settings: Settings) -> int:
    """Serve, with the browsers of linked phones inside where there are no other processes."""
    from app.core.errors import MostradorError
    from app.serving import serve

    for warning in settings.warnings:
        print(f"Warning: {warning}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
    try:
        serve(settings, beside=browsers.beside)
    except MostradorError as error:
        return _refuse(str(error))
    return 0


def _run(process: Process, settings: Settings) -> None:
    from app.plugins import open_parts

    configure_logging(log_format=settings.server.log_format, level=settings.server.log_level)
    for warning in settings.warnings:
        _log.warning("settings.warning", warning=warning)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(lifecycle.live(process, partial(open_parts, settings, process), PROCESSES[process]))


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)  # noqa: T201 - for the person at the terminal
    return 2


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop where it exists, which is everywhere but on Windows."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
