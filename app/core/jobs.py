"""What a job is: a named function with ids as arguments, and limits that are always written down.

Jobs run on SAQ, whose defaults (10 s, no retry) are wrong for us, so a job without explicit limits cannot be made. A
lost, doubled, late or reordered job must be harmless: it asks the database what is due.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

import msgspec

__all__ = ["InvalidJob", "Job", "JobStarter", "register"]

JobArgument = str | int

_FEWEST_ATTEMPTS = 2  # SAQ never runs a job with one attempt again after its worker was killed


class InvalidJob(Exception):
    """A job's definition cannot work; the message says why."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job and its limits.

    - `run(**arguments)` takes ids only and is idempotent. It must end well within `timeout_seconds`.
    - `queue` names the concern: a slow one must not delay another.
    - `retries` counts all attempts; `retry_delay_seconds` doubles with each, up to five minutes, with jitter.
    - `ttl_seconds` is how long SAQ remembers the finished job: 0 for ever, -1 not at all. Only traces, never truth.
    """

    name: str
    run: Callable[..., Awaitable[None]]
    queue: str
    timeout_seconds: int
    retries: int
    ttl_seconds: int
    retry_delay_seconds: float = 1.0


class JobStarter(Protocol):
    """Starts jobs by name. Not for use inside a request: record an event, whose reaction starts the job."""

    async def enqueue(
        self, name: str, /, *, key: str | None = None, delay_seconds: float = 0, **arguments: JobArgument
    ) -> bool:
        """Start the job after `delay_seconds`; return False when one with the same key already waits or runs.

        Raises `QueueUnavailable` when the broker does not answer.
        """


def register(jobs: Iterable[Job]) -> Mapping[str, Job]:
    """Return the jobs by name. Raises `InvalidJob` for a doubled name or a limit that would lose the job."""
    registry: dict[str, Job] = {}
    for job in jobs:
        if reason := _fault(job, registry):
            raise InvalidJob(f"job {job.name!r}: {reason}")
        registry[job.name] = job
    return registry


def _fault(job: Job, registry: Mapping[str, Job]) -> str | None:
    if not job.name or not job.queue:
        return "name and queue must be given"
    if job.name in registry:
        return "there are two of that name"
    if job.timeout_seconds <= 0:
        return "timeout_seconds must be positive: without one, the job of a killed worker is never run again"
    if job.retries < _FEWEST_ATTEMPTS:
        return f"retries must be {_FEWEST_ATTEMPTS} or more: with one attempt, the job of a killed worker is lost"
    if job.ttl_seconds < -1:
        return "ttl_seconds must be -1, 0 or positive"
    return None
