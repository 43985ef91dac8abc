"""What has happened, in the past tense: facts that other packages react to without the writer knowing them."""

from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact, written in the transaction that made it true and relayed at least once.

    `correlation_id` is the id of the webhook or request that started it all.
    """

    name: ClassVar[str]
    correlation_id: UUID | None = None
