"""What an operator is told."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.schema import Input, Output

Status = Literal["ok", "degraded", "unhealthy"]
ProcessKind = Literal["web", "jobs", "scheduler", "whatsapp-web"]
LetterKind = Literal["webhook", "turn", "outbound", "media"]
StepName = Literal["profile", "provider", "channel", "test_message", "team"]


class Finding(msgspec.Struct, frozen=True):
    """What a probe found. `detail` is a fixed sentence for the operator; it never holds an error's text."""

    status: Status
    detail: str = ""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in the database now, each by stage (`inbox`, `turn`, `outbox`) or kind."""

    oldest_age_seconds: dict[str, float] = {}
    pending: dict[str, int] = {}
    dead: dict[str, int] = {}
    unknown: int = 0
    needs_operator: int = 0


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """A process of this installation. `alive` is false when it has not been heard of for 30 seconds."""

    id: UUID
    kind: ProcessKind
    host: str
    pid: int
    version: str
    started_at: datetime
    beat_at: datetime
    alive: bool


class HealthSummary(Output, frozen=True, kw_only=True):
    """Health for load balancers and strangers. `oldest_pending_age_seconds` is null when it cannot be known."""

    status: Status
    components: dict[str, Status]
    oldest_pending_age_seconds: float | None


class Component(Output, frozen=True, kw_only=True):
    """One part of the installation and what was found."""

    name: str
    status: Status
    detail: str


class HealthDetails(Output, frozen=True, kw_only=True):
    """Health for the operator: what was found, what waits where, and which processes run."""

    status: Status
    version: str
    components: list[Component]
    backlog: Backlog | None
    processes: list[Process]


class Alive(Output, frozen=True, kw_only=True):
    """The process runs and its event loop turns."""

    status: Literal["ok"]


class Readiness(Output, frozen=True, kw_only=True):
    """Whether this process should be sent requests."""

    status: Status
    components: dict[str, Status]


class KeyRing(Output, frozen=True, kw_only=True):
    """The keys that encrypt stored secrets, and how far the pass over everything encrypted is.

    `newest` is the fingerprint of the key that encrypts. `renewed` were under an older key, `undecryptable` are under
    none of them: put the lost key back into FERNET_KEY. `finished_at` is null while the pass runs; times are null
    before its first run.
    """

    newest: str
    key_count: int
    first_seen_at: datetime | None = None
    checked: int = 0
    renewed: int = 0
    undecryptable: int = 0
    finished_at: datetime | None = None


class QueueState(Output, frozen=True, kw_only=True):
    """What waits in one stage of the message path, or in one queue of jobs (`jobs.<name>`).

    `pending` is due now, `scheduled` is for later (a burst that may go on, another try), `in_flight` is being worked
    on. `oldest_age_seconds` is how long the oldest pending one is late; null for jobs, whose queue does not know.
    """

    name: str
    pending: int
    in_flight: int
    scheduled: int
    oldest_age_seconds: float | None


class DeadLetter(Output, frozen=True, kw_only=True):
    """Something that was given up and needs a person.

    A `webhook` that could not be taken in, a `turn` without an answer, an `outbound` message that failed for good, or
    a `media` file that could not be fetched. `reason` is for people, or a reason code of a turn.
    """

    kind: LetterKind
    id: UUID
    reason: str | None
    at: datetime
    attempts: int
    conversation_id: UUID | None


class Discard(Input, frozen=True, kw_only=True):
    """Why nobody need look at a dead letter any more."""

    reason: Annotated[str, Meta(pattern=r"\S", max_length=200)]


class SetupStep(Output, frozen=True, kw_only=True):
    """A step of the first setup. `done` is found in what is there, and wins over `skipped`.

    `detail` is a fact in no language: the business's name, the models, the numbers, the time of the last answer (ISO
    8601), how many people can sign in.
    """

    name: StepName
    state: Literal["done", "todo", "skipped"]
    detail: str | None


class Setup(Output, frozen=True, kw_only=True):
    """The first setup. `finished_at` is null until somebody closes it for good."""

    steps: list[SetupStep]
    finished_at: datetime | None


class SetupChange(Input, frozen=True, kw_only=True):
    """Which steps are skipped, all of them, and whether the setup is closed."""

    skipped: Annotated[list[StepName], Meta(max_length=5)]
    finished: bool
