"""What the API of private notes and canned replies takes and returns."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from app.accounts.schemas import Colleague
from app.core.schema import Input, Output

_Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S")]


class Note(Output, frozen=True, kw_only=True):
    """What a colleague noted about a conversation. It never leaves to the customer."""

    id: UUID
    author: Colleague
    text: str
    created_at: datetime


class NewNote(Input, frozen=True, kw_only=True):
    """A note for colleagues."""

    text: _Text


class CannedReply(Output, frozen=True, kw_only=True):
    """A text that is written often; `uses` counts the messages that were written with it."""

    id: UUID
    shortcut: str
    title: str
    text: str
    uses: int
    created_at: datetime


class CannedReplyDraft(Input, frozen=True, kw_only=True):
    """A canned reply as it shall be. `shortcut` is what is typed after a slash; its case does not matter."""

    shortcut: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\s/]+$")]
    title: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
    text: _Text
