"""Linked phones: what people ask of them, which process has them, and what state they are in."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import available_timezones

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit.service import AuditEntry
from app.audit.service import record as record_audit
from app.core.db import Database, db_now
from app.core.db.events import record
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.ids import new_id
from app.core.security.cipher import Cipher
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from app.whatsapp.models import channels as channel_table
from app.whatsapp.web.consent import CONSENT_VERSION
from app.whatsapp.web.events import WebSessionChanged
from app.whatsapp.web.governor import WebPolicy
from app.whatsapp.web.models import web_sessions
from app.whatsapp.web.states import NEEDS_PERSON, State

__all__ = ["KIND", "Report", "Request", "WebSession", "WebSessionNotFound", "WebSessions"]

KIND: Final = "web"
LEASE_SECONDS: Final = 30.0
_PREFIX: Final = "web-"
_WORDS: Final = "WhatsApp Web: "

_Text = str | msgspec.UnsetType | None
_Time = datetime | msgspec.UnsetType | None
Request = Literal["restart", "logout", "refresh_code", "pair"]

_s = web_sessions.c


class WebSessionNotFound(NotFound):
    code = "whatsapp_web_session_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such WhatsApp Web session")


class NotPossibleNow(Conflict):
    """The session's state does not allow it."""

    code = "whatsapp_web_not_possible_now"


class WebSession(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `web_sessions`, without its screenshot and lease."""

    channel_id: UUID
    name: str
    wanted: Literal["running", "stopped"]
    request: Request | None
    pairing_phone: str | None
    state: State
    reason: str | None
    state_at: datetime
    engine: Literal["wpp", "dom"] | None
    account: str | None
    linked_at: datetime | None
    code: str | None
    pairing_code: str | None
    code_expires_at: datetime | None
    last_seen_at: datetime | None
    memory_bytes: int | None
    restarts: int
    screenshot_at: datetime | None
    backup_at: datetime | None
    policy: WebPolicy
    consent_version: str
    consent_at: datetime
    lease_token: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser says of itself; members that are UNSET stay as they are."""

    state: State | msgspec.UnsetType = msgspec.UNSET
    reason: _Text = msgspec.UNSET
    engine: _Text = msgspec.UNSET
    account: _Text = msgspec.UNSET
    linked_at: _Time = msgspec.UNSET
    code: _Text = msgspec.UNSET
    pairing_code: _Text = msgspec.UNSET
    code_expires_at: _Time = msgspec.UNSET
    last_seen_at: datetime | msgspec.UnsetType = msgspec.UNSET
    memory_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    restarts: int | msgspec.UnsetType = msgspec.UNSET
    backup_at: datetime | msgspec.UnsetType = msgspec.UNSET
    wanted: Literal["running", "stopped"] | msgspec.UnsetType = msgspec.UNSET


class WebSessions:
    """What the API and the worker do with linked phones."""

    def __init__(self, database: Database, channels: Channels, cipher: Cipher) -> None:
        self._database = database
        self._channels = channels
        self._cipher = cipher

    async def add(
        self, name: str, consent_version: str, *, user_id: UUID, consent: AuditEntry, audit: AuditEntry
    ) -> WebSession:
        """Make a channel whose phone can be linked, once its risks were accepted. Raises `InvalidInput`.

        `consent` and `audit` are recorded with it: that somebody accepted the risks, and that there is a channel.
        """
        if consent_version != CONSENT_VERSION:
            raise InvalidInput("the notice has changed: read it again and accept this version", field="consent_version")
        new = NewChannel(
            name=name,
            kind=KIND,
            phone_number_id=f"{_PREFIX}{new_id()}",
            graph_url="",
            api_version="",
            secrets=ChannelSecrets(token=""),
            messages_per_second=1,
        )

        async def with_session(connection: AsyncConnection, channel_id: UUID) -> None:
            await connection.execute(
                web_sessions.insert().values(
                    channel_id=channel_id,
                    wanted="stopped",
                    state=State.STOPPED,
                    policy=msgspec.json.encode(WebPolicy()).decode(),
                    consent_version=consent_version,
                    consent_by=user_id,
                )
            )
            await _stop_channel(connection, channel_id, State.STOPPED)
            await record_audit(connection, msgspec.structs.replace(consent, target_id=str(channel_id)))

        channel = await self._channels.add(new, audit=audit, also=with_session)
        return await self.get(channel.id)

    async def all(self) -> list[WebSession]:
        async with self._database.read() as connection:
            return [_session(row) for row in await connection.execute(_SELECT.order_by(_s.channel_id))]

    async def get(self, channel_id: UUID) -> WebSession:
        """Return one session. Raises `WebSessionNotFound`."""
        async with self._database.read() as connection:
            row = (await connection.execute(_SELECT.where(_s.channel_id == channel_id))).one_or_none()
        if row is None:
            raise WebSessionNotFound
        return _session(row)

    async def want(self, channel_id: UUID, wanted: Literal["running", "stopped"], *, audit: AuditEntry) -> WebSession:
        """Let the session run, or stop it. Raises `WebSessionNotFound`."""
        values: dict[str, Any] = {"wanted": wanted, "request": None}
        if wanted == "running":
            values |= {"restarts": 0}
        return await self._change(channel_id, values, audit)

    async def ask(
        self, channel_id: UUID, request: Request, *, audit: AuditEntry, phone: str | None = None
    ) -> WebSession:
        """Ask a running session for something. Raises `WebSessionNotFound`, `NotPossibleNow` if it does not run."""
        session = await self.get(channel_id)
        if session.wanted != "running":
            raise NotPossibleNow("the session is stopped: start it first")
        if request in ("pair", "refresh_code") and session.state not in (State.NEEDS_QR, State.NEEDS_CODE):
            raise NotPossibleNow(f"the session shows no code to link a phone now: it is {session.state}")
        return await self._change(channel_id, {"request": request, "pairing_phone": phone}, audit)

    async def set_policy(self, channel_id: UUID, policy: WebPolicy, *, audit: AuditEntry) -> WebSession:
        """Change how the phone behaves. Raises `WebSessionNotFound`, and `InvalidInput` for an unknown time zone."""
        if policy.timezone not in available_timezones():
            raise InvalidInput("this is no IANA time zone, such as America/Bogota", field="policy.timezone")
        return await self._change(channel_id, {"policy": msgspec.json.encode(policy).decode()}, audit)

    async def screenshot(self, channel_id: UUID) -> bytes:
        """Return the PNG of the last failure. Raises `WebSessionNotFound`, also where there is none."""
        async with self._database.read() as connection:
            kept = await connection.scalar(sa.select(_s.screenshot).where(_s.channel_id == channel_id))
        if kept is None:
            raise WebSessionNotFound
        return self._cipher.decrypt(kept)

    # What the worker does

    async def take(self, channel_id: UUID, owner: UUID) -> int | None:
        """Take the lease on the session's profile; return its token, or None while another process has it."""
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            row = (
                await connection.execute(
                    sa.update(web_sessions)
                    .where(
                        _s.channel_id == channel_id,
                        _s.wanted == "running",
                        sa.or_(_s.lease_until.is_(None), _s.lease_until < now, _s.lease_owner == owner),
                    )
                    .values(
                        lease_owner=owner,
                        lease_until=now + timedelta(seconds=LEASE_SECONDS),
                        lease_token=_s.lease_token + 1,
                    )
                    .returning(_s.lease_token)
                )
            ).one_or_none()
        return None if row is None else int(row.lease_token)

    async def renew(self, channel_id: UUID, token: int) -> bool:
        """Keep the lease; False if it is somebody else's now."""
        return await self._owned(channel_id, token, lambda now: {"lease_until": now + timedelta(seconds=LEASE_SECONDS)})

    async def release(self, channel_id: UUID, token: int) -> None:
        """Give the lease back."""
        await self._owned(channel_id, token, lambda _: {"lease_until": None, "lease_owner": None})

    async def report(self, channel_id: UUID, token: int, report: Report) -> bool:
        """Write what the browser says, and tell whoever watches; False if the lease is somebody else's now."""
        values = {name: value for name, value in msgspec.structs.asdict(report).items() if value is not msgspec.UNSET}
        news = bool(values.keys() - {"last_seen_at", "memory_bytes"})
        async with self._database.write() as connection:
            if isinstance(report.state, State):
                values["state_at"] = db_now()
            written: Any = await connection.execute(
                sa.update(web_sessions).where(_s.channel_id == channel_id, _s.lease_token == token).values(**values)
            )
            if not written.rowcount:
                return False
            if isinstance(report.state, State):
                await _follow(connection, channel_id, report.state)
            if news:
                await record(connection, [WebSessionChanged(channel_id=channel_id)])
        return True

    async def answered(self, channel_id: UUID, token: int) -> None:
        """Forget the request that has just been met."""
        await self._owned(channel_id, token, lambda _: {"request": None})

    async def keep_screenshot(self, channel_id: UUID, token: int, png: bytes) -> None:
        """Keep what the page showed when it failed, encrypted: there may be customers on it."""
        kept = self._cipher.encrypt(png)
        await self._owned(channel_id, token, lambda now: {"screenshot": kept, "screenshot_at": now})

    async def _owned(self, channel_id: UUID, token: int, values: Any) -> bool:
        async with self._database.write() as connection:
            now = await self._database.now(connection)
            written: Any = await connection.execute(
                sa.update(web_sessions)
                .where(_s.channel_id == channel_id, _s.lease_token == token)
                .values(**values(now))
            )
        return bool(written.rowcount)

    async def _change(self, channel_id: UUID, values: dict[str, Any], audit: AuditEntry) -> WebSession:
        async with self._database.write() as connection:
            changed: Any = await connection.execute(
                sa.update(web_sessions).where(_s.channel_id == channel_id).values(**values)
            )
            if not changed.rowcount:
                raise WebSessionNotFound
            await record(connection, [WebSessionChanged(channel_id=channel_id)])
            await record_audit(connection, audit)
        return await self.get(channel_id)


_SELECT = sa.select(
    *(_s[name] for name in WebSession.__struct_fields__ if name != "name"),
    channel_table.c.name,
).join(channel_table, channel_table.c.id == _s.channel_id)


def _session(row: Any) -> WebSession:
    values = {name: getattr(row, name) for name in WebSession.__struct_fields__}
    policy = msgspec.json.decode(row.policy, type=WebPolicy)
    return WebSession(**values | {"policy": policy, "state": State(row.state)})


async def _follow(connection: AsyncConnection, channel_id: UUID, state: State) -> None:
    """Let the channel stand still where only a person can help, and go on by itself once the phone is online."""
    if state in NEEDS_PERSON:
        await _stop_channel(connection, channel_id, state)
    elif state is State.ONLINE:
        c = channel_table.c
        await connection.execute(
            sa.update(channel_table)
            .where(c.id == channel_id, c.stopped_by.is_(None), c.stopped_reason.startswith(_WORDS, autoescape=True))
            .values(stopped_at=None, stopped_reason=None)
        )


async def _stop_channel(connection: AsyncConnection, channel_id: UUID, state: State) -> None:
    c = channel_table.c
    ours = sa.or_(c.stopped_at.is_(None), c.stopped_reason.startswith(_WORDS, autoescape=True))
    await connection.execute(
        sa.update(channel_table)
        .where(c.id == channel_id, ours)
        .values(stopped_at=db_now(), stopped_reason=f"{_WORDS}{state.replace('_', ' ')}")
    )
