"""Access tokens: short-lived JWTs (RFC 7519) with a pinned algorithm and a checked type, audience and issuer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import jwt
import msgspec

from app.core.errors import Unauthenticated
from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.permissions import Role

ACCESS_TOKEN_SECONDS: Final = 600

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "mostrador"
_AUDIENCE: Final = "mostrador-api"
_TYPE: Final = "access"
_LEEWAY_SECONDS: Final = 10  # clocks of several machines; applies to "not before" and "issued at" as well


class InvalidToken(Unauthenticated):
    """The token is missing, forged, expired, or meant for something else; it does not say which."""

    code = "invalid_token"


class IssuedToken(msgspec.Struct, frozen=True):
    token: str
    expires_at: datetime
    expires_in_seconds: int


class Access(msgspec.Struct, frozen=True):
    """What a valid credential says: who acts, and until when.

    `session_ends_at` is the latest moment the session behind it can last to, where there is one.
    """

    actor: Actor
    expires_at: datetime
    session_ends_at: datetime | None = None


class _Claims(msgspec.Struct, frozen=True):
    sub: UUID
    name: str
    role: Role
    sid: UUID
    exp: int
    typ: Literal["access"]


class AccessTokens:
    """Issues and verifies access tokens under one secret of at least 32 bytes. `clock` is read when issuing.

    By itself it is an `Authenticator` that believes a token until it expires; `app.accounts.authentication` also asks
    whether the session still stands, and is what the product uses.
    """

    def __init__(
        self,
        secret: str,
        *,
        lifetime_seconds: int = ACCESS_TOKEN_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._secret = secret
        self._lifetime = timedelta(seconds=lifetime_seconds)
        self._clock = clock

    def issue(self, actor: Actor, *, not_after: datetime | None = None) -> IssuedToken:
        """Return a token for `actor`, valid from now on, and not after the moment its session ends."""
        now = self._clock().replace(microsecond=0)
        expires_at = now + self._lifetime
        if not_after is not None:
            expires_at = min(expires_at, not_after.replace(microsecond=0))
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "typ": _TYPE,
            "sub": str(actor.user_id),
            "name": actor.username,
            "role": actor.role,
            "sid": str(actor.session_id),
            "jti": str(new_id()),
            "iat": now,
            "nbf": now,
            "exp": expires_at,
        }
        return IssuedToken(
            token=jwt.encode(claims, self._secret, algorithm=_ALGORITHM),
            expires_at=expires_at,
            expires_in_seconds=int((expires_at - now).total_seconds()),
        )

    async def authenticate(self, credential: str) -> Access:
        return self.verify(credential)

    async def is_valid(self, access: Access) -> bool:
        del access
        return True

    def verify(self, token: str) -> Access:
        """Read a token.

        Raises `InvalidToken` whatever is wrong with it.
        """
        try:
            raw = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"]},
            )
            claims = msgspec.convert(raw, _Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError) as error:
            raise InvalidToken("the access token is not valid or no longer valid: sign in again") from error
        actor = Actor(user_id=claims.sub, username=claims.name, role=claims.role, session_id=claims.sid)
        return Access(actor=actor, expires_at=datetime.fromtimestamp(claims.exp, UTC))
