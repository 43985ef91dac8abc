"""What the sign-in API takes and returns."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.schema import Input, Output
from app.core.security.actor import Role


class User(msgspec.Struct, frozen=True):
    """A person as stored."""

    id: UUID
    username: str
    password_hash: str
    role: Role
    disabled_at: datetime | None
    created_at: datetime


class Credentials(Input, frozen=True, kw_only=True):
    """A username, in any case, and its password."""

    username: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]


class Person(Output, frozen=True, kw_only=True):
    """Somebody who may come in."""

    id: UUID
    username: str
    role: Role
    created_at: datetime


class SignedIn(Output, frozen=True, kw_only=True):
    """An access token, sent as `Authorization: Bearer`; `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    user: Person
