"""How long a refusal takes does not tell whether there is such an account."""

import asyncio
import math
import time
from itertools import groupby

import pytest
from argon2 import PasswordHasher

from app.accounts.errors import WrongCredentials
from app.core.db import Database
from app.core.security.cipher import Cipher
from app.core.security.passwords import Passwords
from tests.features.accounts.conftest import Desk

TRIES = 200


def same_distribution(one: list[float], other: list[float]) -> float:
    """Return p of the two-sided Mann-Whitney U test, by the normal approximation with its correction for ties."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    rank_sum, ties, position = 0.0, 0.0, 0
    for _, group in groupby(ranked, key=lambda pair: pair[0]):
        members = list(group)
        rank = position + (len(members) + 1) / 2
        rank_sum += rank * sum(which == 0 for _, which in members)
        ties += len(members) ** 3 - len(members)
        position += len(members)
    n, m = len(one), len(other)
    u = rank_sum - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))


def test_the_comparison_finds_a_difference_and_no_difference() -> None:
    steady = [float(n) for n in range(TRIES)]
    assert same_distribution(steady, [value + 0.5 for value in steady]) > 0.5
    assert same_distribution(steady, [value + 100 for value in steady]) < 0.001


async def test_unknown_names_are_refused_as_slowly_as_wrong_passwords(database: Database, cipher: Cipher) -> None:
    """Every name is tried once, in turns, so that neither the pauses nor what the machine does meanwhile tell."""
    if database.dialect == "postgresql":
        pytest.skip("hashing is what takes the time; it is the same over both")
    async with Passwords(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)) as passwords:
        desk = Desk(database, passwords, cipher)
        names = [f"name{number}" for number in range(TRIES)]
        for name in names:
            await desk.add(name)
        await refusal_seconds(desk, "nobody at first")  # makes the decoy
        known: list[float] = []
        unknown: list[float] = []
        for number, name in enumerate(names):
            tries = [(known, name), (unknown, f"no{name}")]
            for seconds, username in tries if number % 2 else reversed(tries):
                seconds.append(await refusal_seconds(desk, username))
    assert same_distribution(known, unknown) > 0.01 or median(known) == pytest.approx(median(unknown), rel=0.02)


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


async def refusal_seconds(desk: Desk, username: str) -> float:
    await asyncio.sleep(0)
    started_at = time.perf_counter()
    with pytest.raises(WrongCredentials):
        await desk.sign_in(username, "wrong")
    return time.perf_counter() - started_at
