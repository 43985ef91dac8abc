import pytest

from app.core.jobs import InvalidJob, Job, register


async def run() -> None: ...


def job(
    *, name: str = "work", queue: str = "default", timeout_seconds: int = 60, retries: int = 3, ttl_seconds: int = -1
) -> Job:
    return Job(
        name=name,
        run=run,
        queue=queue,
        timeout_seconds=timeout_seconds,
        retries=retries,
        ttl_seconds=ttl_seconds,
    )


def test_jobs_are_found_by_name() -> None:
    assert list(register([job(name="a"), job(name="b")])) == ["a", "b"]


@pytest.mark.parametrize(
    ("invalid", "reason"),
    [
        (job(timeout_seconds=0), "timeout_seconds"),
        (job(retries=1), "retries"),
        (job(ttl_seconds=-2), "ttl_seconds"),
        (job(queue=""), "queue"),
        (job(name=""), "name"),
    ],
)
def test_a_job_with_a_limit_that_would_lose_it_is_refused(invalid: Job, reason: str) -> None:
    with pytest.raises(InvalidJob, match=reason):
        register([invalid])


def test_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidJob, match="two of that name"):
        register([job(), job()])


@pytest.mark.parametrize("limit", ["queue", "timeout_seconds", "retries", "ttl_seconds"])
def test_no_limit_has_a_default(limit: str) -> None:
    limits = {"queue": "default", "timeout_seconds": 60, "retries": 3, "ttl_seconds": -1}
    del limits[limit]

    with pytest.raises(TypeError, match=limit):
        Job(name="work", run=run, **limits)  # type: ignore[arg-type]
