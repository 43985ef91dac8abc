import pytest

from app.whatsapp import content as c
from app.whatsapp.content_files import uploaded_file, with_media_id

OURS = "01900000-0000-7000-8000-000000000001"

CONTENTS: dict[str, c.Content] = {
    "media_id": c.Image(media_id=OURS, caption="x"),
    "header.media_id": c.Buttons("Sure?", (c.ReplyButton("y", "Yes"),), header=c.VideoHeader(media_id=OURS)),
    "components[1].parameters[0].media_id": c.Template(
        "order",
        "es",
        (
            c.BodyParameters((c.TextParameter("Ana"),)),
            c.HeaderParameters((c.DocumentParameter(media_id=OURS),)),
        ),
    ),
}


@pytest.mark.parametrize("field", CONTENTS)
def test_an_upload_is_found_wherever_a_message_may_name_it(field: str) -> None:
    found = uploaded_file(CONTENTS[field])
    assert found is not None
    assert (str(found.upload_id), found.field) == (OURS, field)


@pytest.mark.parametrize("field", CONTENTS)
def test_the_transports_name_takes_its_place_and_nothing_else_changes(field: str) -> None:
    changed = with_media_id(CONTENTS[field], "123", None)
    assert changed != CONTENTS[field]
    assert OURS not in repr(changed)
    assert with_media_id(changed, OURS, None) == CONTENTS[field]
    assert uploaded_file(changed) is None


@pytest.mark.parametrize(
    "content",
    [
        c.Text(OURS),
        c.Image(media_id="1234567890123456"),
        c.Image(link="https://shop.example/a.jpg"),
        c.Image(media_id="something else"),
        c.Buttons("Sure?", (c.ReplyButton("y", "Yes"),), header=c.TextHeader(OURS)),
        c.Template("order", "es", (c.HeaderParameters((c.TextParameter(OURS),)),)),
    ],
    ids=repr,
)
def test_what_names_no_upload_has_none(content: c.Content) -> None:
    assert uploaded_file(content) is None


def test_a_document_without_a_name_gets_the_one_it_was_brought_with() -> None:
    assert with_media_id(c.Document(media_id=OURS), "1", "price list.pdf") == c.Document(
        media_id="1", filename="price list.pdf"
    )
    named = with_media_id(c.Document(media_id=OURS, filename="a.pdf"), "1", "b.pdf")
    assert named == c.Document(media_id="1", filename="a.pdf")
