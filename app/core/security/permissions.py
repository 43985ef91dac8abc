"""What may be done here, and the lowest role that may do it: the one table that every guard and API key reads."""

from typing import Final, Literal, get_args

Role = Literal["admin", "supervisor", "agent", "viewer"]

Permission = Literal[
    "accounts:manage",
    "accounts:read",
    "api_keys:manage",
    "audit:read",
    "business:edit",
    "business:read",
    "channels:manage",
    "channels:read",
    "contacts:edit",
    "contacts:read",
    "conversations:answer",
    "conversations:read",
    "conversations:supervise",
    "media:read",
    "metrics:read",
    "models:manage",
    "models:read",
    "outbound:decide",
    "outbound:read",
    "security:manage",
    "security:read",
    "self:manage",
    "system:manage",
    "system:read",
    "webhooks:read",
    "webhooks:retry",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

# Each role may do all that the next one may, so the lowest one says it all.
LOWEST_ROLE: Final[dict[Permission, Role]] = {
    # Everybody who may come in.
    "self:manage": "viewer",
    "business:read": "viewer",
    "channels:read": "viewer",
    "contacts:read": "viewer",
    "conversations:read": "viewer",
    "media:read": "viewer",
    "models:read": "viewer",
    "outbound:read": "viewer",
    "webhooks:read": "viewer",
    # People who talk with customers.
    "contacts:edit": "agent",
    "conversations:answer": "agent",
    # People who look after the others' work.
    "accounts:read": "supervisor",
    "conversations:supervise": "supervisor",
    "outbound:decide": "supervisor",
    "webhooks:retry": "supervisor",
    # People who run the installation.
    "accounts:manage": "admin",
    "api_keys:manage": "admin",
    "audit:read": "admin",
    "business:edit": "admin",
    "channels:manage": "admin",
    "metrics:read": "admin",
    "models:manage": "admin",
    "security:manage": "admin",
    "security:read": "admin",
    "system:manage": "admin",
    "system:read": "admin",
}

# What no API key may do, whoever made it: a stolen key must not make people, keys or silence.
PEOPLE_ONLY: Final[frozenset[Permission]] = frozenset(
    {"self:manage", "accounts:manage", "api_keys:manage", "security:manage"}
)

_STANDING: Final = {role: standing for standing, role in enumerate(reversed(ROLES))}


def allows(role: Role, permission: Permission) -> bool:
    """Tell whether people of `role` have `permission`."""
    return _STANDING[role] >= _STANDING[LOWEST_ROLE[permission]]


def permissions_of(role: Role) -> tuple[Permission, ...]:
    """Return all that `role` allows, in the order of their names."""
    return tuple(permission for permission in PERMISSIONS if allows(role, permission))
