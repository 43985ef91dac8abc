"""A model provider that lives as long as the processes that ask it, in a thread of the test process."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from tests.fakes.model_server import ModelServer


@contextlib.contextmanager
def running_model() -> Iterator[ModelServer]:
    """Serve a model that echoes what was said last, unless its script says otherwise.

    Tests use its script, latency and counters from their own thread: single assignments and deque operations.
    """
    model = ModelServer(echo=True)
    up = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with model.serving():
            up.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="model", daemon=True)
    thread.start()
    assert up.wait(10), "the model did not start"
    try:
        yield model
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def environ(model: ModelServer) -> dict[str, str]:
    """Return the settings that make it the only provider."""
    return {"COMPATIBLE_BASE_URL": f"{model.url}/v1", "COMPATIBLE_MODEL": "fake-1"}
