"""Files that people send: brought, taken along by a message, handed to the transport before it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.outbound.controllers import MessagesController
from app.outbound.files import Files
from app.outbound.leaving import Leaving
from app.outbound.models import outbound_messages
from app.whatsapp.content import decode_content
from app.whatsapp.error_codes import rule_for
from app.whatsapp.errors import CallRefused, CallUnavailable, SendNotAttempted, SendRejected
from app.whatsapp.media_controllers import MediaController
from app.whatsapp.models import media, uploads
from app.whatsapp.transport import ChannelAccess, Recipient
from tests.builders.api import BOTH, Desk, RecordingWake, desk, either_database
from tests.builders.pipeline import Pipeline
from tests.builders.rows import rows as rows_of

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
PDF = b"%PDF-1.7 " + b"prices " * 50
ACCESS = ChannelAccess(
    channel_id=UUID(int=1), graph_url="https://graph.example", api_version="v26.0", phone_number_id="1", token="t"
)


class Meta:
    """A transport that takes files as it is told."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.error: Exception | None = None
        self.go = asyncio.Event()
        self.go.set()

    async def upload(self, _channel: Any, path: Path, mime_type: str, **_: Any) -> str:
        await self.go.wait()
        if self.error is not None:
            raise self.error
        self.taken.append((await asyncio.to_thread(path.read_bytes), mime_type))
        return f"9{len(self.taken)}"


@pytest.fixture(params=BOTH)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    async with either_database(request, tmp_path) as database:
        yield database


@pytest.fixture
def rows(database: Database) -> Pipeline:
    return Pipeline(database)


@pytest.fixture
def media_dir(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def panel(database: Database, media_dir: Path) -> Desk:
    things = {"database": database, "wake": RecordingWake(), "media_dir": media_dir}
    return desk([MessagesController, MediaController], things)


@pytest.fixture
async def files(database: Database, media_dir: Path) -> AsyncIterator[Files]:
    files = Files(database, media_dir)
    yield files
    await files.aclose()


def stored(media_dir: Path) -> list[Path]:
    return list(media_dir.iterdir())


async def bring(panel: Desk, body: bytes = PNG, mime_type: str = "image/png", **query: Any) -> Any:
    headers = {"content-type": mime_type}
    return await panel.call("POST", "/api/media", content=body, headers=headers, params=query)


async def send(panel: Desk, conversation: UUID, content: dict[str, Any], **options: Any) -> Any:
    path = f"/api/conversations/{conversation}/messages"
    return await panel.call("POST", path, json={"content": content}, **options)


async def written(rows: Pipeline, panel: Desk, body: bytes = PNG, mime_type: str = "image/png") -> Leaving:
    """A message with a file, as it is about to leave."""
    brought = (await bring(panel, body, mime_type, name="price list.pdf")).json()
    conversation = await rows.conversation()
    kind = "image" if mime_type == "image/png" else "document"
    answer = await send(panel, conversation, {"type": kind, "media_id": brought["media_id"]})
    assert answer.status_code == 201, answer.text
    row = await rows.row(outbound_messages, UUID(answer.json()["id"]))
    return Leaving(
        id=row.id,
        conversation_id=row.conversation_id,
        channel_id=row.channel_id,
        turn_id=None,
        attempt=1,
        attempt_id=new_id(),
        recipient=Recipient("573001112233"),
        content=decode_content(row.content),
        reply_to=None,
        event_id=None,
        opened_at=None,
    )


async def test_a_file_is_brought_sent_and_shown_in_the_thread(rows: Pipeline, panel: Desk, media_dir: Path) -> None:
    brought = await bring(panel, name="door.png")
    conversation = await rows.conversation()

    answer = await send(panel, conversation, {"type": "image", "media_id": brought.json()["media_id"], "caption": "x"})

    assert brought.status_code == 201
    assert brought.json() | {"media_id": ""} == {
        "media_id": "", "kind": "image", "mime_type": "image/png", "size_bytes": len(PNG), "filename": "door.png",
    }  # fmt: skip
    shown = answer.json()["media"]
    assert (shown["kind"], shown["state"], shown["filename"]) == ("image", "stored", "door.png")
    (item,) = (await panel.get(f"/api/conversations/{conversation}/messages"))["items"]
    assert item["media"] == shown
    handed_out = await panel.call("GET", f"/api/media/{shown['id']}", role="viewer")
    assert (handed_out.content, handed_out.headers["content-type"]) == (PNG, "image/png")
    assert len(stored(media_dir)) == 1


async def test_one_file_can_be_sent_to_several(rows: Pipeline, panel: Desk, media_dir: Path) -> None:
    media_id = (await bring(panel)).json()["media_id"]
    for _ in range(2):
        answer = await send(panel, await rows.conversation(), {"type": "image", "media_id": media_id})
        assert answer.status_code == 201
    assert len(stored(media_dir)) == 1


async def test_a_request_that_is_repeated_takes_the_file_along_once(
    rows: Pipeline, panel: Desk, database: Database
) -> None:
    content = {"type": "image", "media_id": (await bring(panel)).json()["media_id"]}
    conversation = await rows.conversation()
    answers = [await send(panel, conversation, content, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["media"] == answers[1].json()["media"]
    assert len(await rows_of(database, media)) == 1


@pytest.mark.parametrize(
    ("body", "mime_type", "code"),
    [(b"", "image/png", "media_refused"), (b"MZ" + bytes(500), "image/png", "media_refused"),
     (b"<script>", "text/html", "media_refused"), (PNG + bytes(6 * 1024 * 1024), "image/png", "media_refused"),
     (PNG, "x" * 300, "media_refused")],
)  # fmt: skip
async def test_what_whatsapp_would_not_carry_is_refused_and_leaves_nothing(
    panel: Desk, database: Database, media_dir: Path, body: bytes, mime_type: str, code: str
) -> None:
    answer = await bring(panel, body, mime_type)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await rows_of(database, uploads) == []
    assert stored(media_dir) == []


async def test_a_file_that_nobody_names_is_known_by_its_bytes(panel: Desk) -> None:
    brought = (await bring(panel, PDF, "application/octet-stream")).json()
    assert (brought["kind"], brought["mime_type"]) == ("document", "application/pdf")


async def test_a_file_is_for_whoever_brought_it_and_for_a_day(rows: Pipeline, panel: Desk) -> None:
    media_id = (await bring(panel)).json()["media_id"]
    conversation = await rows.conversation()
    content = {"type": "image", "media_id": media_id}

    others = await send(panel, conversation, content, user_id=new_id())
    await rows.change(uploads, UUID(media_id), created_at=datetime.now(UTC) - timedelta(hours=25))
    late = await send(panel, conversation, content)

    for answer in (others, late):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_content")
        assert [fault["field"] for fault in answer.json()["errors"]] == ["content.media_id"]


async def test_a_file_is_sent_as_what_it_is_or_as_a_document(rows: Pipeline, panel: Desk) -> None:
    media_id = (await bring(panel)).json()["media_id"]
    conversation = await rows.conversation()
    kinds = {kind: await send(panel, conversation, {"type": kind, "media_id": media_id})
             for kind in ("image", "document", "video", "audio", "sticker")}  # fmt: skip
    assert {kind: answer.status_code for kind, answer in kinds.items()} == {
        "image": 201, "document": 201, "video": 422, "audio": 422, "sticker": 422,
    }  # fmt: skip


async def test_a_viewer_brings_nothing(panel: Desk) -> None:
    headers = {"content-type": "image/png"}
    assert (await panel.call("POST", "/api/media", role="viewer", content=PNG, headers=headers)).status_code == 403


async def test_the_file_is_handed_over_once_and_named_as_the_transport_does(
    rows: Pipeline, panel: Desk, files: Files, database: Database
) -> None:
    leaving, meta = await written(rows, panel, PDF, "application/pdf"), Meta()

    first = await files.resolve(leaving, ACCESS, meta)  # type: ignore[arg-type]  # a transport as far as it is used
    second = await files.resolve(leaving, ACCESS, meta)  # type: ignore[arg-type]

    assert first == second
    assert (first.media_id, first.filename) == ("91", "price list.pdf")  # type: ignore[union-attr]  # a Document
    assert meta.taken == [(PDF, "application/pdf")]
    assert [row.provider_id for row in await rows_of(database, media)] == ["91"]


async def test_a_slow_upload_goes_on_while_the_message_waits(rows: Pipeline, panel: Desk, files: Files) -> None:
    leaving, meta = await written(rows, panel), Meta()
    meta.go.clear()
    with pytest.raises(SendNotAttempted, match="being uploaded") as raised:
        await files.resolve(leaving, ACCESS, meta)  # type: ignore[arg-type]
    assert raised.value.retry_after_seconds == 1
    meta.go.set()
    assert (await files.resolve(leaving, ACCESS, meta)).media_id == "91"  # type: ignore[arg-type,union-attr]
    assert len(meta.taken) == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [(CallRefused("no", 131053, rule_for(131053)), SendRejected), (CallUnavailable("timeout"), SendNotAttempted)],
)
async def test_a_refused_file_ends_its_message_and_a_failure_lets_it_wait(
    rows: Pipeline, panel: Desk, files: Files, error: Exception, expected: type[Exception]
) -> None:
    leaving, meta = await written(rows, panel), Meta()
    meta.error = error
    with pytest.raises(expected):
        await files.resolve(leaving, ACCESS, meta)  # type: ignore[arg-type]
    meta.error = None
    assert (await files.resolve(leaving, ACCESS, meta)).media_id == "91"  # type: ignore[arg-type,union-attr]


async def test_a_file_that_is_gone_ends_its_message(rows: Pipeline, panel: Desk, files: Files, media_dir: Path) -> None:
    leaving = await written(rows, panel)
    for path in stored(media_dir):
        path.unlink()
    with pytest.raises(SendRejected, match="gone"):
        await files.resolve(leaving, ACCESS, Meta())  # type: ignore[arg-type]
