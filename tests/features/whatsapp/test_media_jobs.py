"""Files that people send: fetched in the background, checked, kept, handed out."""

import asyncio
import base64
import hashlib
import json
import stat
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.core.db import Database, db_now, metadata
from app.core.http_client import HttpClient
from app.core.ids import new_id
from app.core.jobs import register
from app.core.security.actor import Actor
from app.core.security.cipher import Cipher
from app.whatsapp.channels import Channels, ChannelSecrets, NewChannel
from app.whatsapp.graph import GraphClient
from app.whatsapp.jobs import SCHEDULES, JobContext, fetch_media, jobs
from app.whatsapp.media_controllers import MediaController
from app.whatsapp.media_store import MOST_CLAIMS
from app.whatsapp.models import channels, media
from tests.core.http.door import application, knocking
from tests.fakes.receiver import running_server

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8BQDwAEgAF/pooBPQAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
TOKEN = "EAAsecret"


class Graph:
    """Meta's media endpoints: `/v26.0/{id}` tells an address, and the address gives the bytes.

    `downloads` gives the status of the next downloads (200 when it is empty), `during` is awaited before the bytes.
    """

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, bytes] = {}
        self.told: dict[str, dict[str, Any]] = {}
        self.info_status = 200
        self.downloads: list[int] = []
        self.during: Callable[[], Awaitable[None]] | None = None
        self.infos: Counter[str] = Counter()
        self.fetched: Counter[str] = Counter()
        self.unauthorised = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {TOKEN}".encode():
            self.unauthorised += 1
        status, body = await self._answer(scope["path"])
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]}
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, path: str) -> tuple[int, bytes]:
        media_id = path.rpartition("/")[2]
        if path.startswith("/v26.0/"):
            self.infos[media_id] += 1
            error = {"error": {"message": "(#131000) Something went wrong", "code": 131000}}
            info = {"url": f"{self.url}/files/{self.infos[media_id]}/{media_id}", "id": media_id}
            return self.info_status, json.dumps(
                info | self.told.get(media_id, {}) if self.info_status == 200 else error
            ).encode()
        status = self.downloads.pop(0) if self.downloads else 200
        self.fetched[media_id] += 1
        if self.during is not None:
            await self.during()
        return status, self.files[media_id] if status == 200 else b"no"


class Desk:
    """A database with one channel, the folder, and rows to fetch."""

    def __init__(self, context: JobContext, graph: Graph, channel_id: UUID) -> None:
        self.context = context
        self.graph = graph
        self.channel_id = channel_id

    @property
    def kept(self) -> list[Path]:
        return sorted(self.context.media_dir.glob("*"))

    async def announce(self, content: bytes, **members: Any) -> UUID:
        """Add a file that a webhook has announced, truly unless `members` say otherwise."""
        media_id = new_id()
        provider_id = media_id.hex
        self.graph.files[provider_id] = content
        row = {
            "id": media_id,
            "message_id": new_id(),
            "channel_id": self.channel_id,
            "provider_id": provider_id,
            "kind": "image",
            "mime_type": "image/png",
            "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
            "state": "pending",
        }
        async with self.context.database.write() as connection:
            await connection.execute(media.insert().values(**{**row, **members}))
        return media_id

    async def fetch(self) -> None:
        await fetch_media(self.context)

    async def row(self, media_id: UUID) -> Any:
        async with self.context.database.read() as connection:
            return (await connection.execute(sa.select(*media.c).where(media.c.id == media_id))).one()

    async def wait_seconds(self, media_id: UUID) -> float:
        """Return after how many seconds the file is due again."""
        async with self.context.database.read() as connection:
            now = await self.context.database.now(connection)
        waiting: timedelta = (await self.row(media_id)).due_at - now
        return waiting.total_seconds()

    async def change(self, media_id: UUID, **values: Any) -> None:
        async with self.context.database.write() as connection:
            await connection.execute(sa.update(media).where(media.c.id == media_id).values(**values))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    async with Database(url) as opened:
        async with opened.write() as connection:
            await connection.run_sync(metadata.create_all, tables=[channels, media])
        yield opened


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    graph = Graph()
    http = HttpClient()
    async with running_server(lambda _: graph) as graph.url:
        channel = NewChannel(
            name="Shop",
            phone_number_id="10654",
            graph_url=graph.url,
            api_version="v26.0",
            secrets=ChannelSecrets(TOKEN),
            source="environment",
        )
        known = Channels(database, Cipher([Fernet.generate_key().decode()]), [channel])
        await known.open()
        [found] = await known.all()
        context = JobContext(
            database=database, channels=known, graph=GraphClient(http), media_dir=tmp_path / "data" / "media"
        )
        yield Desk(context, graph, found.id)
        await http.aclose()


async def test_a_good_file_is_stored_under_a_random_name_that_only_we_can_read(desk: Desk) -> None:
    media_id = await desk.announce(PNG, filename="../../etc/passwd", mime_type="image/png; charset=binary")

    await desk.fetch()

    row = await desk.row(media_id)
    [path] = desk.kept
    assert (row.state, row.mime_type, row.size_bytes, row.reason) == ("stored", "image/png", len(PNG), None)
    assert row.sha256 == hashlib.sha256(PNG).hexdigest()
    assert path.name == row.stored_name
    assert path.read_bytes() == PNG
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (desk.graph.fetched.total(), desk.graph.unauthorised) == (1, 0)


async def test_a_file_announced_without_a_type_gets_the_one_that_its_bytes_show(desk: Desk) -> None:
    unnamed = await desk.announce(PDF, kind="document", mime_type=None, sha256=None)
    untyped = await desk.announce(PDF, kind="document", mime_type="application/octet-stream")
    unknown = await desk.announce(b"\x00\x01\x02 own format", kind="document", mime_type=None)

    await desk.fetch()

    assert [(await desk.row(one)).mime_type for one in (unnamed, untyped, unknown)] == [
        "application/pdf",
        "application/pdf",
        "application/octet-stream",
    ]


@pytest.mark.parametrize(
    ("content", "members", "reason"),
    [
        pytest.param(PNG, {"sha256": hashlib.sha256(b"other").hexdigest()}, "corrupt", id="webhook's hash"),
        pytest.param(PDF, {}, "is not image/png", id="other bytes than announced"),
        pytest.param(
            PNG, {"kind": "document", "mime_type": "application/pdf"}, "is not application/pdf", id="disguised"
        ),
        pytest.param(b"<svg onload='alert(1)'/>", {"mime_type": "image/svg+xml"}, "is not image/svg+xml", id="svg"),
        pytest.param(PDF, {"mime_type": "application/pdf"}, "which is no image", id="other kind than announced"),
        pytest.param(b"", {}, "empty", id="empty"),
        pytest.param(
            WEBP + bytes(2 * 1024 * 1024), {"kind": "sticker", "mime_type": "image/webp"}, "too_large", id="too large"
        ),
    ],
)
async def test_a_file_that_is_not_what_it_should_be_is_refused_for_good_and_leaves_nothing(
    desk: Desk, content: bytes, members: dict[str, Any], reason: str
) -> None:
    media_id = await desk.announce(content, **members)

    await desk.fetch()
    await desk.fetch()

    row = await desk.row(media_id)
    assert (row.state, row.stored_name, row.claims) == ("refused", None, 1)
    assert reason in row.reason
    assert desk.kept == []


async def test_a_file_that_does_not_match_the_hash_of_graphs_own_answer_is_refused(desk: Desk) -> None:
    media_id = await desk.announce(PNG, sha256=None)
    desk.graph.told[media_id.hex] = {"sha256": hashlib.sha256(PDF).hexdigest()}

    await desk.fetch()

    assert (await desk.row(media_id)).state == "refused"


async def test_an_address_that_has_expired_is_asked_for_again_at_once(desk: Desk) -> None:
    media_id = await desk.announce(PNG)
    desk.graph.downloads = [404]

    await desk.fetch()

    row = await desk.row(media_id)
    assert (row.state, row.claims, desk.graph.infos.total()) == ("stored", 1, 2)


async def test_a_file_that_is_gone_is_tried_again_a_minute_later(desk: Desk) -> None:
    media_id = await desk.announce(PNG)
    desk.graph.downloads = [410, 404]

    await desk.fetch()

    row = await desk.row(media_id)
    assert (row.state, row.claims) == ("pending", 1)
    assert "gone" in row.reason
    assert 50 < await desk.wait_seconds(media_id) <= 60
    await desk.fetch()
    assert (await desk.row(media_id)).claims == 1, "it is not due yet"


async def test_a_server_that_keeps_failing_is_asked_ever_more_rarely_until_the_file_is_given_up(desk: Desk) -> None:
    media_id = await desk.announce(PNG)
    desk.graph.info_status = 503
    waits = []
    for _ in range(MOST_CLAIMS):
        await desk.fetch()
        if (await desk.row(media_id)).state == "pending":
            waits.append(round(await desk.wait_seconds(media_id), -1))
            await desk.change(media_id, due_at=db_now())

    row = await desk.row(media_id)
    assert waits == [60, 300, 1800, 7200]
    assert (row.state, row.claims) == ("failed", MOST_CLAIMS)
    assert "http_503" in row.reason
    assert desk.kept == []


async def test_a_file_is_stored_once_the_server_has_recovered(desk: Desk) -> None:
    media_id = await desk.announce(PNG)
    desk.graph.downloads = [500]
    await desk.fetch()
    await desk.change(media_id, due_at=db_now())

    await desk.fetch()

    row = await desk.row(media_id)
    assert (row.state, row.claims, row.reason) == ("stored", 2, None)


async def test_a_file_of_a_channel_that_is_not_known_waits_and_says_so(desk: Desk) -> None:
    media_id = await desk.announce(PNG, channel_id=new_id())

    await desk.fetch()

    row = await desk.row(media_id)
    assert (row.state, row.reason) == ("pending", "there is no such channel")


async def test_a_disk_that_cannot_be_written_postpones_the_file(desk: Desk) -> None:
    media_id = await desk.announce(PNG)
    desk.context.media_dir.parent.mkdir()
    desk.context.media_dir.write_bytes(b"a file where the folder should be")

    await desk.fetch()

    row = await desk.row(media_id)
    assert row.state == "pending"
    assert "DATA_DIR/media" in row.reason


async def test_runs_at_the_same_time_fetch_each_file_once(desk: Desk) -> None:
    media_ids = [await desk.announce(PNG + bytes([number])) for number in range(20)]
    both_at_work = asyncio.Barrier(2)

    async def meet() -> None:
        desk.graph.during = None
        async with asyncio.timeout(10):
            await both_at_work.wait()

    desk.graph.during = meet

    async def second() -> None:
        async with asyncio.timeout(10):
            await both_at_work.wait()
        await desk.fetch()

    await asyncio.gather(desk.fetch(), second())

    rows = [await desk.row(media_id) for media_id in media_ids]
    assert {row.state for row in rows} == {"stored"}
    assert {row.claims for row in rows} == {1}
    assert set(desk.graph.fetched.values()) == {1}
    assert len(desk.kept) == 20


async def test_a_run_that_has_lost_its_lease_writes_nothing_and_leaves_no_file(desk: Desk) -> None:
    media_id = await desk.announce(PNG)

    async def claimed_by_another() -> None:
        await desk.change(media_id, claims=2, due_at=sa.literal_column("'2999-01-01 00:00:00.000000'"))

    desk.graph.during = claimed_by_another

    await desk.fetch()

    row = await desk.row(media_id)
    assert (row.state, row.claims) == ("pending", 2)
    assert desk.kept == []


async def test_a_file_whose_fetching_killed_its_process_every_time_is_given_up_without_another_try(desk: Desk) -> None:
    media_id = await desk.announce(PNG, claims=MOST_CLAIMS)

    await desk.fetch()

    row = await desk.row(media_id)
    assert row.state == "failed"
    assert "ended without an outcome" in row.reason
    assert desk.graph.fetched.total() == 0


def test_the_job_has_its_limits_and_a_schedule(desk: Desk) -> None:
    registered = register(jobs(desk.context))

    assert [schedule.name for schedule in SCHEDULES] == list(registered)


class SignedIn(ASGIMiddleware):
    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["user"] = Actor(user_id=new_id(), username="ana", role="viewer", session_id=new_id())
        await next_app(scope, receive, send)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    things = {"database": desk.context.database, "media_dir": desk.context.media_dir}
    async with knocking(application([MediaController], dependencies=things, middleware=[SignedIn()])) as opened:
        yield opened


async def test_a_stored_file_is_handed_out_as_an_attachment_that_no_browser_will_run(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    media_id = await desk.announce(PNG, filename='C:\\fotos\\menú "de hoy"\r\n\u202egnp.exe')
    await desk.fetch()

    answer = await client.get(f"/api/media/{media_id}")

    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(PNG))
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"men_ _de hoy_gnp.exe.png\"; filename*=UTF-8''men%C3%BA%20%22de%20hoy%22gnp.exe.png"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_type_that_is_not_on_the_list_is_handed_out_as_plain_bytes(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    media_id = await desk.announce(
        b"MZ\x90\x00", kind="document", mime_type="application/x-msdownload", filename="a.exe"
    )
    await desk.fetch()

    answer = await client.get(f"/api/media/{media_id}")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert 'filename="a.exe.bin"' in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({}, 409, "media_pending"),
        ({"state": "refused", "reason": "corrupt"}, 409, "media_not_stored"),
        ({"state": "failed", "reason": "gone"}, 409, "media_not_stored"),
        ({"state": "stored", "stored_name": "lost.png"}, 404, "media_not_found"),
    ],
)
async def test_a_file_that_is_not_there_is_a_problem_that_says_why(
    desk: Desk, client: httpx.AsyncClient, values: dict[str, str], status: int, code: str
) -> None:
    media_id = await desk.announce(PNG, **values)

    answer = await client.get(f"/api/media/{media_id}")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert problem.get("try_again", False) is (code == "media_pending")
    assert values.get("reason", "") in problem["detail"]
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_file_that_nobody_sent_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/media/{new_id()}")

    assert (answer.status_code, answer.json()["code"]) == (404, "media_not_found")
