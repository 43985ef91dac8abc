"""The numbers we speak through: who they are, their secrets, whether WhatsApp lets us use them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.service import AuditEntry, record
from app.core.db import Database, DatabaseUnavailable, db_now, exclusive
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.core.security.cipher import Cipher, Undecryptable
from app.whatsapp.models import channels
from app.whatsapp.pacing import PER_SECOND
from app.whatsapp.transport import ChannelAccess

log = structlog.get_logger()

Source = Literal["environment", "simulator", "panel"]
_FRESH_SECONDS = 5.0
_LONGEST_NUMBER = 32
_NOT_STOPPED = {"stopped_at": None, "stopped_reason": None, "stopped_by": None}


class ChannelNotFound(NotFound):
    code = "channel_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such channel")


class ChannelExists(Conflict):
    code = "channel_exists"

    def __init__(self) -> None:
        super().__init__("there is a channel with this phone_number_id already")


class ChannelOfSettings(Conflict):
    """It was not added in the panel, so it cannot be changed there."""

    code = "channel_of_settings"

    def __init__(self) -> None:
        super().__init__("this channel is configured in the server's environment: change it there and start again")


class SecretsUnreadable(Conflict):
    """What is kept beside the replaced secrets cannot be read."""

    code = "channel_secrets_unreadable"

    def __init__(self) -> None:
        super().__init__(
            "its secrets cannot be decrypted: store token, app_secrets and verify_token again, all together"
        )


class ChannelSecrets(msgspec.Struct, frozen=True):
    """What opens a channel. `app_secrets` check the signatures of its webhooks, newest first."""

    token: str
    app_secrets: tuple[str, ...] = ()
    verify_token: str | None = None

    def __repr__(self) -> str:
        return "ChannelSecrets(...)"


class NewChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel to be known from now on."""

    name: str
    phone_number_id: str
    graph_url: str
    api_version: str
    secrets: ChannelSecrets
    business_account_id: str | None = None
    source: Source = "panel"
    kind: str = "cloud"
    messages_per_second: int = PER_SECOND


class ChannelChange(msgspec.Struct, frozen=True, kw_only=True):
    """Members to replace: columns of the channel, and members of its secrets. What is not named stays."""

    columns: Mapping[str, Any]
    secrets: Mapping[str, Any]


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel and how to reach it. `access` is None when its secrets cannot be read."""

    id: UUID
    kind: str
    name: str
    source: str
    phone_number_id: str
    business_account_id: str | None
    display_phone_number: str | None = None
    messages_per_second: int
    stopped_reason: str | None
    stopped_at: datetime | None = None
    stopped_by: UUID | None = None
    access: ChannelAccess | None
    secrets: ChannelSecrets | None

    @property
    def stopped(self) -> bool:
        return self.stopped_reason is not None


class Channels:
    """All channels, kept in memory for a few seconds, so that the path of a message need not ask each time.

    `configured` are the channels of the settings: their secrets stay there and are never stored.
    """

    def __init__(self, database: Database, cipher: Cipher, configured: Sequence[NewChannel] = ()) -> None:
        self._database = database
        self._cipher = cipher
        self._configured = {one.phone_number_id: one for one in configured}
        self._by_id: dict[UUID, Channel] = {}
        self._by_number: dict[str, Channel] = {}
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        """Make the configured channels known to the database, and read all."""
        async with self._database.write() as connection:
            await exclusive(connection, "channels")
            for one in self._configured.values():
                await _introduce(connection, one)
        await self.refresh()

    async def refresh(self) -> None:
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(*channels.c).order_by(channels.c.id))).all()
        found = [self._channel(row) for row in rows]
        self._by_id = {one.id: one for one in found}
        self._by_number = {one.phone_number_id: one for one in found}
        self._read_at = time.monotonic()

    async def all(self) -> list[Channel]:
        await self._freshen()
        return list(self._by_id.values())

    async def get(self, channel_id: UUID) -> Channel:
        """Return the channel. Raises `ChannelNotFound`."""
        await self._freshen()
        try:
            return self._by_id[channel_id]
        except KeyError:
            raise ChannelNotFound from None

    async def by_number(self, phone_number_id: str) -> Channel | None:
        """Return the channel with Meta's `phone_number_id`; None if it is not ours."""
        await self._freshen()
        return self._by_number.get(phone_number_id)

    async def add(
        self,
        new: NewChannel,
        *,
        audit: AuditEntry | None = None,
        also: Callable[[AsyncConnection, UUID], Awaitable[None]] | None = None,
    ) -> Channel:
        """Store a channel, its secrets encrypted; `audit` is recorded with it. Raises `ChannelExists`.

        `also(connection, channel_id)` stores what belongs to it in the same unit of work.
        """
        channel_id = new_id()
        async with self._database.write() as connection:
            await exclusive(connection, "channels")
            taken = await connection.execute(
                sa.select(channels.c.id).where(channels.c.phone_number_id == new.phone_number_id)
            )
            if taken.first() is not None:
                raise ChannelExists
            await connection.execute(
                channels.insert().values(
                    id=channel_id, **_row(new), secrets=self._cipher.encrypt(msgspec.json.encode(new.secrets))
                )
            )
            if also is not None:
                await also(connection, channel_id)
            if audit is not None:
                entry = msgspec.structs.replace(audit, target_id=str(channel_id), after=_row(new))
                await record(connection, entry)
        await self.refresh()
        return self._by_id[channel_id]

    async def change(self, channel_id: UUID, wanted: ChannelChange, *, audit: AuditEntry) -> Channel:
        """Replace members of a channel that was added in the panel; `audit` is recorded with it.

        Raises `ChannelNotFound`, `ChannelOfSettings`, and `SecretsUnreadable` where only some secrets are replaced.
        """
        async with self._database.write() as connection:
            row = (
                await connection.execute(sa.select(*channels.c).where(channels.c.id == channel_id).with_for_update())
            ).one_or_none()
            if row is None:
                raise ChannelNotFound
            if row.source != "panel":
                raise ChannelOfSettings
            values = dict(wanted.columns)
            if wanted.secrets:
                values["secrets"] = self._resealed(row, wanted.secrets)
            if values:
                await connection.execute(sa.update(channels).where(channels.c.id == channel_id).values(**values))
            before = {name: getattr(row, name) for name in wanted.columns}
            after = {**wanted.columns, "replaced": sorted(wanted.secrets)}
            await record(connection, msgspec.structs.replace(audit, before=before, after=after))
        await self.refresh()
        return await self.get(channel_id)

    async def note_number(self, channel_id: UUID, display_phone_number: str) -> None:
        """Remember how WhatsApp writes the channel's number."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(channels)
                .where(channels.c.id == channel_id)
                .values(display_phone_number=display_phone_number[:_LONGEST_NUMBER])
            )
        await self.refresh()

    async def stop(self, channel_id: UUID, reason: str, *, stopped_by: UUID, audit: AuditEntry) -> Channel:
        """Send nothing through a channel until somebody resumes it; its messages wait.

        Unlike a stop that WhatsApp's refusal brought about, this one outlasts a restart. Raises `ChannelNotFound`.
        """
        async with self._database.write() as connection:
            stopped = await connection.execute(
                sa.update(channels)
                .where(channels.c.id == channel_id)
                .values(stopped_at=db_now(), stopped_reason=reason, stopped_by=stopped_by)
            )
            if stopped.rowcount:
                await record(connection, audit)
        await self.refresh()
        return await self.get(channel_id)

    async def resume(self, channel_id: UUID, *, audit: AuditEntry | None = None) -> Channel:
        """Send through a stopped channel again, after somebody has mended what was wrong. Raises `ChannelNotFound`."""
        async with self._database.write() as connection:
            resumed = await connection.execute(
                sa.update(channels).where(channels.c.id == channel_id).values(**_NOT_STOPPED)
            )
            if resumed.rowcount and audit is not None:
                await record(connection, audit)
        await self.refresh()
        return await self.get(channel_id)

    async def _freshen(self) -> None:
        """Read again what is old, once for all who ask. While the database is away, what was known still is."""
        if self._is_fresh():
            return
        async with self._reading:
            if self._is_fresh():
                return
            try:
                await self.refresh()
            except DatabaseUnavailable:
                if self._read_at is None:
                    raise
                self._read_at = time.monotonic()

    def _is_fresh(self) -> bool:
        return self._read_at is not None and time.monotonic() - self._read_at <= _FRESH_SECONDS

    def _channel(self, row: Any) -> Channel:
        configured = self._configured.get(row.phone_number_id)
        secrets = configured.secrets if configured is not None else self._decrypt(row)
        access = None
        if secrets is not None:
            access = ChannelAccess(
                channel_id=row.id,
                graph_url=configured.graph_url if configured is not None else row.graph_url,
                api_version=configured.api_version if configured is not None else row.api_version,
                phone_number_id=row.phone_number_id,
                token=secrets.token,
                business_account_id=row.business_account_id,
            )
        return Channel(
            id=row.id,
            kind=row.kind,
            name=row.name,
            source=row.source,
            phone_number_id=row.phone_number_id,
            business_account_id=row.business_account_id,
            display_phone_number=row.display_phone_number,
            messages_per_second=row.messages_per_second,
            stopped_reason=self._stopped_reason(row, secrets),
            stopped_at=row.stopped_at,
            stopped_by=row.stopped_by,
            access=access,
            secrets=secrets,
        )

    def _resealed(self, row: Any, replaced: Mapping[str, Any]) -> bytes:
        """Return the ciphertext of the secrets with some members replaced."""
        given = dict(replaced)
        if given.keys() < frozenset(ChannelSecrets.__struct_fields__):
            kept = self._decrypt(row)
            if kept is None:
                raise SecretsUnreadable
            given = {**msgspec.structs.asdict(kept), **given}
        return self._cipher.encrypt(msgspec.json.encode(ChannelSecrets(**given)))

    def _decrypt(self, row: Any) -> ChannelSecrets | None:
        if row.secrets is None:
            return None
        try:
            return msgspec.json.decode(self._cipher.decrypt(row.secrets), type=ChannelSecrets)
        except Undecryptable:
            log.error("channel.undecryptable", channel_id=str(row.id))  # noqa: TRY400 - the trace says nothing more
            return None

    def _stopped_reason(self, row: Any, secrets: ChannelSecrets | None) -> str | None:
        if row.stopped_at is not None:
            return str(row.stopped_reason or "stopped")
        if secrets is None and row.source == "panel":
            return "its secrets cannot be decrypted: put their key back into FERNET_KEY"
        if secrets is None:
            return "it is not in the settings any more"
        return None


def _row(new: NewChannel) -> dict[str, Any]:
    return {
        "kind": new.kind,
        "name": new.name,
        "source": new.source,
        "phone_number_id": new.phone_number_id,
        "business_account_id": new.business_account_id,
        "graph_url": new.graph_url,
        "api_version": new.api_version,
        "messages_per_second": new.messages_per_second,
    }


async def _introduce(connection: AsyncConnection, new: NewChannel) -> None:
    """Write what the settings say of a channel, its secrets excepted.

    A restart clears what had stopped it, unless that was a person.
    """
    mine = channels.c.phone_number_id == new.phone_number_id
    known = await connection.execute(sa.update(channels).where(mine).values(**_row(new), secrets=None))
    await connection.execute(sa.update(channels).where(mine, channels.c.stopped_by.is_(None)).values(**_NOT_STOPPED))
    if not known.rowcount:
        await connection.execute(channels.insert().values(id=new_id(), **_row(new), created_at=db_now()))
