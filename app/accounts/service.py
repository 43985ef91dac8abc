"""People coming in: sign-in with one factor or two, their own password, the first admin."""

import re
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.errors import (
    AccountDisabled,
    SecondFactorRequired,
    UsernameTaken,
    WrongCredentials,
    WrongSecondFactor,
)
from app.accounts.models import sessions
from app.accounts.queries import (
    anybody_there,
    change_user,
    has_second_factor,
    insert_user,
    person,
    replace_password_hash,
    user_by_id,
    user_by_name,
)
from app.accounts.schemas import Credentials, Me, Person, User
from app.accounts.second_factor import SecondFactor
from app.accounts.sessions import Issued, Sessions, end_sessions
from app.accounts.throttle import SignInThrottle, Try
from app.accounts.trail import NOBODY, Caller, note
from app.core.db import Database
from app.core.errors import InvalidInput, MostradorError, Unavailable
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor
from app.core.security.password_rules import check_new_password
from app.core.security.passwords import Passwords, Verification
from app.core.security.permissions import PERMISSIONS, Role

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")

log = structlog.get_logger()


class Accounts:
    """Sign-in, and what people do with their own account."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        sessions: Sessions,
        second_factor: SecondFactor,
        metrics: Metrics,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._second_factor = second_factor
        self._metrics = metrics
        self._throttle = SignInThrottle(database)

    async def sign_in(self, credentials: Credentials, caller: Caller = NOBODY) -> Issued:
        """Check the password, and the code of whoever has a second factor, and open a session.

        Raises `WrongCredentials`, `SecondFactorRequired`, `WrongSecondFactor`, `TooManyRequests` (five failures an
        account), `Unavailable`.
        """
        name = normal_username(credentials.username)
        given = await self._throttle.begin(name)
        try:
            user, verification = await self._verify(name, credentials.password)
        except Unavailable:
            async with self._database.write() as connection:
                await self._throttle.withdraw(connection, given)
            raise
        async with self._database.write() as connection:
            answer = await self._admit(connection, user, verification, credentials, given, caller)
        if isinstance(answer, Issued):
            log.info("accounts.signed_in", user_id=str(answer.user.id), session_id=str(answer.session_id))
            return answer
        if not isinstance(answer, SecondFactorRequired):
            self._metrics.auth_failures.labels("password").inc()
            log.warning("accounts.sign_in_refused", reason=answer.code)
        raise answer

    async def me(self, actor: Actor) -> Me:
        """Return the person who acts, as stored now, and what they may do.

        Raises `AccountDisabled`.
        """
        async with self._database.read() as connection:
            user = await user_by_id(connection, actor.user_id)
        if user is None or user.disabled_at is not None:
            raise AccountDisabled("this account may no longer come in")
        return Me(
            user=person(user),
            session_id=actor.session_id,
            permissions=[permission for permission in PERMISSIONS if actor.may(permission)],
        )

    async def change_password(self, actor: Actor, *, current: str, new: str, caller: Caller) -> None:
        """Replace a person's own password and end their other sessions.

        Raises `WeakPassword`, `WrongCredentials`, `TooManyRequests`.
        """
        check_new_password(new, username=actor.username)
        user = await self.prove(actor, current, caller)
        new_hash = await self._passwords.hash(new)
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            await change_user(connection, user.id, {"password_hash": new_hash})
            others = (sessions.c.user_id == user.id) & (sessions.c.id != actor.session_id)
            ended = await end_sessions(connection, others, "password_changed", now=now)
            await note(
                connection,
                "password_changed",
                target_id=user.id,
                actor=actor,
                caller=caller,
                after={"sessions_ended": len(ended)},
            )
        self._sessions.changed()
        log.info("accounts.password_changed", user_id=str(user.id))

    async def prove(self, actor: Actor, password: str, caller: Caller) -> User:
        """Return the person if the password is theirs; wrong ones count as failed sign-ins do.

        Raises `WrongCredentials` and `TooManyRequests`.
        """
        given = await self._throttle.begin(actor.username)
        user, verification = await self._verify(actor.username, password)
        proved = user is not None and verification.matches and user.id == actor.user_id
        async with self._database.write() as connection:
            if proved:
                await self._throttle.forget(connection, actor.username)
            else:
                await note(
                    connection,
                    "locked_out" if given.closes else "proof_refused",
                    target_id=actor.user_id,
                    actor=actor,
                    caller=caller,
                    outcome="refused",
                )
        if user is None or not proved:
            raise WrongCredentials
        return user

    async def _verify(self, name: str, password: str) -> tuple[User | None, Verification]:
        """Look at the password. No transaction is open meanwhile, and somebody unknown takes as long."""
        async with self._database.read() as connection:
            user = await user_by_name(connection, name)
        return user, await self._passwords.verify(user.password_hash if user else None, password)

    async def _admit(
        self,
        connection: AsyncConnection,
        user: User | None,
        verification: Verification,
        credentials: Credentials,
        given: Try,
        caller: Caller,
    ) -> Issued | MostradorError:
        """Open a session, or return why not. What was read before is read again: it may have changed meanwhile."""
        # Asked for somebody unknown as well: every step that only known names take could be heard by its time.
        now_user = await user_by_id(connection, user.id if user is not None else new_id(), lock=True)
        if now_user is None or not verification.matches or now_user.disabled_at is not None or user is None:
            return await self._refuse(connection, user, given, caller, WrongCredentials())
        if now_user.password_hash != user.password_hash:
            return await self._refuse(connection, user, given, caller, WrongCredentials())
        if has_second_factor(now_user):
            if credentials.code is None:
                await self._throttle.withdraw(connection, given)
                return SecondFactorRequired()
            if not await self._second_factor.accepts(connection, now_user, credentials.code):
                return await self._refuse(connection, user, given, caller, WrongSecondFactor())
        if verification.new_hash is not None:
            await replace_password_hash(connection, user.id, old=user.password_hash, new=verification.new_hash)
        await self._throttle.forget(connection, user.username)
        issued = await self._sessions.open(connection, now_user, credentials.session, caller)
        actor = Actor(user_id=now_user.id, username=now_user.username, role=now_user.role, session_id=issued.session_id)
        await note(
            connection,
            "signed_in",
            target_kind="session",
            target_id=issued.session_id,
            actor=actor,
            caller=caller,
            after={"kind": credentials.session, "second_factor": has_second_factor(now_user)},
        )
        return issued

    async def _refuse(
        self,
        connection: AsyncConnection,
        user: User | None,
        given: Try,
        caller: Caller,
        reason: MostradorError,
    ) -> MostradorError:
        target = user.id if user is not None else None
        after = {"reason": reason.code, "failures": given.failures}
        await note(connection, "sign_in_refused", target_id=target, caller=caller, after=after, outcome="refused")
        if given.closes:
            await note(connection, "locked_out", target_id=target, caller=caller, after=after, outcome="refused")
            log.warning("accounts.locked_out", failures=given.failures)
        return reason


async def ensure_first_admin(database: Database, passwords: Passwords, *, username: str, password: str) -> bool:
    """Create the first admin if there is nobody at all, and tell whether that was done.

    An account that exists is never changed. Several processes may do this at the same time.
    """
    async with database.read() as connection:
        if await anybody_there(connection):
            return False
    password_hash = await passwords.hash(password)
    async with database.write() as connection:
        user = await insert_user(
            connection,
            username=checked_username(username),
            password_hash=password_hash,
            role="admin",
            only_as_first=True,
        )
        if user is not None:
            await note(connection, "first_admin_created", target_id=user.id, after={"username": user.username})
    if user is not None:
        log.info("accounts.first_admin_created", user_id=str(user.id))
    return user is not None


async def create_user(
    database: Database,
    passwords: Passwords,
    *,
    username: str,
    password: str,
    role: Role,
    actor: Actor | None = None,
    caller: Caller = NOBODY,
) -> Person:
    """Create a person who may come in.

    Raises `InvalidInput` (field `username`), `WeakPassword` (field `password`) and `UsernameTaken`.
    """
    name = checked_username(username)
    check_new_password(password, username=name)
    password_hash = await passwords.hash(password)
    async with database.write() as connection:
        user = await insert_user(connection, username=name, password_hash=password_hash, role=role)
        if user is None:
            raise UsernameTaken("somebody has this username already")
        after = {"username": user.username, "role": user.role}
        await note(connection, "user_created", target_id=user.id, actor=actor, caller=caller, after=after)
    log.info("accounts.user_created", user_id=str(user.id), role=role)
    return person(user)


def normal_username(username: str) -> str:
    """Return the form in which a username is stored and compared."""
    return username.strip().lower()


def checked_username(username: str) -> str:
    """Return a new username in its stored form.

    Raises `InvalidInput` (field `username`).
    """
    name = normal_username(username)
    if not _USERNAME.fullmatch(name):
        raise InvalidInput(
            "a username has 1 to 64 letters, digits or . _ @ + - and begins with a letter or a digit", field="username"
        )
    return name
