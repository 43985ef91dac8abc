import pytest

from app.outbound.reading import kind_of, readable_text
from app.whatsapp.content import decode_content, encode_content
from tests.features.whatsapp.contents import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_content_has_a_kind_and_its_words_survive_being_stored(name: str) -> None:
    content = EXAMPLES[name]
    stored = decode_content(encode_content(content))
    assert kind_of(stored) == kind_of(content) != ""
    assert readable_text(stored) == readable_text(content)


def test_the_words_of_a_message_are_what_a_person_reads() -> None:
    assert readable_text(EXAMPLES["text"]) == "Hola \U0001f600"
    assert readable_text(EXAMPLES["video"]) == "V"
    assert readable_text(EXAMPLES["location"]) == "Philz"
    assert readable_text(EXAMPLES["contacts"]) == "Ana"
    assert readable_text(EXAMPLES["buttons"]) == "Sure?"
    assert readable_text(EXAMPLES["audio"]) == ""
