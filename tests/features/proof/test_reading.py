"""Acknowledged webhooks are read once more, and everything in them must be stored."""

import pytest
import sqlalchemy as sa

from app.conversations.models import messages
from app.conversations.turns import Pace
from app.core.db import Database
from app.outbound.models import delivery_statuses
from app.proof.service import Prover
from app.reactions import Arrivals
from app.whatsapp.ingest import Ingest
from tests.builders import whatsapp as wire
from tests.builders.pipeline import Pipeline


@pytest.fixture
async def taken(database: Database, rows: Pipeline, prover: Prover) -> None:
    """Three webhooks that went through the ingest: a text, a reaction and a status."""
    await rows.channel(phone_number_id=wire.NUMBER_ID)
    for body in (
        wire.webhook(wire.messages(wire.text("hello", wamid="wamid.text"))),
        wire.webhook(wire.messages(wire.message("reaction", wamid="wamid.reaction"))),
        wire.webhook(wire.statuses(wire.status("delivered"))),
    ):
        await rows.event(body)
    arrivals = Arrivals(Pace(0, 0))
    ingest = Ingest(database, prover._channels, arrivals.take, arrivals.forget)
    await ingest.handle(await ingest.claim(10))


@pytest.mark.usefixtures("taken")
async def test_what_was_stored_is_found(prover: Prover) -> None:
    reading = (await prover.prove()).reading

    assert (reading.webhooks, reading.messages, reading.statuses) == (3, 2, 1)
    assert (reading.missing, reading.examples, reading.complete) == (0, [], True)


@pytest.mark.usefixtures("taken")
@pytest.mark.parametrize("lost", ["wamid.text", "wamid.reaction"])
async def test_a_message_that_is_not_there_is_missing(database: Database, prover: Prover, lost: str) -> None:
    async with database.write() as connection:
        await connection.execute(sa.delete(messages).where(messages.c.wamid == lost))

    proof = await prover.prove()

    assert not proof.holds
    assert (proof.reading.missing, len(proof.reading.examples)) == (1, 1)


@pytest.mark.usefixtures("taken")
async def test_a_message_that_deserves_an_answer_and_will_get_none_is_missing(
    database: Database, prover: Prover
) -> None:
    async with database.write() as connection:
        await connection.execute(sa.update(messages).values(turn_id=None, awaits_turn=0))

    assert (await prover.prove()).reading.missing == 1, "the reaction needs no answer, the text does"


@pytest.mark.usefixtures("taken")
async def test_a_status_that_is_not_there_is_missing(database: Database, prover: Prover) -> None:
    async with database.write() as connection:
        await connection.execute(sa.delete(delivery_statuses))

    assert (await prover.prove()).reading.missing == 1


async def test_a_webhook_about_a_number_that_was_removed_is_nobodys(rows: Pipeline, prover: Prover) -> None:
    await rows.event(wire.webhook(wire.messages(wire.text("hello"))), state="done")

    reading = (await prover.prove()).reading

    assert (reading.webhooks, reading.messages, reading.missing) == (1, 0, 0)
