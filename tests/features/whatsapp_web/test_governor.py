from datetime import UTC, datetime, timedelta

import pytest

from app.whatsapp.web.governor import Facts, Go, Later, Never, WebPolicy, govern, is_quiet

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
POLICY = WebPolicy()
CALM = {
    "free_at": None,
    "started_in_minute": 0,
    "oldest_of_minute": None,
    "wrote_first": True,
    "new_chats_today": 0,
    "unanswered": 0,
}


def facts(**given: object) -> Facts:
    return Facts(**{**CALM, **given})  # type: ignore[arg-type]  # each test says what matters


def ruled(
    policy: WebPolicy = POLICY, *, at: datetime = NOW, characters: int = 10, chance: float = 0.5, **given: object
) -> object:
    return govern(policy, facts(**given), at, characters=characters, chance=chance)


def test_whoever_wrote_first_is_answered_at_once_after_some_typing() -> None:
    assert ruled(characters=100) == Go(NOW, 4.5)


def test_a_long_answer_is_not_typed_for_ever() -> None:
    assert ruled(characters=4000) == Go(NOW, POLICY.most_typing_seconds)


def test_a_person_who_never_wrote_is_not_written_to() -> None:
    assert ruled(wrote_first=False) == Never("cold")


def test_the_cold_lane_has_a_daily_end() -> None:
    policy = WebPolicy(new_chats_per_day=3)

    assert isinstance(ruled(policy, wrote_first=False, new_chats_today=2), Go)
    assert ruled(policy, wrote_first=False, new_chats_today=3) == Never("cold_today")


@pytest.mark.parametrize(("chance", "gap"), [(0.0, 1.5), (1.0, 3.0)])
def test_there_is_a_pause_between_two_messages_and_chance_makes_it_uneven(chance: float, gap: float) -> None:
    free_at = NOW + timedelta(seconds=0.5)

    assert ruled(free_at=free_at, chance=chance) == Go(free_at + timedelta(seconds=gap), 0.45)


def test_a_phone_that_is_busy_for_long_is_asked_again_later() -> None:
    assert ruled(free_at=NOW + timedelta(seconds=10), chance=0) == Later(11.5, "pace")


def test_no_more_than_so_many_a_minute() -> None:
    began = NOW - timedelta(seconds=20)

    assert ruled(started_in_minute=20, oldest_of_minute=began) == Later(40, "pace")
    assert isinstance(ruled(started_in_minute=19, oldest_of_minute=began), Go)


def test_who_does_not_answer_is_left_alone_until_they_write() -> None:
    assert isinstance(ruled(unanswered=5), Go)
    assert ruled(unanswered=6) == Later(3600, "unanswered")


NIGHT = WebPolicy(quiet_from="22:00", quiet_until="08:00", timezone="America/Bogota")


@pytest.mark.parametrize(
    ("utc", "seconds"),
    [("02:59:00", 0), ("03:00:00", 10 * 3600), ("12:59:30", 30), ("13:00:00", 0), ("20:00:00", 0)],
)
def test_quiet_hours_are_those_of_the_business_and_may_span_midnight(utc: str, seconds: float) -> None:
    at = datetime.fromisoformat(f"2026-11-28T{utc}+00:00")

    assert is_quiet(NIGHT, at) == seconds
    assert isinstance(ruled(NIGHT, at=at), Later if seconds else Go)


def test_quiet_hours_within_a_day() -> None:
    siesta = WebPolicy(quiet_from="13:00", quiet_until="15:00")

    assert is_quiet(siesta, NOW) == 0
    assert is_quiet(siesta, NOW + timedelta(hours=2)) == 3600
    assert is_quiet(siesta, NOW + timedelta(hours=3)) == 0
