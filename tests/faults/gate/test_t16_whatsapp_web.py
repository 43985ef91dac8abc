"""T16: the worker and its browser die at any moment while people write to a linked phone.

The judge is the replica of WhatsApp Web: what it took, from whom, and for which chat. No kill touches it.
"""

import asyncio
import os
import random
import signal
from asyncio import to_thread
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.builders.journeys import Journey, eventually, travelling
from tests.builders.linked_phones import AT_ONCE, needs_browser
from tests.faults.figures import Figures
from tests.faults.judge import WRITTEN
from tests.faults.processes import Mostrador, shown_on_failure
from tests.faults.scene import chance_of, chosen_seed
from tests.journeys.model import environ, running_model
from tests.replica.site import Person, WhatsAppSite
from workers.whatsapp_web.browser import processes_of
from workers.whatsapp_web.profile import Profile

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600), needs_browser, pytest.mark.xdist_group("whatsapp-web")]

DEATHS = ["worker", "worker", "browser", "browser", "browser"]
PEOPLE = 4
SETTLED_SECONDS = 180.0  # two leases of half a minute, and a machine that has other things to do


async def test_t16_everybody_is_answered_once_though_worker_and_browser_die(tmp_path: Path) -> None:
    seed = chosen_seed()
    chance = chance_of(seed)
    with Figures("T16 WhatsApp Web", "sqlite", seed) as told, running_model() as model:
        async with WhatsAppSite() as site:
            house = Mostrador(tmp_path, environ=environ(model) | {"WHATSAPP_WEB_URL": site.url.rstrip("/")})
            with house, shown_on_failure(house):
                await to_thread(house.start)
                async with travelling(house) as journey:
                    profile = await _link(journey, site, tmp_path / "data")
                    people = [Person(f"5491177700{n:03}", f"Ana {n}", lid=f"7778880{n:05}") for n in range(PEOPLE)]
                    killing = asyncio.create_task(_kill(house, site, profile, chance))
                    written = await _talk(site, people, chance, killing)
                    await killing
                    await eventually(
                        lambda: _missing(site, written), lambda missing: not missing, within_seconds=SETTLED_SECONDS
                    )
                    _judge(site, people)
                    told.add(kills=len(DEATHS), messages=len(written), answers=len(site.ledger), lost=0, doubled=0)
                    assert await to_thread(house.web.stop) == 0
                    assert processes_of(profile) == [], "no browser outlives the worker"


async def _link(journey: Journey, site: WhatsAppSite, data_dir: Path) -> Path:
    """Link a phone through the API; return its profile, once the browser has written down that it is linked."""
    notice = await journey.get("/api/whatsapp/web/notice")
    added = {"name": "Shop", "consent_version": notice["version"]}
    session = await journey.post("/api/whatsapp/web/sessions", added)
    path = f"/api/whatsapp/web/sessions/{session['id']}"
    policy = await journey.api("PUT", f"{path}/policy", {"policy": msgspec.to_builtins(AT_ONCE)})
    assert policy.status == 200, policy.body
    await journey.post(f"{path}/start")
    await eventually(lambda: journey.get(path), lambda one: one["state"] == "needs_qr", within_seconds=90)
    site.scan()
    await eventually(lambda: journey.get(path), lambda one: one["state"] == "online", within_seconds=60)
    (device,) = site.linked
    profile = Profile(data_dir, session["id"]).directory

    async def is_written_down() -> bool:
        logs = profile.glob("Default/Local Storage/leveldb/*.log")
        return any(device.encode() in file.read_bytes() for file in logs)

    await eventually(is_written_down, within_seconds=60)
    return profile


async def _talk(
    site: WhatsAppSite, people: list[Person], chance: random.Random, killing: "asyncio.Task[None]"
) -> list[str]:
    """Let somebody write every now and then until all deaths are over, and everybody once more."""
    written: list[str] = []

    def says(place: int) -> None:
        written.append(f"m{place}x{len(written)}")
        site.write(people[place], written[-1])

    while not killing.done():
        says(chance.randrange(len(people)))
        await asyncio.sleep(chance.uniform(0.3, 1.5))  # how people write, not a wait for something
    for place in range(len(people)):
        says(place)
    return written


async def _kill(house: Mostrador, site: WhatsAppSite, profile: Path, chance: random.Random) -> None:
    """Kill the worker with all it holds, or the browser alone, each time after answers have begun to leave again.

    The browser of a dead worker must be gone when the next one answers.
    """
    orphans: set[int] = set()
    for victim in chance.sample(DEATHS, len(DEATHS)):
        await site.until(partial(_has_sent_more, site, len(site.ledger)), SETTLED_SECONDS)
        assert not orphans & set(processes_of(profile)), "two browsers over one profile"
        await asyncio.sleep(chance.uniform(0, 1.5))  # when death comes, not a wait for something
        if victim == "worker":
            orphans |= set(processes_of(profile))
            await to_thread(house.web.kill)
            house.restart("serve")
            await to_thread(house.until_ready)
        else:
            for pid in processes_of(profile):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _has_sent_more(site: WhatsAppSite, than: int) -> bool:
    return len(site.ledger) > than


def _answers(site: WhatsAppSite) -> list[tuple[str, str]]:
    """Return (chat, what was answered) for every message of a customer that an answer echoes."""
    return [(one.chat, text) for one in site.ledger for text in WRITTEN.findall(one.body)]


async def _missing(site: WhatsAppSite, written: list[str]) -> set[str]:
    return set(written) - {text for _, text in _answers(site)}


def _judge(site: WhatsAppSite, people: list[Person]) -> None:
    answers = _answers(site)
    twice = [text for text, count in Counter(text for _, text in answers).items() if count > 1]
    assert twice == [], "answered twice"
    for chat, text in answers:
        assert chat == people[int(text[1 : text.index("x")])].chat, f"{text} was answered to somebody else"
