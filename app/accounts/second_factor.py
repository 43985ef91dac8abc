"""The second factor: an authenticator (TOTP), and recovery codes for when it is lost."""

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.errors import SecondFactorState, WrongSecondFactor
from app.accounts.queries import (
    change_user,
    has_second_factor,
    replace_recovery_codes,
    use_recovery_code,
    use_step,
    user_by_id,
)
from app.accounts.schemas import RecoveryCodes, SecondFactorBegun, User
from app.accounts.trail import Caller, note
from app.core.db import Database
from app.core.security import totp
from app.core.security.actor import Actor
from app.core.security.cipher import Cipher

log = structlog.get_logger()


class SecondFactor:
    """Begins, confirms, checks and ends a person's second factor. Their password is the caller's to ask for."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def begin(self, actor: Actor, caller: Caller) -> SecondFactorBegun:
        """Make a secret for an authenticator; it counts once a code of it has come back.

        Raises `SecondFactorState` when there is one in use.
        """
        secret = totp.new_secret()
        async with self._database.write() as connection:
            user = await self._locked(connection, actor)
            if has_second_factor(user):
                raise SecondFactorState("there is a second factor already: end it before you begin another one")
            changes = {"totp_secret": self._cipher.encrypt(secret), "totp_last_step": None}
            await change_user(connection, user.id, changes)
            await note(connection, "second_factor_begun", target_id=user.id, actor=actor, caller=caller)
        return SecondFactorBegun(
            secret=totp.secret_text(secret), uri=totp.provisioning_uri(secret, username=actor.username)
        )

    async def confirm(self, actor: Actor, code: str, caller: Caller) -> RecoveryCodes:
        """Turn the second factor on with a first code, and return the recovery codes.

        Raises `SecondFactorState` and `WrongSecondFactor`.
        """
        codes = totp.new_recovery_codes()
        async with self._database.write() as connection:
            user = await self._locked(connection, actor)
            if user.totp_secret is None or has_second_factor(user):
                raise SecondFactorState("begin the second factor first")
            if not await self._accepts_code(connection, user, code):
                raise WrongSecondFactor
            now = await self._database.now(connection)
            await change_user(connection, user.id, {"totp_confirmed_at": now})
            await replace_recovery_codes(connection, user.id, [totp.recovery_hash(one) for one in codes])
            await note(connection, "second_factor_enabled", target_id=user.id, actor=actor, caller=caller)
        log.info("accounts.second_factor_enabled", user_id=str(actor.user_id))
        return RecoveryCodes(recovery_codes=codes)

    async def disable(self, actor: Actor, caller: Caller) -> None:
        """Turn a person's own second factor off. Without one, nothing changes."""
        async with self._database.write() as connection:
            user = await self._locked(connection, actor)
            await remove_second_factor(connection, user)
            await note(connection, "second_factor_disabled", target_id=user.id, actor=actor, caller=caller)
        log.info("accounts.second_factor_disabled", user_id=str(actor.user_id))

    async def accepts(self, connection: AsyncConnection, user: User, code: str) -> bool:
        """Tell whether the code is the authenticator's or a recovery code, and use it up.

        Raises `Undecryptable`.
        """
        if len(code) == totp.DIGITS and code.isdecimal():
            return await self._accepts_code(connection, user, code)
        return await use_recovery_code(connection, user.id, totp.recovery_hash(code))

    async def _accepts_code(self, connection: AsyncConnection, user: User, code: str) -> bool:
        if user.totp_secret is None:
            return False
        step = totp.matching_step(
            self._cipher.decrypt(user.totp_secret),
            code,
            now=await self._database.now(connection),
            after_step=user.totp_last_step,
        )
        return step is not None and await use_step(connection, user.id, step)

    async def _locked(self, connection: AsyncConnection, actor: Actor) -> User:
        user = await user_by_id(connection, actor.user_id, lock=True)
        if user is None:
            raise SecondFactorState("this account is no longer there")
        return user


async def remove_second_factor(connection: AsyncConnection, user: User) -> None:
    """Forget a person's secret and recovery codes."""
    await change_user(connection, user.id, {"totp_secret": None, "totp_confirmed_at": None, "totp_last_step": None})
    await replace_recovery_codes(connection, user.id, [])
