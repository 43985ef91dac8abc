"""How a process is asked to stop: SIGTERM or SIGINT, and the time it has from then on (P24)."""

import asyncio
import faulthandler
import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["STOP_SECONDS", "stop_on_signals"]

STOP_SECONDS = 25.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(stop_seconds: float = STOP_SECONDS) -> Iterator[asyncio.Event]:
    """Yield an event that the first SIGTERM or SIGINT sets; from then on the process has `stop_seconds` to end."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def asked() -> None:
        stop.set()
        faulthandler.dump_traceback_later(stop_seconds, exit=True)
        give_back()

    def give_back() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, asked)
    try:
        yield stop
    finally:
        give_back()
        faulthandler.cancel_dump_traceback_later()
