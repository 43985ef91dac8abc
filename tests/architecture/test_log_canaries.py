"""Nothing secret and nothing personal reaches the logs: what is planted everywhere is looked for in every line.

A whole installation serves on this machine, with its simulator, and logs everything it can (level debug). A customer
writes, the assistant answers, a person answers; strangers try what strangers try. Then the log is searched.
"""

import io
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from app.asgi import create_app
from app.core.log import configure_logging
from app.plugins import Parts, simulator_token
from settings import load
from tests.core.http.door import listening
from tests.core.http.whole import APP_SECRET, FERNET_KEY, JWT_SECRET, PASSWORD, VERIFY_TOKEN, environment

PHONE, STRANGERS_PHONE = "573009174466", "573115550199"

PLANTED = {
    "the key that signs tokens": JWT_SECRET,
    "the key of stored secrets": FERNET_KEY,
    "the admin's password": PASSWORD,
    "the app secret": APP_SECRET,
    "the verify token": VERIFY_TOKEN,
    "a provider's key": "canary-provider-key-51d0c7",
    "the metrics token": "canary-metrics-token-77ab90c1e2",
    "the customer's phone": PHONE,
    "the customer's name": "Canaria Pelayo",
    "what the customer wrote": "canary-question: where is my parcel",
    "a caption": "canary-caption of a picture",
    "the name of a file": "canary-invoice.pdf",
    "what a person answered": "canary-answer: it is on its way",
    "a wrong password": "canary-wrong-password",
    "the name somebody tried": "canary-nobody",
    "a forged token": "canary-forged-token",
    "a forged API key": "canary-forged-key",
    "a token in an address": "canary-token-in-query",
    "the text of an unsigned webhook": "canary-unsigned-webhook",
    "the phone in an unsigned webhook": STRANGERS_PHONE,
    "a forged signature": "ca11a51e" * 8,
    "text in malformed JSON": "canary-malformed",
    "text in an unknown field": "canary-unknown-field",
    "a cookie": "canary-cookie",
    "a new person's password": "canary-new-password-Zx8!",
    "a search": "canary-search",
}


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    stream = io.StringIO()
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging(log_format="json", level="debug", stream=stream)
    yield stream.getvalue
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


async def test_nothing_planted_is_found_in_the_log(tmp_path: Path, log: Callable[[], str]) -> None:
    async with installation(tmp_path) as (client, parts):
        signed_in = await sign_in(client)
        tokens = [signed_in[name] for name in ("access_token", "refresh_token") if signed_in.get(name)]
        await customer_and_people(client, tokens[0])
        tokens += await shown_once(client, tokens[0])
        await strangers(client)
        planted = PLANTED | {f"token {number}": token for number, token in enumerate(tokens)}
        planted["the simulator's token"] = simulator_token(parts.settings)

    lines = log().splitlines()
    events = {json.loads(line)["event"] for line in lines if line.startswith("{")}
    assert {"accounts.signed_in", "accounts.sign_in_refused"} <= events, "the log was not captured"
    assert any(event.startswith(("outbound.", "turn", "replies.", "webhook")) for event in events), sorted(events)
    found = {name: line for name, value in planted.items() for line in lines if value.lower() in line.lower()}
    assert len(planted) >= 20
    assert found == {}


@pytest.mark.parametrize("name", ["password", "phone", "access_token"])
def test_a_planted_secret_that_was_logged_by_mistake_would_at_least_lose_its_value(
    name: str, log: Callable[[], str]
) -> None:
    structlog.get_logger().info("canary", **{name: "canary-value"}, other="seen")
    assert "seen" in log()
    assert "canary-value" not in log()


@asynccontextmanager
async def installation(directory: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Parts]]:
    """Serve everything in one process, simulator included, and yield a client of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with socket.socket() as unheard:  # a model provider that nobody reaches
        unheard.bind(("127.0.0.1", 0))
        given = environment(
            directory,
            PUBLIC_URL=url,
            SIMULATOR="true",
            TURN_QUIET_SECONDS="0",
            RATE_LIMIT_ENABLED="true",
            METRICS_TOKEN=PLANTED["the metrics token"],
            COMPATIBLE_API_KEY=PLANTED["a provider's key"],
            COMPATIBLE_BASE_URL=f"http://127.0.0.1:{unheard.getsockname()[1]}",
            COMPATIBLE_MODEL="any",
        )
        parts = Parts(load(given), "web")
        async with parts.running(), listening(create_app(parts), listener):
            async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
                yield client, parts
            if parts.simulator is not None:
                parts.simulator.stopping.set()


async def sign_in(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/auth/login", json={"username": "admin", "password": PASSWORD})
    assert answer.status_code == 200
    signed_in: dict[str, Any] = answer.json()
    return signed_in


async def customer_and_people(client: httpx.AsyncClient, token: str) -> None:
    """A customer writes, is answered by the assistant, and then by a person."""
    bearer = {"Authorization": f"Bearer {token}"}
    for message in (
        {"type": "text", "body": PLANTED["what the customer wrote"]},
        {"type": "image", "caption": PLANTED["a caption"]},
        {"type": "document", "filename": PLANTED["the name of a file"]},
    ):
        written = {"customer": PHONE, "name": PLANTED["the customer's name"], "message": message}
        assert (await client.post("/simulator/control/messages", json=written)).status_code == 201
    await received(client, lambda message: not message["mine"])

    [conversation] = (await client.get("/api/conversations", headers=bearer)).json()["items"]
    path = f"/api/conversations/{conversation['id']}"
    answer = {"content": {"type": "text", "body": PLANTED["what a person answered"]}}
    assert (await client.post(f"{path}/take-over", json={}, headers=bearer)).status_code == 200
    assert (await client.post(f"{path}/messages", json=answer, headers=bearer)).status_code == 201
    await received(client, lambda message: message["text"] == PLANTED["what a person answered"])
    person = {"username": "somebody", "role": "agent", "password": PLANTED["a new person's password"]}
    created = await client.post("/api/users", json=person, headers=bearer)
    found = await client.get("/api/conversations", params={"q": PLANTED["a search"]}, headers=bearer)
    figures = await client.get("/metrics", headers={"Authorization": f"Bearer {PLANTED['the metrics token']}"})
    assert (created.status_code, found.status_code, figures.status_code) == (201, 200, 200), created.text


async def shown_once(client: httpx.AsyncClient, token: str) -> list[str]:
    """Return the secrets that the API makes and shows once: an API key, a one-time link, a second factor."""
    bearer = {"Authorization": f"Bearer {token}"}
    answers = [
        await client.post("/api/api-keys", json={"name": "k", "scopes": ["contacts:read"]}, headers=bearer),
        await client.post("/api/users/invitations", json={"username": "guest", "role": "viewer"}, headers=bearer),
        await client.post("/api/auth/second-factor", json={"password": PASSWORD}, headers=bearer),
    ]
    secrets = [
        value.rpartition("#")[2].rpartition("=")[2]
        for answer in answers
        for name, value in answer.json().items()
        if name in {"key", "secret", "token", "url", "link"}
        and isinstance(value, str)  # the URI only repeats the secret
    ]
    assert len(secrets) >= 3, [answer.text for answer in answers]
    return secrets


async def received(client: httpx.AsyncClient, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the customer's phone shows such a message."""
    after = 0
    for _ in range(20):
        asked = {"customer": PHONE, "after": str(after), "wait_seconds": "10"}
        view = (await client.get("/simulator/control/phone", params=asked)).json()
        if any(wanted(message) for message in view["messages"]):
            return
        after = view["seq"]
    pytest.fail("the customer did not receive it")


async def strangers(client: httpx.AsyncClient) -> None:
    """Requests that are refused, each with something in it that should not be kept."""
    wrong = {"username": PLANTED["the name somebody tried"], "password": PLANTED["a wrong password"]}
    unsigned = {"entry": [{"from": STRANGERS_PHONE, "text": {"body": PLANTED["the text of an unsigned webhook"]}}]}
    json_type = {"Content-Type": "application/json"}
    handshake = {"hub.mode": "subscribe", "hub.verify_token": PLANTED["a token in an address"], "hub.challenge": "1"}
    statuses = [
        (await client.post("/api/auth/login", json=wrong)).status_code,
        (await client.post("/api/auth/login", json=wrong | {PLANTED["text in an unknown field"]: 1})).status_code,
        (
            await client.post("/api/auth/login", content=f'{{"{PLANTED["text in malformed JSON"]}', headers=json_type)
        ).status_code,
        (
            await client.get("/api/auth/me", headers={"Authorization": f"Bearer {PLANTED['a forged token']}"})
        ).status_code,
        (await client.get("/api/auth/me", headers={"X-Api-Key": PLANTED["a forged API key"]})).status_code,
        (await client.get("/api/auth/me", headers={"Cookie": f"__Host-access={PLANTED['a cookie']}"})).status_code,
        (await client.get(f"/api/conversations/{PHONE}?token={PLANTED['a token in an address']}")).status_code,
        (await client.get("/webhooks/whatsapp", params=handshake)).status_code,
        (
            await client.post(
                "/webhooks/whatsapp",
                json=unsigned,
                headers={"X-Hub-Signature-256": f"sha256={PLANTED['a forged signature']}"},
            )
        ).status_code,
        (await client.get("/metrics", headers={"Authorization": f"Bearer {PLANTED['a forged token']}"})).status_code,
    ]
    assert set(statuses) <= {400, 401, 403, 404, 422}, statuses
