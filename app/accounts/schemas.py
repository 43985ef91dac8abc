"""What the API about people and their sessions takes and returns."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.schema import Input, Output
from app.core.security.permissions import Permission, Role

SessionKind = Literal["cookie", "token"]
LinkPurpose = Literal["invite", "reset"]
Language = Literal["es", "en", "pt-BR"]
Theme = Literal["system", "light", "dark"]
Density = Literal["comfortable", "compact"]

# The rules for a new password are told apart in the problem; here is only what is too much to read.
_Password = Annotated[str, Meta(min_length=1, max_length=1024)]
_Username = Annotated[str, Meta(min_length=1, max_length=64)]
_Code = Annotated[str, Meta(min_length=6, max_length=64)]
_Secret = Annotated[str, Meta(min_length=1, max_length=256)]


class User(msgspec.Struct, frozen=True):
    """A person as stored."""

    id: UUID
    username: str
    password_hash: str
    role: Role
    disabled_at: datetime | None
    created_at: datetime
    awaits_password: bool
    totp_secret: bytes | None
    totp_confirmed_at: datetime | None
    totp_last_step: int | None


class Colleague(Output, frozen=True, kw_only=True):
    """Somebody who works here, by name; null for one who is not known any more."""

    id: UUID
    name: str | None


class TeamMember(Output, frozen=True, kw_only=True):
    """Somebody who may come in now. Whoever is an agent or more can answer, and so be assigned."""

    id: UUID
    name: str
    role: Role


class Credentials(Input, frozen=True, kw_only=True):
    """A username, in any case, and its password.

    `code` are the six digits of the authenticator, or a recovery code, of whoever has one. With `session` set to
    `cookie` the tokens are put into cookies that scripts cannot read, and not into the answer: for browsers.
    """

    username: _Username
    password: _Password
    code: _Code | None = None
    session: SessionKind = "token"


class Refresh(Input, frozen=True, kw_only=True):
    """The refresh token, unless it is in a cookie.

    `nonce` is a random text that a client makes once and keeps: when several of its tabs refresh at once, or it tries
    again after a lost answer, the same nonce within 30 seconds gets the same new token.
    """

    refresh_token: _Secret | None = None
    nonce: Annotated[str, Meta(min_length=16, max_length=128)] | None = None


class PasswordChange(Input, frozen=True, kw_only=True):
    current_password: _Password
    new_password: _Password


class PasswordProof(Input, frozen=True, kw_only=True):
    """The person's own password once more, before something that matters."""

    password: _Password


class SecondFactorCode(Input, frozen=True, kw_only=True):
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class LinkToken(Input, frozen=True, kw_only=True):
    """What stands behind the `#` of a one-time link."""

    token: _Secret


class LinkAcceptance(Input, frozen=True, kw_only=True):
    token: _Secret
    password: _Password


class NewPerson(Input, frozen=True, kw_only=True):
    username: _Username
    password: _Password
    role: Role


class Invitation(Input, frozen=True, kw_only=True):
    username: _Username
    role: Role


class RoleChange(Input, frozen=True, kw_only=True):
    role: Role


class PasswordReset(Input, frozen=True, kw_only=True):
    """`remove_second_factor` is for people who lost their authenticator and their recovery codes."""

    remove_second_factor: bool = False


class NewApiKey(Input, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Permission], Meta(min_length=1, max_length=100)]
    expires_in_days: Annotated[int, Meta(ge=1, le=366)] = 90


class Person(Output, frozen=True, kw_only=True):
    """Somebody who may come in. `invited` is true until they have chosen a password."""

    id: UUID
    username: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    invited: bool
    second_factor: bool


class Me(Output, frozen=True, kw_only=True):
    """Who acts, and all they may do."""

    user: Person
    session_id: UUID | None
    permissions: list[Permission]


class SignedIn(Output, frozen=True, kw_only=True):
    """The tokens of a session: `access_token` is sent as `Authorization: Bearer`, `refresh_token` gets the next pair.

    Both are null where they are in cookies. Times are in seconds.
    """

    access_token: str | None
    token_type: str
    expires_in: int
    refresh_token: str | None
    refresh_expires_in: int
    session_id: UUID
    user: Person


class Session(Output, frozen=True, kw_only=True):
    """A sign-in that may still be used. `current` is the one that asks."""

    id: UUID
    user_id: UUID
    kind: SessionKind
    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    address: str | None
    user_agent: str | None
    current: bool


class SecondFactorBegun(Output, frozen=True, kw_only=True):
    """For the authenticator: the secret as text, and the same as the content of a QR code."""

    secret: str
    uri: str


class RecoveryCodes(Output, frozen=True, kw_only=True):
    """Ten codes, shown this once; each is good for one sign-in without the authenticator."""

    recovery_codes: list[str]


class LinkDetails(Output, frozen=True, kw_only=True):
    """Whom a one-time link is for."""

    username: str
    purpose: LinkPurpose
    expires_at: datetime


class Link(Output, frozen=True, kw_only=True):
    """A one-time link to choose a password, shown this once. Whoever has it can come in as this person."""

    user: Person
    purpose: LinkPurpose
    token: str
    url: str
    expires_at: datetime


class ApiKey(Output, frozen=True, kw_only=True):
    """A key for programs. `prefix` tells it from others; it may do what both its scopes and its owner's role allow."""

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    scopes: list[Permission]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class CreatedApiKey(Output, frozen=True, kw_only=True):
    """The key itself, shown this once, to be sent as `Authorization: Bearer`."""

    key: str
    details: ApiKey


class Preferences(Output, frozen=True, kw_only=True):
    """What a person likes on their screen, wherever they sign in. A `language` of null is that of the browser."""

    language: Language | None
    theme: Theme
    density: Density
    shortcuts_enabled: bool
    sound: bool


class PreferencesReplacement(Input, frozen=True, kw_only=True):
    """All preferences at once."""

    language: Language | None
    theme: Theme
    density: Density
    shortcuts_enabled: bool
    sound: bool
