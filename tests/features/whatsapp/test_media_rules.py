import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.whatsapp.errors import MediaRefused
from app.whatsapp.media_rules import MediaKind, check_file, kind_of, sniff, stored_name

MEBIBYTE = 1024 * 1024
HEADS = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "video/mp4": b"\x00\x00\x00\x18ftypisom\x00\x00",
    "video/3gpp": b"\x00\x00\x00\x18ftyp3gp5\x00\x00",
    "audio/mp4": b"\x00\x00\x00\x18ftypM4A \x00\x00",
    "audio/ogg": b"OggS\x00\x02",
    "audio/amr": b"#!AMR\n\x3c",
    "audio/mpeg": b"ID3\x04",
    "audio/aac": b"\xff\xf1\x50\x80",
    "application/pdf": b"%PDF-1.7\n",
    "application/zip": b"PK\x03\x04\x14",
    "text/plain": "hello, señor".encode(),
}
ANIMATED = b"RIFF\x24\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00"


@pytest.mark.parametrize("mime_type", HEADS)
def test_a_file_shows_what_it_is(mime_type: str) -> None:
    assert sniff(HEADS[mime_type]) == mime_type


@given(head=st.binary(max_size=64))
def test_any_bytes_can_be_looked_at(head: bytes) -> None:
    found = sniff(head)

    assert found is None or "/" in found


@pytest.mark.parametrize(
    ("kind", "mime_type", "size_bytes", "head"),
    [
        ("image", "image/jpeg", 5 * MEBIBYTE, HEADS["image/jpeg"]),
        ("audio", "audio/ogg; codecs=opus", 1, HEADS["audio/ogg"]),
        ("audio", "audio/mp4", 1, HEADS["video/mp4"]),
        ("document", "application/pdf", 100 * MEBIBYTE, HEADS["application/pdf"]),
        (
            "document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            1,
            HEADS["application/zip"],
        ),
        ("document", "text/csv", 1, b"a;b\n1;2\n"),
        ("document", "application/octet-stream", 1, b"\x00\x01\x02"),
        ("sticker", "image/webp", 100 * 1024, HEADS["image/webp"]),
        ("sticker", "image/webp", 500 * 1024, ANIMATED),
    ],
)
def test_what_whatsapp_carries_passes(kind: MediaKind, mime_type: str, size_bytes: int, head: bytes) -> None:
    assert check_file(kind, mime_type, size_bytes, head) == mime_type.partition(";")[0]


@pytest.mark.parametrize(
    ("kind", "mime_type", "size_bytes", "head", "reason"),
    [
        ("image", "image/jpeg", 0, b"", "empty"),
        ("image", "image/jpeg", 5 * MEBIBYTE + 1, HEADS["image/jpeg"], "size"),
        ("document", "application/pdf", 100 * MEBIBYTE + 1, HEADS["application/pdf"], "size"),
        ("sticker", "image/webp", 100 * 1024 + 1, HEADS["image/webp"], "size"),
        ("sticker", "image/webp", 500 * 1024 + 1, ANIMATED, "size"),
        ("image", "image/webp", 1, HEADS["image/webp"], "type"),
        ("image", "image/svg+xml", 1, b"<svg/>", "type"),
        ("video", "video/x-matroska", 1, b"\x1aE\xdf\xa3", "type"),
        ("image", "image/jpeg", 1, HEADS["image/png"], "mismatch"),
        ("image", "image/png", 1, b"<script>alert(1)</script>", "mismatch"),
        ("document", "application/pdf", 1, b"MZ\x90\x00", "mismatch"),
        ("document", "text/html", 1, b"<html>", "mismatch"),
        ("document", "text/plain", 1, b"\x00\x01", "mismatch"),
        ("document", "image/svg+xml", 1, b"<svg/>", "mismatch"),
        ("document", "application/octet-stream", 1, HEADS["application/zip"], "mismatch"),
    ],
)
def test_what_whatsapp_does_not_carry_or_lies_is_refused(
    kind: MediaKind, mime_type: str, size_bytes: int, head: bytes, reason: str
) -> None:
    with pytest.raises(MediaRefused) as raised:
        check_file(kind, mime_type, size_bytes, head)

    assert raised.value.reason == reason


def test_a_stored_file_has_a_name_of_our_own() -> None:
    names = {stored_name("application/pdf") for _ in range(100)}

    assert len(names) == 100
    assert all(name.endswith(".pdf") and len(name) == 36 for name in names)
    assert stored_name("../../evil").endswith(".bin")


def test_a_file_is_sent_as_what_it_is() -> None:
    kinds = [kind_of(mime_type) for mime_type in ("image/png", "audio/ogg; codecs=opus", "video/mp4", "text/csv")]

    assert kinds == ["image", "audio", "video", "document"]
