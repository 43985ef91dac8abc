"""The vendored referee still is what it was when it was chosen."""

import hashlib

import pytest

from tests.referees import FOLDER, meta_referee, vendored


def test_the_published_file_is_unmodified() -> None:
    digest = hashlib.sha256((FOLDER / "business-messaging-api_v23.0.yaml").read_bytes()).hexdigest()

    assert digest == "c7148d5e2aeff32f2effc3d3557795d7eddd07abf8b017c9e40e86bb3312c116"


@pytest.mark.parametrize(("side", "passing", "total"), [("send", 47, 50), ("webhook", 13, 16)])
def test_the_overlay_makes_as_many_of_metas_own_examples_pass_as_before(side: str, passing: int, total: int) -> None:
    verdicts = [problems for (of, _), problems in meta_referee().examples().items() if of == side]

    assert (sum(not problems for problems in verdicts), len(verdicts)) == (passing, total)


def test_the_overlay_notices_a_file_it_was_not_written_for() -> None:
    patch_spec = vendored("patch_spec")
    spec = patch_spec.load(patch_spec.SPEC)
    spec["components"]["schemas"]["BaseMessageProperties"]["properties"]["recipient"] = {"type": "string"}

    with pytest.raises(patch_spec.OverlayError):
        patch_spec.patch(spec)


def test_the_referee_refuses_a_misspelt_member() -> None:
    body = {"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "hi"}, "contxt": {}}

    assert meta_referee().check_send(body) == ["/: unknown member 'contxt'"]
