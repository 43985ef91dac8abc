"""When no model can answer: one honest text, somebody is asked to look, and an answer after all."""

from functools import partial

import sqlalchemy as sa

from app.ai.replies.texts import MODELS_UNAVAILABLE
from app.conversations.models import turns
from app.core.db import db_now
from tests.builders.journeys import Customer, Journey, eventually
from tests.fakes.model_server import ModelServer

_FALLBACKS = frozenset(MODELS_UNAVAILABLE.values())


async def test_while_no_model_answers_a_customer_is_told_once_and_answered_later(
    journey: Journey, model: ModelServer
) -> None:
    ana, luis = journey.customer(), journey.customer()
    for _ in range(100):
        model.will("bad_request")
    await ana.writes("¿abren hoy?")
    await luis.writes("¿y mañana?")
    await fallback(ana)
    await fallback(luis)
    conversation = await ana.conversation()
    assert conversation is not None
    assert conversation["attention"] == "models_unavailable"
    (turn,) = await ana.turns()
    assert (turn["state"], turn["reason"], turn["failures"]) == ("collecting", "models_unavailable", 1)

    await ana.writes("¿hay alguien?")
    await eventually(partial(failures, ana), lambda count: count == 2)
    assert len(await ana.received()) == 1

    model.script.clear()
    await try_again_now(journey)
    await ana.gets_last("echo: ¿abren hoy? ¿hay alguien?")
    await luis.gets_last("echo: ¿y mañana?")
    assert [len(await one.received()) for one in (ana, luis)] == [2, 2]
    conversation = await eventually(ana.conversation, lambda found: found is not None and found["attention"] is None)


async def test_what_a_model_refuses_goes_to_a_person(journey: Journey, model: ModelServer) -> None:
    ana = journey.customer()
    model.will("refusal")

    await ana.writes("algo prohibido")

    turn = await ana.turn_ends()
    assert (turn["state"], turn["reason"]) == ("handed_off", "model_refused")
    assert len(await eventually(ana.received)) == 1
    conversation = await ana.conversation()
    assert conversation is not None
    assert (conversation["control"], conversation["attention"]) == ("nobody", "model_refused")


async def fallback(customer: Customer) -> None:
    received = await eventually(customer.received)
    assert set(received) <= _FALLBACKS
    assert len(received) == 1


async def failures(customer: Customer) -> int:
    return int((await customer.turns())[-1]["failures"])


async def try_again_now(journey: Journey) -> None:
    """Let the pauses between attempts be over: what waits for a model is due."""
    await journey.change(sa.update(turns).where(turns.c.state == "collecting").values(due_at=db_now()))
