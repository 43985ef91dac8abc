"""The product's web process without its dispatchers: it stores webhooks, and nobody ingests them.

`python -m tests.bench.bare_door`, with the product's environment. The whole process stands beside it in the table, so
that it can be seen what the door costs and what the work behind it takes from it.
"""

import asyncio

import uvicorn
import uvloop

from app.core.log import configure_logging
from app.core.signals import stop_on_signals
from app.plugins import Parts
from app.serving import _config
from settings import Settings, load


async def _serve(settings: Settings) -> None:
    parts = Parts(settings, "web")
    parts.dispatchers.clear()
    server = uvicorn.Server(_config(settings, parts))
    with stop_on_signals() as stop:
        async with parts.running():
            serving = asyncio.create_task(server._serve())
            await stop.wait()
            server.should_exit = True
            await serving


def main() -> None:
    settings = load()
    configure_logging(log_format=settings.server.log_format, level=settings.server.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


if __name__ == "__main__":
    main()
