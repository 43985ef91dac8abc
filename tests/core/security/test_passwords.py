import asyncio
from typing import Literal

import pytest
from argon2 import PasswordHasher

from app.core.errors import Unavailable
from app.core.security.passwords import Passwords


async def test_the_parameters_are_those_of_the_standard() -> None:
    async with Passwords() as passwords:
        assert (await passwords.hash("correct horse")).startswith("$argon2id$v=19$m=47104,t=1,p=1$")


async def test_a_right_password_matches_and_a_wrong_one_does_not() -> None:
    async with Passwords(quick()) as passwords:
        stored = await passwords.hash("correct horse")
        assert (await passwords.verify(stored, "correct horse")).matches
        assert not (await passwords.verify(stored, "Correct horse")).matches


async def test_the_same_password_has_another_hash_each_time() -> None:
    async with Passwords(quick()) as passwords:
        assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_a_hash_of_older_parameters_is_replaced_at_the_next_sign_in() -> None:
    async with Passwords(quick()) as old, Passwords(quick(time_cost=2)) as new:
        stored = await old.hash("correct horse")
        verification = await new.verify(stored, "correct horse")
        assert verification.new_hash is not None
        assert (await new.verify(verification.new_hash, "correct horse")).new_hash is None
        assert (await new.verify(stored, "wrong")).new_hash is None


async def test_nobody_has_no_password_but_costs_the_same_work() -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as inherited
            Counting.verified += 1
            return super().verify(hash, password)

    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    async with Passwords(hasher) as passwords:
        assert not (await passwords.verify(None, "anything")).matches
        assert Counting.verified == 1


async def test_a_damaged_hash_is_an_error_and_not_a_wrong_password() -> None:
    async with Passwords(quick()) as passwords:
        with pytest.raises(ValueError, match="cannot be read"):
            await passwords.verify("not a hash", "anything")


async def test_more_people_than_can_wait_are_asked_to_come_again() -> None:
    async with Passwords(quick()) as passwords:
        results = await asyncio.gather(*(passwords.hash("x") for _ in range(80)), return_exceptions=True)
    assert sum(isinstance(result, Unavailable) for result in results) == 80 - 64


def quick(time_cost: int = 1) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)
