"""Who acts: the person a request was made by, and what their role allows."""

from typing import Final, Literal, get_args
from uuid import UUID

import msgspec

Role = Literal["admin", "supervisor", "agent", "viewer"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_STANDING: Final = {role: standing for standing, role in enumerate(reversed(ROLES))}


class Actor(msgspec.Struct, frozen=True):
    """A signed-in person. `session_id` is the sign-in this request belongs to."""

    user_id: UUID
    username: str
    role: Role
    session_id: UUID

    def is_at_least(self, role: Role) -> bool:
        """Tell whether this person may do what `role` may: each role may do all that the next one may."""
        return _STANDING[self.role] >= _STANDING[role]
