from dataclasses import dataclass
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.whatsapp import content as c
from app.whatsapp.content_rules import check
from app.whatsapp.errors import InvalidContent
from app.whatsapp.graph_body import encode_read_receipt, encode_send, to_graph
from app.whatsapp.identifiers import Recipient
from tests.features.whatsapp.contents import EXAMPLES, contents
from tests.referees import meta_referee

ANA = Recipient("34600111222")


def body_of(content: c.Content, recipient: Recipient = ANA, **members: str) -> dict[str, object]:
    return msgspec.json.decode(encode_send(content, recipient, **members), type=dict[str, object])


@pytest.mark.parametrize("name", EXAMPLES)
def test_meta_takes_every_kind_of_content(name: str) -> None:
    check(EXAMPLES[name])

    assert meta_referee().check_send(body_of(EXAMPLES[name], tracker="ob1:x:1", reply_to="wamid.Q")) == []


@given(content=contents, recipient=st.sampled_from([ANA, Recipient(user_id="US.1349"), Recipient("34600", "US.1")]))
def test_meta_takes_whatever_our_own_check_takes(content: c.Content, recipient: Recipient) -> None:
    check(content)

    assert meta_referee().check_send(body_of(content, recipient, tracker="t")) == []


@given(content=contents)
def test_stored_content_is_read_back_as_it_was(content: c.Content) -> None:
    assert c.decode_content(c.encode_content(content)) == content


def test_every_kind_of_content_has_an_example() -> None:
    assert {type(content) for content in EXAMPLES.values()} == set(get_args(c.Content))


def test_stored_content_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        c.decode_content(b'{"type":"hologram"}')


@pytest.mark.parametrize("typing", [True, False])
def test_meta_takes_our_read_receipt(*, typing: bool) -> None:
    body = msgspec.json.decode(encode_read_receipt("wamid.A", typing=typing))

    assert meta_referee().check_send(body) == []
    assert ("typing_indicator" in body) is typing


def test_a_phone_number_wins_over_a_user_id() -> None:
    both = to_graph(c.Text("hi"), Recipient("34600111222", "US.1"))

    assert (both["to"], both.get("recipient")) == ("34600111222", None)
    assert to_graph(c.Text("hi"), Recipient(user_id="US.1"))["recipient"] == "US.1"


def test_nobody_is_no_recipient() -> None:
    with pytest.raises(ValueError, match="phone number or a user id"):
        to_graph(c.Text("hi"), Recipient())


def test_the_quoted_message_and_the_tracker_are_named() -> None:
    body = to_graph(c.Text("hi"), ANA, tracker="ob1:x:1", reply_to="wamid.Q")

    assert (body["biz_opaque_callback_data"], body["context"]) == ("ob1:x:1", {"message_id": "wamid.Q"})


@dataclass(frozen=True)
class Wrong:
    content: c.Content
    field: str


_Y = c.ReplyButton("y", "Yes")
_ROW = c.Row("1", "One")
_LIST = c.ListMenu("b", "Menu", (c.Section((_ROW,)),))

WRONG = {
    "empty text": Wrong(c.Text(""), "body"),
    "blank text": Wrong(c.Text(" \n"), "body"),
    "long text": Wrong(c.Text("x" * 4097), "body"),
    "long in utf-16": Wrong(c.Text("\U0001f600" * 2049), "body"),
    "NUL": Wrong(c.Text("a\x00"), "body"),
    "half a pair": Wrong(c.Text("a\ud83d"), "body"),
    "two files": Wrong(c.Image(media_id="1", link="https://example.com"), "media_id"),
    "no file": Wrong(c.Sticker(), "media_id"),
    "ftp": Wrong(c.Video(link="ftp://example.com/x"), "link"),
    "link with a blank": Wrong(c.Video(link="https://example.com/a b"), "link"),
    "long caption": Wrong(c.Document(media_id="1", caption="x" * 1025), "caption"),
    "north of north": Wrong(c.Location(90.1, 0), "latitude"),
    "nowhere": Wrong(c.Location(0, float("nan")), "longitude"),
    "nobody": Wrong(c.Contacts(()), "contacts"),
    "too many people": Wrong(c.Contacts((c.ContactCard("A"),) * 258), "contacts"),
    "nameless": Wrong(c.Contacts((c.ContactCard("A"), c.ContactCard(" "))), "contacts[1].formatted_name"),
    "reaction to nothing": Wrong(c.Reaction("", "x"), "message_id"),
    "no button": Wrong(c.Buttons("b", ()), "buttons"),
    "four buttons": Wrong(c.Buttons("b", tuple(c.ReplyButton(str(n), str(n)) for n in range(4))), "buttons"),
    "same title": Wrong(c.Buttons("b", (_Y, c.ReplyButton("z", "Yes"))), "buttons[1].title"),
    "same id": Wrong(c.Buttons("b", (_Y, c.ReplyButton("y", "Other"))), "buttons[1].id"),
    "long title": Wrong(c.Buttons("b", (c.ReplyButton("y", "x" * 21),)), "buttons[0].title"),
    "long footer": Wrong(c.Buttons("b", (_Y,), footer="x" * 61), "footer"),
    "long header": Wrong(c.Buttons("b", (_Y,), c.TextHeader("x" * 61)), "header.text"),
    "empty header": Wrong(c.Buttons("b", (_Y,), c.ImageHeader()), "header.media_id"),
    "long body": Wrong(c.LocationRequest("x" * 1025), "body"),
    "no section": Wrong(c.ListMenu("b", "Menu", ()), "sections"),
    "no row": Wrong(c.ListMenu("b", "Menu", (c.Section(()),)), "sections[0].rows"),
    "untitled section": Wrong(
        c.ListMenu("b", "M", (c.Section((_ROW,), "A"), c.Section((c.Row("2", "T"),)))), "sections[1].title"
    ),
    "eleven rows": Wrong(
        c.ListMenu(
            "b",
            "M",
            (
                c.Section(tuple(c.Row(f"a{n}", "T") for n in range(6)), "A"),
                c.Section(tuple(c.Row(f"b{n}", "T") for n in range(5)), "B"),
            ),
        ),
        "sections",
    ),
    "same row": Wrong(c.ListMenu("b", "M", (c.Section((_ROW, _ROW)),)), "sections"),
    "long row": Wrong(c.ListMenu("b", "M", (c.Section((c.Row("1", "x" * 25),)),)), "sections[0].rows[0].title"),
    "long menu": Wrong(msgspec.structs.replace(_LIST, button="x" * 21), "button"),
    "bad address": Wrong(c.CtaUrl("b", "Open", "javascript:alert(1)"), "url"),
    "which flow": Wrong(c.Flow("b", "Go", "t"), "flow_id"),
    "two flows": Wrong(c.Flow("b", "Go", "t", flow_id="1", flow_name="n"), "flow_id"),
    "data without screen": Wrong(c.Flow("b", "Go", "t", flow_id="1", data=msgspec.Raw(b"{}")), "screen"),
    "data is a list": Wrong(c.Flow("b", "Go", "t", flow_id="1", screen="S", data=msgspec.Raw(b"[]")), "data"),
    "template name": Wrong(c.Template("Hello", "es"), "name"),
    "language": Wrong(c.Template("hello", "Spanish"), "language"),
    "two bodies": Wrong(
        c.Template("hello", "es", (c.BodyParameters((c.TextParameter("a"),)),) * 2),
        "components[1]",
    ),
    "no parameter": Wrong(c.Template("hello", "es", (c.BodyParameters(()),)), "components[0].parameters"),
    "empty parameter": Wrong(
        c.Template("hello", "es", (c.BodyParameters((c.TextParameter(""),)),)), "components[0].parameters[0].text"
    ),
    "button index": Wrong(
        c.Template("hello", "es", (c.ButtonParameters(10, c.PayloadParameter("p")),)), "components[0].index"
    ),
    "currency": Wrong(
        c.Template("hello", "es", (c.BodyParameters((c.CurrencyParameter("1", "euro", 1),)),)),
        "components[0].parameters[0].code",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_whatsapp_would_refuse_is_refused_by_the_member_at_fault(name: str) -> None:
    with pytest.raises(InvalidContent) as raised:
        check(WRONG[name].content)

    assert raised.value.field == WRONG[name].field
    assert "x" * 21 not in str(raised.value)
