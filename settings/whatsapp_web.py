"""WhatsApp Web: the browser of linked phones, and what it opens."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from settings.env import Reader
from settings.server import ServerSettings

__all__ = ["WhatsAppWebSettings", "read"]

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatsAppWebSettings:
    """`browser` is None where there is none on this machine. `url` has a slash at its end.

    `memory_bytes` is what the browser of one phone may take before it is opened anew in a quiet moment. A
    phone whose page is read by what it shows tries the page's modules again after `probe_seconds`.
    """

    url: str
    browser: Path | None
    headless: bool
    sandbox: bool
    memory_bytes: int
    probe_seconds: int


def read(reader: Reader, server: ServerSettings) -> WhatsAppWebSettings:
    return WhatsAppWebSettings(
        url=_url(reader, server),
        browser=_browser(reader),
        headless=reader.boolean("WHATSAPP_WEB_HEADLESS", default=True),
        sandbox=reader.boolean("WHATSAPP_WEB_SANDBOX", default=not _is_root()),
        memory_bytes=reader.whole_number("WHATSAPP_WEB_MEMORY_MB", 1500, minimum=300, maximum=16_000) * 1024 * 1024,
        probe_seconds=reader.whole_number("WHATSAPP_WEB_PROBE_SECONDS", 3600, minimum=1, maximum=86_400),
    )


def _url(reader: Reader, server: ServerSettings) -> str:
    url = reader.url("WHATSAPP_WEB_URL", "https://web.whatsapp.com")
    if server.is_production and urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOOPBACK:
        reader.problem("WHATSAPP_WEB_URL", "would show the account unencrypted", "write an https:// address")
    return f"{url}/"


def _browser(reader: Reader) -> Path | None:
    given = reader.text("WHATSAPP_WEB_BROWSER", None)
    if given is not None:
        path = Path(given)
        if not _is_file(path):
            reader.problem("WHATSAPP_WEB_BROWSER", f"{given} is no file", "write the path of Chromium")
        return path
    found = next((where for name in _BROWSERS if (where := shutil.which(name)) is not None), None)
    return Path(found) if found else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
