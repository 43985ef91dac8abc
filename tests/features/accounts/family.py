"""A session beside a model of it: both are brought the same tokens, and must answer alike."""

import tempfile

from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from app.accounts.errors import InvalidRefreshToken
from app.accounts.sessions import GRACE_SECONDS
from app.accounts.trail import NOBODY
from app.audit.keys import sealed_by
from app.core.db import Database, metadata
from app.core.security.cipher import Cipher
from app.core.security.passwords import Passwords
from tests.features.accounts.conftest import Desk

NONCE, ANOTHER = "the nonce of this client", "the nonce of another one"


async def follow(steps: list[str]) -> None:
    """Bring the tokens that `steps` name to a new session, and compare each answer with the model's."""
    cipher = Cipher([Fernet.generate_key().decode()])
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Database(f"sqlite:///{folder}/test.db", options=sealed_by(cipher)) as database,
            Passwords(hasher) as passwords,
        ):
            async with database.write() as connection:
                await connection.run_sync(metadata.create_all)
            desk = Desk(database, passwords, cipher)
            await desk.add("ana")
            await Family(desk, (await desk.sign_in()).refresh_token).follow(steps)


class Family:
    """The model: the chain of tokens, when and for which nonce each was replaced, and whether the session has ended."""

    def __init__(self, desk: Desk, token: str) -> None:
        self.desk = desk
        self.chain = [token]
        self.nonces: list[str] = []
        self.replaced_seconds_ago: list[float] = []
        self.ended = False

    async def follow(self, steps: list[str]) -> None:
        for step in steps:
            match step:
                case "newest":
                    await self._bring(len(self.chain) - 1, NONCE)
                case "previous":
                    await self._bring(max(0, len(self.chain) - 2), NONCE)
                case "previous of another":
                    await self._bring(max(0, len(self.chain) - 2), ANOTHER)
                case "oldest":
                    await self._bring(0, NONCE)
                case "soon":
                    await self._wait(1)
                case "later":
                    await self._wait(GRACE_SECONDS + 1)

    async def _bring(self, place: int, nonce: str) -> None:
        is_newest = place == len(self.chain) - 1
        graced = not is_newest and nonce == self.nonces[place] and self.replaced_seconds_ago[place] < GRACE_SECONDS
        allowed = not self.ended and (is_newest or graced)
        try:
            answer = await self.desk.sessions.refresh(self.chain[place], nonce, "token", NOBODY)
        except InvalidRefreshToken:
            assert not allowed
            self.ended = True
            return
        assert allowed
        if is_newest:
            assert answer.refresh_token not in self.chain
            self.chain.append(answer.refresh_token)
            self.nonces.append(nonce)
            self.replaced_seconds_ago.append(0.0)
        assert answer.refresh_token == self.chain[place + 1]

    async def _wait(self, seconds: float) -> None:
        await self.desk.time_passes(seconds)
        self.replaced_seconds_ago = [past + seconds for past in self.replaced_seconds_ago]
