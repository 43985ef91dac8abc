import pytest

from app.core.ids import new_id
from app.core.security.actor import Actor
from app.core.security.permissions import (
    LOWEST_ROLE,
    PEOPLE_ONLY,
    PERMISSIONS,
    ROLES,
    Permission,
    allows,
    permissions_of,
)


def test_every_permission_has_a_lowest_role() -> None:
    assert set(LOWEST_ROLE) == set(PERMISSIONS)
    assert set(LOWEST_ROLE.values()) <= set(ROLES)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_each_role_may_do_what_the_next_one_may(permission: Permission) -> None:
    allowed = [allows(role, permission) for role in ROLES]
    assert allowed == sorted(allowed, reverse=True)
    assert allowed[0], "an admin may do everything"


def test_what_a_role_may_do_is_listed() -> None:
    assert permissions_of("admin") == PERMISSIONS
    assert "conversations:answer" not in permissions_of("viewer")
    assert set(permissions_of("viewer")) < set(permissions_of("agent"))


def key(role: str, *scopes: Permission) -> Actor:
    return Actor(new_id(), "ana", role, None, new_id(), frozenset(scopes))  # type: ignore[arg-type]  # a role by its name


def test_an_api_key_may_do_what_both_its_scopes_and_its_owner_may() -> None:
    assert key("agent", "contacts:read").may("contacts:read")
    assert not key("agent", "contacts:read").may("contacts:edit")
    assert not key("viewer", "contacts:edit").may("contacts:edit")


@pytest.mark.parametrize("permission", sorted(PEOPLE_ONLY))
def test_some_things_no_api_key_may_do(permission: Permission) -> None:
    assert not key("admin", *PERMISSIONS).may(permission)
