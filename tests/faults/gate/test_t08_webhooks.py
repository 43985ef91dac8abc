"""T8: three thousand webhooks, doubled, at the same time, out of order, in batches, statuses before their messages."""

import asyncio
import hashlib
import random
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.conversations.models import messages, turns
from app.outbound.models import delivery_statuses
from app.whatsapp.models import inbound_events
from tests.builders import whatsapp as wire
from tests.builders.journeys import Journey, travelling
from tests.faults.figures import Figures
from tests.faults.judge import ENDED, WRITTEN, Judge
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed, settled, verified
from tests.journeys.model import environ, running_model

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

WEBHOOKS = 3000
PEOPLE = 200
AT_ONCE = 40


async def test_t8_webhooks_doubled_shuffled_and_batched_are_stored_once_and_answered_once(
    tmp_path: Path, durable_url: str, redis_of_our_own: str
) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T8 webhooks", "postgresql redis", seed) as told, running_model() as model:
        house = Mostrador(
            tmp_path,
            database_url=durable_url,
            redis_url=redis_of_our_own,
            roles=("serve", "jobs"),
            environ=environ(model),
        )
        with house, shown_on_failure(house):
            await asyncio.to_thread(house.start)
            async with travelling(house) as journey:
                phones = [f"57310{number:07}" for number in range(PEOPLE)]
                for phone in phones:  # which opens the 24 hours in which they may be answered
                    await journey.customer(phone).writes("hello")
                await settled(journey)
                ids: list[str] = []
                statuses: set[tuple[str, str]] = set()
                bodies: list[bytes] = []
                while len(bodies) < WEBHOOKS * 0.65:
                    many = 1 if chance.random() < 0.8 else chance.randint(2, 50)
                    if chance.random() < 0.4:
                        said = [(f"wamid.ours.{chance.randrange(2000)}", chance.choice(_WORDS)) for _ in range(many)]
                        statuses |= set(dict(said).items())
                        items = wire.statuses(*(wire.status(word, wamid=wamid) for wamid, word in dict(said).items()))
                    else:
                        new = [f"wamid.in.{len(ids) + number}" for number in range(many)]
                        items = wire.messages(
                            *(
                                wire.text(f"m{phone}x{wamid.rpartition('.')[2]}", wamid=wamid, **{"from": phone})
                                for wamid in new
                                for phone in [chance.choice(phones)]
                            )
                        )
                        ids += new
                    bodies.append(wire.webhook(items, time=len(bodies)))
                posts = [*bodies]
                posts += chance.choices(bodies, k=int(WEBHOOKS * 0.30))
                posts += [body for body in chance.choices(bodies, k=int(WEBHOOKS * 0.0125)) for _ in range(4)]
                _shuffle_some(posts, chance)
                answers = await _post_all(journey, posts)
                told.add(posted=len(posts), **{f"answered_{status}": count for status, count in answers.items()})
                assert set(answers) == {200}
                await settled(journey, 120)

                stored = await journey.rows(sa.select(inbound_events.c.digest, inbound_events.c.state))
                judge = Judge(journey)
                through_meta = {bytes.fromhex(record.sha256) for record in judge.webhooks}
                expected = {hashlib.sha256(body).digest() for body in bodies}
                assert {row.digest for row in stored} == expected | through_meta
                assert len(stored) == len(expected | through_meta)
                assert {row.state for row in stored} == {"done"}
                rows = await journey.rows(sa.select(messages.c.wamid).where(messages.c.author == "customer"))
                assert sorted(row.wamid for row in rows if row.wamid.startswith("wamid.in.")) == sorted(ids)
                known = await journey.rows(sa.select(delivery_statuses.c.wamid, delivery_statuses.c.status))
                assert {(row.wamid, row.status) for row in known if row.wamid.startswith("wamid.ours")} == statuses
                answered = Counter(text for entry in judge.received for text in WRITTEN.findall(entry.body))
                assert max(answered.values()) == 1, "answered twice"
                ended = await journey.rows(sa.select(turns.c.state, sa.func.count()).group_by(turns.c.state))
                told.add(messages=len(ids), statuses=len(statuses), answers=len(judge.received))
                assert {row.state for row in ended} <= set(ENDED)
                await verified(house)


_WORDS = ("sent", "delivered", "read")


def _shuffle_some(posts: list[bytes], chance: random.Random) -> None:
    """Let a third of them come somewhere else."""
    for place in range(len(posts)):
        if chance.random() < 0.3:
            other = chance.randrange(len(posts))
            posts[place], posts[other] = posts[other], posts[place]


async def _post_all(journey: Journey, posts: list[bytes]) -> Counter[int]:
    found: Counter[int] = Counter()
    waiting = iter(posts)

    async def post() -> None:
        for body in waiting:
            found[(await journey.webhook(body)).status] += 1

    await asyncio.gather(*(post() for _ in range(AT_ONCE)))
    return found
