"""People coming in: sign-in, the first admin, new people."""

import re
from typing import Final

import structlog

from app.accounts.errors import AccountDisabled, UsernameTaken, WrongCredentials
from app.accounts.queries import anybody_there, insert_user, replace_password_hash, user_by_id, user_by_name
from app.accounts.schemas import Person, SignedIn, User
from app.accounts.throttle import SignInThrottle
from app.core.db import Database
from app.core.errors import InvalidInput, Unavailable
from app.core.ids import new_id
from app.core.metrics import Metrics
from app.core.security.actor import Actor, Role
from app.core.security.passwords import Passwords, check_new_password
from app.core.security.tokens import AccessTokens

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")

log = structlog.get_logger()


class Accounts:
    """Sign-in and what a signed-in person may ask about themselves."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        tokens: AccessTokens,
        metrics: Metrics,
        throttle: SignInThrottle | None = None,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens
        self._metrics = metrics
        self._throttle = throttle or SignInThrottle()

    async def sign_in(self, username: str, password: str) -> SignedIn:
        """Check the password and open a session.

        Raises `WrongCredentials`, `TooManyRequests` (five failures an account in 15 minutes), `Unavailable`.
        """
        name = normal_username(username)
        self._throttle.begin(name)
        try:
            user = await self._authenticate(name, password)
        except Unavailable:
            self._throttle.withdraw(name)
            raise
        if user is None:
            self._metrics.auth_failures.labels("password").inc()
            log.warning("accounts.sign_in_refused")
            raise WrongCredentials
        self._throttle.succeeded(name)
        issued = self._tokens.issue(Actor(user_id=user.id, username=user.username, role=user.role, session_id=new_id()))
        log.info("accounts.signed_in", user_id=str(user.id))
        return SignedIn(
            access_token=issued.token,
            token_type="Bearer",  # noqa: S106 - the name of the scheme (RFC 6750)
            expires_in=issued.expires_in_seconds,
            user=_person(user),
        )

    async def person(self, actor: Actor) -> Person:
        """Return the person a token speaks for, as stored now.

        Raises `AccountDisabled`.
        """
        async with self._database.read() as connection:
            user = await user_by_id(connection, actor.user_id)
        if user is None or user.disabled_at is not None:
            raise AccountDisabled("this account may no longer come in")
        return _person(user)

    async def _authenticate(self, name: str, password: str) -> User | None:
        """Return the person if the password is right. No transaction is open while a password is being hashed."""
        async with self._database.read() as connection:
            user = await user_by_name(connection, name)
        verification = await self._passwords.verify(user.password_hash if user else None, password)
        if user is None or not verification.matches or user.disabled_at is not None:
            return None
        if verification.new_hash is not None:
            async with self._database.write() as connection:
                await replace_password_hash(connection, user.id, old=user.password_hash, new=verification.new_hash)
        return user


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
            username=_checked_username(username),
            password_hash=password_hash,
            role="admin",
            only_as_first=True,
        )
    if user is not None:
        log.info("accounts.first_admin_created", user_id=str(user.id))
    return user is not None


async def create_user(database: Database, passwords: Passwords, *, username: str, password: str, role: Role) -> Person:
    """Create a person who may come in.

    Raises `InvalidInput` (field `username` or `password`) and `UsernameTaken`.
    """
    name = _checked_username(username)
    check_new_password(password)
    password_hash = await passwords.hash(password)
    async with database.write() as connection:
        user = await insert_user(connection, username=name, password_hash=password_hash, role=role)
    if user is None:
        raise UsernameTaken("somebody has this username already")
    log.info("accounts.user_created", user_id=str(user.id), role=role)
    return _person(user)


def normal_username(username: str) -> str:
    """Return the form in which a username is stored and compared."""
    return username.strip().lower()


def _checked_username(username: str) -> str:
    name = normal_username(username)
    if not _USERNAME.fullmatch(name):
        raise InvalidInput(
            "a username has 1 to 64 letters, digits or . _ @ + - and begins with a letter or a digit", field="username"
        )
    return name


def _person(user: User) -> Person:
    return Person(id=user.id, username=user.username, role=user.role, created_at=user.created_at)
