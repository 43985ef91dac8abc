"""What is wrong with this installation, and what to do about it: every examination at once, none of them fatal."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import MostradorError
from app.proof.schemas import Check, CheckStatus, Diagnosis

__all__ = ["Doctor", "Examination", "broken", "fine", "warned"]

_SECONDS: Final = 20.0
_REMEMBERED_SECONDS: Final = 15.0  # some examinations cost the model providers' money
_FAILURES: Final = (MostradorError, OSError, TimeoutError, SQLAlchemyError, RedisError)
_WORST_FIRST: Final[tuple[CheckStatus, ...]] = ("broken", "warning", "ok")

log = structlog.get_logger()


class Examination(msgspec.Struct, frozen=True):
    """A look at one part; it may find several things. `remedy` is for when it cannot be looked at at all."""

    name: str
    look: Callable[[], Awaitable[Sequence[Check]]]
    remedy: str


def fine(name: str, found: str) -> Check:
    return Check(name=name, status="ok", found=found, remedy=None)


def warned(name: str, found: str, remedy: str) -> Check:
    return Check(name=name, status="warning", found=found, remedy=remedy)


def broken(name: str, found: str, remedy: str) -> Check:
    return Check(name=name, status="broken", found=found, remedy=remedy)


class Doctor:
    """Makes all examinations together. What was found is remembered for a few seconds."""

    def __init__(self, examinations: Sequence[Examination], clock: Callable[[], float] = time.monotonic) -> None:
        self._examinations = examinations
        self._clock = clock
        self._examining = asyncio.Lock()
        self._last: tuple[float, Diagnosis] | None = None

    async def examine(self) -> Diagnosis:
        async with self._examining:
            if self._last is None or self._clock() > self._last[0] + _REMEMBERED_SECONDS:
                self._last = (self._clock(), await self._look())
            return self._last[1]

    async def _look(self) -> Diagnosis:
        found = await asyncio.gather(*(_examined(one) for one in self._examinations))
        checks = sorted(
            (check for checks in found for check in checks), key=lambda check: _WORST_FIRST.index(check.status)
        )
        return Diagnosis(
            status=checks[0].status if checks else "ok",
            checked_at=datetime.now(UTC),
            checks=checks,
        )


async def _examined(one: Examination) -> Sequence[Check]:
    try:
        async with asyncio.timeout(_SECONDS):
            return await one.look()
    except _FAILURES as error:
        log.warning("doctor.no_answer", examination=one.name, error=type(error).__name__)
        return [broken(one.name, f"no answer ({type(error).__name__})", one.remedy)]
