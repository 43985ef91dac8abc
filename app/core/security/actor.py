"""Who acts: the person a request was made by, and what they may do."""

from uuid import UUID

import msgspec

from app.core.security.permissions import PEOPLE_ONLY, ROLES, Permission, Role, allows

__all__ = ["ROLES", "Actor", "Role"]


class Actor(msgspec.Struct, frozen=True):
    """A person, signed in or through an API key of theirs.

    `session_id` is the sign-in this request belongs to; None for an API key, which is then named by `api_key_id` and
    may do only what `scopes` say of what its owner may.
    """

    user_id: UUID
    username: str
    role: Role
    session_id: UUID | None
    api_key_id: UUID | None = None
    scopes: frozenset[Permission] | None = None

    def may(self, permission: Permission) -> bool:
        """Tell whether the role allows it and, for an API key, its scopes as well."""
        if self.api_key_id is not None and (permission in PEOPLE_ONLY or permission not in (self.scopes or ())):
            return False
        return allows(self.role, permission)
