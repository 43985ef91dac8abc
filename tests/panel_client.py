"""Whether the panel's generated API client (`frontend/src/api`) is that of the application: `make types` writes it.

A digest of the document is kept beside the client, so that the check needs neither Node nor the network.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import msgspec

from app.asgi import create_app
from app.core.openapi import openapi_document
from app.plugins import Parts
from settings import load

FRONTEND = Path(__file__).parents[1] / "frontend"
DOCUMENT = FRONTEND / "openapi.json"
STAMP = FRONTEND / "src" / "api" / "document.sha256"


def document() -> bytes:
    """Return the document with nothing configured, as stable text."""
    with tempfile.TemporaryDirectory() as folder:
        whole = openapi_document(create_app(Parts(load({"DATA_DIR": folder}), "web")))
    del whole["servers"]
    return msgspec.json.format(msgspec.json.encode(whole, order="sorted"), indent=2)


def digest() -> str:
    return hashlib.sha256(document()).hexdigest() + "\n"


def main(verb: str) -> int:
    if verb == "write":
        DOCUMENT.write_bytes(document())
    elif verb == "stamp":
        STAMP.write_text(digest(), encoding="utf-8")
    elif not STAMP.exists() or STAMP.read_text(encoding="utf-8") != digest():
        print("The API has changed since the panel's client was written: say `make types` and commit frontend/src/api.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
