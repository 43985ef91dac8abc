"""Databases for the parts, and for the tests with a browser one installation whose phone they share."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from app.core.db import Database
from tests.builders.api import BOTH, either_database
from tests.builders.linked_phones import House, house
from tests.replica.site import WhatsAppSite


class Linked(msgspec.Struct, frozen=True):
    """A running installation whose phone is online."""

    house: House
    site: WhatsAppSite
    channel_id: UUID


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An open database with every table, once on each engine."""
    async with either_database(request, tmp_path) as database:
        yield database


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def linked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Linked]:
    """One phone for a whole module; each test has customers of its own."""
    async with WhatsAppSite() as site, house(tmp_path_factory.mktemp("linked"), site) as home, home.working():
        channel_id = await home.add_phone()
        await home.link(channel_id, site)
        yield Linked(home, site, channel_id)
