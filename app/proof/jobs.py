"""Every five minutes, look whether everything is true that must be."""

from app.core.jobs import Job
from app.core.queue.schedule import Schedule
from app.proof.service import CHECK_SECONDS, Prover

CHECK = "check_invariants"

SCHEDULES = (Schedule(name=CHECK, every_seconds=CHECK_SECONDS),)


def jobs(prover: Prover) -> list[Job]:
    return [
        Job(
            name=CHECK,
            run=prover.check,
            queue="maintenance",
            timeout_seconds=240,
            retries=2,
            ttl_seconds=CHECK_SECONDS,
        )
    ]
