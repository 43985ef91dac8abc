"""What is proven, and how it is told."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from app.core.schema import Input, Output

Fate = Literal["answered", "by_person", "ignored", "failed", "pending", "unexplained"]
CheckStatus = Literal["ok", "warning", "broken"]


class LedgerExample(Output, frozen=True, kw_only=True):
    """A message to look at."""

    message_id: UUID
    conversation_id: UUID


class LedgerLine(Output, frozen=True, kw_only=True):
    """How many messages met this fate for this reason, and some of the newest. Answered ones have no reason.

    `reason` is a turn's reason; for `pending` where they wait (`turn`, `outbox`, `unconfirmed`: WhatsApp may have the
    answer, `person`); for `unexplained` what is wrong.
    """

    fate: Fate
    reason: str | None
    count: int
    examples: list[LedgerExample]


class WebhookCount(Output, frozen=True, kw_only=True):
    """Webhooks that were acknowledged in that time: `read` became facts, `pending` wait, `dead` need somebody."""

    received: int
    read: int
    pending: int
    dead: int


class Ledger(Output, frozen=True, kw_only=True):
    """What became of every message of a customer that was stored from `since` until before `until`.

    received = answered + by_person + ignored + failed + pending + unexplained, and `unexplained` must be 0.
    """

    since: datetime
    until: datetime
    received: int
    answered: int
    by_person: int
    ignored: int
    failed: int
    pending: int
    unexplained: int
    lines: list[LedgerLine]
    webhooks: WebhookCount


class Reading(Output, frozen=True, kw_only=True):
    """The acknowledged webhooks read once more, and compared with what is stored.

    `missing` messages were in a webhook and are not in the database, or nobody will answer them although they should
    be; `examples` are webhooks with such. `complete` is false when there were more webhooks than are read at a time.
    """

    webhooks: int
    messages: int
    statuses: int
    missing: int
    examples: list[UUID]
    complete: bool


class Invariant(Output, frozen=True, kw_only=True):
    """Something that must always be true here, and how many things contradict it (counted up to 1000).

    `examples` are ids of some of them. `checked_at` is null before the first check.
    """

    name: str
    about: str
    violations: int
    examples: list[str]
    checked_at: datetime | None
    violated_since: datetime | None


class InvariantList(Output, frozen=True, kw_only=True):
    """Every invariant with its last check. `holds` is false when one is violated or was never checked."""

    holds: bool
    items: list[Invariant]


class ProofToMake(Input, frozen=True, kw_only=True):
    """The time to look at; the last 24 hours unless given."""

    since: datetime | None = None
    until: datetime | None = None


class Proof(Output, frozen=True, kw_only=True):
    """A proof made just now. `holds` when nothing is unexplained or missing, and every invariant is true."""

    holds: bool
    made_at: datetime
    milliseconds: int
    ledger: Ledger
    reading: Reading
    invariants: list[Invariant]


class Check(Output, frozen=True, kw_only=True):
    """One thing the doctor looked at: what was found, and what to do unless it is `ok`."""

    name: str
    status: CheckStatus
    found: str
    remedy: str | None


class Diagnosis(Output, frozen=True, kw_only=True):
    """Everything the doctor looked at, the worst first. `status` is that of the worst."""

    status: CheckStatus
    checked_at: datetime
    checks: list[Check]
