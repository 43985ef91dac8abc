"""How far the first setup is: what is done is found in the installation itself, only wishes are stored."""

from collections.abc import Sequence
from typing import get_args

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert  # SQLite understands the same ON CONFLICT
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.models import users
from app.ai.llm.provider import Route
from app.business import service as business
from app.conversations.models import turns
from app.conversations.turns import State as TurnState
from app.core.db import db_now
from app.system.models import ONLY_ROW, setup_progress
from app.system.schemas import Setup, SetupChange, SetupStep, StepName
from app.whatsapp.models import channels

STEPS: tuple[StepName, ...] = get_args(StepName)

_A_TEAM = 2
_c = setup_progress.c


async def setup(connection: AsyncConnection, routes: Sequence[Route]) -> Setup:
    """Return every step with its state; `routes` are the ways to a model that are in force."""
    row = (await connection.execute(sa.select(_c.skipped, _c.finished_at))).one_or_none()
    skipped = frozenset(row.skipped) if row is not None else frozenset()
    done = await _done(connection, routes)
    return Setup(
        steps=[
            SetupStep(
                name=step,
                state="done" if step in done else "skipped" if step in skipped else "todo",
                detail=done.get(step),
            )
            for step in STEPS
        ],
        finished_at=row.finished_at if row is not None else None,
    )


async def change(connection: AsyncConnection, wanted: SetupChange) -> None:
    """Store which steps are skipped and whether the setup is closed; a setup that was closed keeps its time."""
    values = {"skipped": sorted(set(wanted.skipped)), "finished_at": db_now() if wanted.finished else None}
    kept = sa.func.coalesce(_c.finished_at, db_now()) if wanted.finished else sa.null()
    await connection.execute(
        upsert(setup_progress)
        .values(id=ONLY_ROW, **values)
        .on_conflict_do_update(index_elements=[_c.id], set_={"skipped": values["skipped"], "finished_at": kept})
    )


async def _done(connection: AsyncConnection, routes: Sequence[Route]) -> dict[StepName, str]:
    """Return a fact about each step that is done."""
    found: dict[StepName, str] = {}
    profile = await business.get(connection)
    if profile.version > 0:
        found["profile"] = profile.profile.name
    models = [route.model for route in routes if route.is_enabled and route.provider.answer is None]
    if models:
        found["provider"] = ", ".join(models)
    numbers = (
        await connection.scalars(sa.select(channels.c.name).where(channels.c.source != "simulator").limit(20))
    ).all()
    if numbers:
        found["channel"] = ", ".join(numbers)
    answered_at = await connection.scalar(
        sa.select(turns.c.answered_at)
        .where(turns.c.state == TurnState.DONE, turns.c.answered_at.is_not(None))
        .order_by(turns.c.id.desc())
        .limit(1)
    )
    if answered_at is not None:
        found["test_message"] = answered_at.isoformat()
    people = await connection.scalar(
        sa.select(sa.func.count()).select_from(users).where(users.c.disabled_at.is_(None), ~users.c.awaits_password)
    )
    if (people or 0) >= _A_TEAM:
        found["team"] = str(people)
    return found
