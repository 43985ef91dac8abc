"""Looking after people: who there is, what role they have, whether they may come in, and one-time links for them."""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries
from app.accounts.errors import InvalidLink, LastAdmin, UsernameTaken, UserNotFound
from app.accounts.models import one_time_links, sessions
from app.accounts.queries import change_user, insert_user, person, user_by_id
from app.accounts.schemas import Link, LinkDetails, LinkPurpose, Person, User
from app.accounts.second_factor import remove_second_factor
from app.accounts.service import checked_username, create_user
from app.accounts.sessions import Sessions, end_sessions
from app.accounts.throttle import SignInThrottle
from app.accounts.tokens import hash_of, new_token
from app.accounts.trail import Caller, note
from app.core.db import Database, db_now, exclusive
from app.core.ids import new_id
from app.core.keyset import Cursor, Page
from app.core.security.actor import Actor
from app.core.security.password_rules import check_new_password
from app.core.security.passwords import Passwords
from app.core.security.permissions import Role

LINK_HOURS: Final = 72
LINK_PATH: Final = "/welcome"

log = structlog.get_logger()


class _OpenLink(msgspec.Struct, frozen=True):
    user_id: UUID
    purpose: LinkPurpose
    expires_at: datetime


class People:
    """What supervisors may see of people, and admins may change. `public_url` is where one-time links lead."""

    def __init__(self, database: Database, passwords: Passwords, sessions: Sessions, *, public_url: str) -> None:
        self._database = database
        self._passwords = passwords
        self._sessions = sessions
        self._public_url = public_url
        self._throttle = SignInThrottle(database)

    async def find(self, *, limit: int, cursor: Cursor | None) -> Page[Person]:
        async with self._database.read() as connection:
            return await queries.people(connection, limit=limit, cursor=cursor)

    async def one(self, user_id: UUID) -> Person:
        """Return one person.

        Raises `UserNotFound`.
        """
        async with self._database.read() as connection:
            return person(await _there(connection, user_id))

    async def create(self, *, username: str, password: str, role: Role, actor: Actor, caller: Caller) -> Person:
        """Create a person with a password that somebody chose for them.

        Raises `InvalidInput`, `WeakPassword` and `UsernameTaken`.
        """
        return await create_user(
            self._database,
            self._passwords,
            username=username,
            password=password,
            role=role,
            actor=actor,
            caller=caller,
        )

    async def invite(self, *, username: str, role: Role, actor: Actor, caller: Caller) -> Link:
        """Create a person without a password, and a link by which they choose one.

        Raises `InvalidInput` (field `username`) and `UsernameTaken`.
        """
        name = checked_username(username)
        nobodys = await self._passwords.hash(secrets.token_urlsafe(32))
        async with self._database.write() as connection:
            user = await insert_user(connection, username=name, password_hash=nobodys, role=role, awaits_password=True)
            if user is None:
                raise UsernameTaken("somebody has this username already")
            link = await self._link(connection, user, actor)
            after = {"username": user.username, "role": user.role}
            await note(connection, "user_invited", target_id=user.id, actor=actor, caller=caller, after=after)
        log.info("accounts.user_invited", user_id=str(user.id), role=role)
        return link

    async def reset(self, user_id: UUID, *, remove_factor: bool, actor: Actor, caller: Caller) -> Link:
        """Make a link by which a person chooses a new password; earlier links of theirs end.

        Until it is used, the old password stays good. Raises `UserNotFound`.
        """
        async with self._database.write() as connection:
            user = await _there(connection, user_id, lock=True)
            if remove_factor:
                await remove_second_factor(connection, user)
            link = await self._link(connection, user, actor)
            after = {"purpose": link.purpose, "second_factor_removed": remove_factor}
            await note(connection, "reset_link_made", target_id=user_id, actor=actor, caller=caller, after=after)
        log.info("accounts.reset_link_made", user_id=str(user_id))
        return link

    async def look_up(self, token: str) -> LinkDetails:
        """Return whom a link is for. Looking does not use it.

        Raises `InvalidLink`.
        """
        async with self._database.read() as connection:
            link = await _open_link(connection, token)
            user = await user_by_id(connection, link.user_id)
        if user is None or user.disabled_at is not None:
            raise InvalidLink
        return LinkDetails(username=user.username, purpose=link.purpose, expires_at=link.expires_at)

    async def accept(self, token: str, password: str, caller: Caller) -> None:
        """Set the password by a link, end the person's sessions and use the link up.

        Raises `InvalidLink` and `WeakPassword`, which leaves the link as it was.
        """
        details = await self.look_up(token)
        check_new_password(password, username=details.username)
        password_hash = await self._passwords.hash(password)
        async with self._database.write() as connection:
            link = await _open_link(connection, token)
            # Whoever writes a person's links holds the person, so what is read after this is what it will be.
            user = await user_by_id(connection, link.user_id, lock=True)
            await _open_link(connection, token)
            if user is None or user.disabled_at is not None:
                raise InvalidLink
            await _use_links(connection, user.id)
            await change_user(connection, user.id, {"password_hash": password_hash, "awaits_password": False})
            now = await self._database.now(connection)
            await end_sessions(connection, sessions.c.user_id == user.id, "password_changed", now=now)
            await self._throttle.forget(connection, user.username)
            action = "invitation_accepted" if link.purpose == "invite" else "password_reset"
            await note(connection, action, target_id=user.id, caller=caller)
        self._sessions.changed()
        log.info("accounts.link_used", user_id=str(user.id), purpose=link.purpose)

    async def change_role(self, user_id: UUID, role: Role, *, actor: Actor, caller: Caller) -> Person:
        """Give a person another role; what they are signed in to follows within a second.

        Raises `UserNotFound` and `LastAdmin`.
        """
        async with self._database.write() as connection:
            user = await self._still_an_admin(connection, user_id, unless=role != "admin")
            changed = await change_user(connection, user_id, {"role": role})
            await note(
                connection,
                "role_changed",
                target_id=user_id,
                actor=actor,
                caller=caller,
                before={"role": user.role},
                after={"role": role},
            )
        self._sessions.changed()
        return person(changed)

    async def disable(self, user_id: UUID, *, actor: Actor, caller: Caller) -> Person:
        """Let a person in no more: their sessions and links end, their API keys rest.

        Raises `UserNotFound` and `LastAdmin`.
        """
        async with self._database.write() as connection:
            await self._still_an_admin(connection, user_id, unless=True)
            now = await self._database.now(connection)
            changed = await change_user(connection, user_id, {"disabled_at": now})
            await end_sessions(connection, sessions.c.user_id == user_id, "account_disabled", now=now)
            await _use_links(connection, user_id)
            await note(connection, "user_disabled", target_id=user_id, actor=actor, caller=caller)
        self._sessions.changed()
        log.info("accounts.user_disabled", user_id=str(user_id))
        return person(changed)

    async def enable(self, user_id: UUID, *, actor: Actor, caller: Caller) -> Person:
        """Let a person in again, with the password they had.

        Raises `UserNotFound`.
        """
        async with self._database.write() as connection:
            await _there(connection, user_id, lock=True)
            changed = await change_user(connection, user_id, {"disabled_at": None})
            await note(connection, "user_enabled", target_id=user_id, actor=actor, caller=caller)
        self._sessions.changed()
        log.info("accounts.user_enabled", user_id=str(user_id))
        return person(changed)

    async def _still_an_admin(self, connection: AsyncConnection, user_id: UUID, *, unless: bool) -> User:
        """Return the person, unless the change would leave nobody who can manage accounts."""
        await exclusive(connection, "admins")  # two admins who disable each other at once
        user = await _there(connection, user_id, lock=True)
        if unless and user.role == "admin" and not await queries.another_admin_there(connection, user_id):
            raise LastAdmin
        return user

    async def _link(self, connection: AsyncConnection, user: User, actor: Actor) -> Link:
        await _use_links(connection, user.id)
        purpose: LinkPurpose = "invite" if user.awaits_password else "reset"
        token, now = new_token(), await self._database.now(connection)
        expires_at = now + timedelta(hours=LINK_HOURS)
        await connection.execute(
            sa.insert(one_time_links).values(
                id=new_id(),
                user_id=user.id,
                purpose=purpose,
                token_hash=hash_of(token),
                created_by=actor.user_id,
                created_at=now,
                expires_at=expires_at,
            )
        )
        # Behind the #, which browsers send to nobody: no log of any server or proxy holds it.
        url = f"{self._public_url}{LINK_PATH}#{token}"
        refreshed = await user_by_id(connection, user.id)
        return Link(user=person(refreshed or user), purpose=purpose, token=token, url=url, expires_at=expires_at)


async def _there(connection: AsyncConnection, user_id: UUID, *, lock: bool = False) -> User:
    user = await user_by_id(connection, user_id, lock=lock)
    if user is None:
        raise UserNotFound("there is nobody with this id")
    return user


async def _open_link(connection: AsyncConnection, token: str) -> _OpenLink:
    """Return the link of a token while it can be used.

    Raises `InvalidLink`.
    """
    c = one_time_links.c
    statement = sa.select(c.user_id, c.purpose, c.expires_at).where(
        c.token_hash == hash_of(token), c.used_at.is_(None), c.expires_at > db_now()
    )
    found = (await connection.execute(statement)).one_or_none()
    if found is None:
        raise InvalidLink
    return _OpenLink(found.user_id, found.purpose, found.expires_at)


async def _use_links(connection: AsyncConnection, user_id: UUID) -> None:
    c = one_time_links.c
    await connection.execute(
        sa.update(one_time_links).where(c.user_id == user_id, c.used_at.is_(None)).values(used_at=db_now())
    )
