"""Tries the real WhatsApp Web with a spare number: `.venv/bin/python -m tests.replica.canary --help`.

For a person, never for CI. It links a phone to a throw-away profile, waits for one message, answers it once, waits for
the ticks, and unlinks the phone again. What it prints says which step did not work, and on which build of WhatsApp Web.
This is against WhatsApp's terms and can cost the number: docs/whatsapp-web.md.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from playwright.async_api import async_playwright

from app.whatsapp.content import Text
from app.whatsapp.identifiers import Recipient
from app.whatsapp.web.wire import WebMessage
from settings import load
from workers.whatsapp_web.browser import open_browser
from workers.whatsapp_web.engines.bridge import Bridge
from workers.whatsapp_web.engines.wpp import WppPage
from workers.whatsapp_web.looking import state_of

REPLY = "Canary: this message was sent by an automated test of Mostrador."
WITHIN_SECONDS = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phone", help="the spare number, digits with country code; a code to type will be asked for")
    parser.add_argument("--yes-this-may-cost-the-number", action="store_true", required=True)
    parser.add_argument("--url", default="https://web.whatsapp.com", help="for trying this script itself")
    arguments = parser.parse_args()
    asyncio.run(sing(arguments.phone, arguments.url))


async def sing(phone: str, url: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = load({"DATA_DIR": directory, "WHATSAPP_WEB_URL": url}).whatsapp_web
        async with (
            async_playwright() as playwright,
            open_browser(playwright, settings, Path(directory) / "profile") as browser,
        ):
            bridge = Bridge(await browser.open(settings.url))
            await bridge.listen()
            page = WppPage(bridge)
            started = time.monotonic()
            await page.start()
            step(f"wa-js is ready after {time.monotonic() - started:.1f} s")
            step(f"build: {await bridge.evaluate('() => window.Debug?.VERSION ?? null', seconds=5)}")
            await link(page, phone)
            await converse(page)
            await page.log_out()
            step("the phone is unlinked: everything worked")


async def link(page: WppPage, phone: str) -> None:
    step(f"type this code on the phone, under Linked devices: {await page.pairing_code(phone)}")
    ends_at = time.monotonic() + WITHIN_SECONDS
    while (state := state_of(await page.look(), was_linked=False).state) != "online":
        if time.monotonic() > ends_at:
            raise SystemExit(f"not online within {WITHIN_SECONDS:g} s: {state}")
        await asyncio.sleep(1)
    step("online")


async def converse(page: WppPage) -> None:
    step("now write to the spare number from another phone")
    message = await arrival(page)
    step(f"a message arrived: kind {message.kind}, phone {message.phone is not None}, lid {message.lid is not None}")
    recipient = Recipient(message.phone, f"{message.lid}@lid" if message.lid else None)
    draft = await page.prepare(recipient, cold=False)
    await page.send(draft, recipient, Text(REPLY), file=None, quoted=None)
    for _ in range(100):
        ack = await page.lookup(draft)
        if ack:
            step(f"the answer has ack {ack}")
            return
        await asyncio.sleep(0.2)
    raise SystemExit("the answer was never acknowledged")


async def arrival(page: WppPage) -> WebMessage:
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            news = await page.told.get()
            if isinstance(news, WebMessage) and not news.from_me and not news.group:
                return news


def step(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


if __name__ == "__main__":
    main()
