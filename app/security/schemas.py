"""What the API of the security console takes and returns."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.audit.schemas import AuditRecord
from app.core.schema import Input, Output
from app.security.rules import Kind

Severity = Literal["high", "urgent"]
AlertState = Literal["open", "acknowledged"]
Minutes = Annotated[int, Meta(ge=1, le=1_440)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]
Consumer = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class Alert(Output, frozen=True, kw_only=True):
    """Something that happened `threshold` times or more within `window_minutes`.

    `number` is the most seen in one window; `addresses` are those it came from most, where they are known.
    """

    id: UUID
    fingerprint: Kind
    severity: Severity
    state: AlertState
    first_seen_at: datetime
    last_seen_at: datetime
    number: int
    threshold: int
    window_minutes: int
    addresses: dict[str, int]
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    note: str | None


class Acknowledgement(Input, frozen=True, kw_only=True):
    """`silence_minutes` also keeps the same thing from raising another alert for so long."""

    note: Annotated[str, Meta(max_length=500)] = ""
    silence_minutes: Minutes | None = None


class NewSilence(Input, frozen=True, kw_only=True):
    """Raise no alert of `fingerprint` for `silence_minutes`."""

    fingerprint: Kind
    silence_minutes: Minutes
    reason: Reason


class Silence(Output, frozen=True, kw_only=True):
    """No alert of `fingerprint` is raised until `ends_at`."""

    id: UUID
    fingerprint: Kind
    reason: str
    created_at: datetime
    created_by: UUID
    ends_at: datetime


class Silences(Output, frozen=True, kw_only=True):
    """The silences in force."""

    items: list[Silence]


class Watched(Output, frozen=True, kw_only=True):
    """One thing that is watched: how often it happened in the window, and how often is too often."""

    kind: Kind
    number: int
    threshold: int
    addresses: dict[str, int]
    silenced_until: datetime | None


class Overview(Output, frozen=True, kw_only=True):
    """What is watched now."""

    at: datetime
    window_minutes: int
    watched: list[Watched]
    open_alerts: list[Alert]


class SnapshotDocument(Output, frozen=True, kw_only=True):
    """What was known of an incident at `created_at`. `audit_head` is `<sequence>:<hash>` of the newest entry."""

    id: UUID
    version: str
    created_at: datetime
    created_by: UUID
    reason: str
    overview: Overview
    silences: list[Silence]
    audit_head: str
    audit: list[AuditRecord]


class Integrity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature over the canonical JSON (members sorted, no white space) of the document beside it."""

    algorithm: Literal["HMAC-SHA256"]
    key_id: UUID
    signature: Annotated[str, Meta(max_length=64)]


class SignedSnapshot(Output, frozen=True, kw_only=True):
    """A document that can be handed on, and shown to be ours."""

    snapshot: SnapshotDocument
    integrity: Integrity


class NewSnapshot(Input, frozen=True, kw_only=True):
    """Why a snapshot is taken."""

    reason: Reason


class SnapshotToVerify(Input, frozen=True, kw_only=True):
    """A signed snapshot as it was received, whatever it holds by now."""

    snapshot: dict[str, Any]
    integrity: Integrity | None = None


class SnapshotVerdict(Output, frozen=True, kw_only=True):
    """Whether the document is what was signed here; `reason` says why not."""

    valid: bool
    reason: str | None


class SnapshotSummary(Output, frozen=True, kw_only=True):
    """A stored snapshot."""

    id: UUID
    created_at: datetime
    created_by: UUID
    key_id: UUID


class Snapshots(Output, frozen=True, kw_only=True):
    """The newest hundred, newest first."""

    items: list[SnapshotSummary]


class RetentionRequest(Input, frozen=True, kw_only=True):
    """`dry_run` only counts. `days` is SECURITY_RETENTION_DAYS unless given."""

    dry_run: bool = True
    days: Annotated[int, Meta(ge=30, le=3_650)] | None = None


class RetentionReport(Output, frozen=True, kw_only=True):
    """How many rows are older than `before`: deleted, or in a dry run only counted."""

    dry_run: bool
    before: datetime
    audit_entries: int
    alerts: int
    silences: int
    counts: int


class ExportBatch(Output, frozen=True, kw_only=True):
    """Audit entries after the consumer's checkpoint, oldest first.

    Store them, then acknowledge `sequence`; until then the same entries come again. `more` says that there are others.
    """

    consumer: str
    items: list[AuditRecord]
    sequence: int
    more: bool


class Checkpoint(Input, frozen=True, kw_only=True):
    """The consumer has everything up to `sequence`."""

    consumer: Consumer
    sequence: Annotated[int, Meta(ge=0, le=2**62)]


class StoredCheckpoint(Output, frozen=True, kw_only=True):
    """How far a consumer has read."""

    consumer: str
    sequence: int
    updated_at: datetime
    updated_by: UUID


class StoredCheckpoints(Output, frozen=True, kw_only=True):
    """Every consumer that ever acknowledged something."""

    items: list[StoredCheckpoint]
