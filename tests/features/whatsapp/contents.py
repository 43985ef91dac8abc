"""Outgoing content that WhatsApp takes: one example of each kind, and hypothesis strategies for any."""

from collections.abc import Callable

import msgspec
from hypothesis import strategies as st

from app.whatsapp import content as c
from app.whatsapp.content_rules import utf16_length

EXAMPLES: dict[str, c.Content] = {
    "text": c.Text("Hola \U0001f600"),
    "text_preview": c.Text("See https://example.com", preview_url=True),
    "image_link": c.Image(link="https://example.com/a.png", caption="A"),
    "image_id": c.Image(media_id="123"),
    "video": c.Video(media_id="123", caption="V"),
    "audio": c.Audio(media_id="123"),
    "voice": c.Audio(media_id="123", voice=True),
    "document": c.Document(media_id="123", caption="C", filename="a.pdf"),
    "sticker": c.Sticker(link="http://example.com/s.webp"),
    "location": c.Location(37.44, -122.16, "Philz", "101 Forest Ave"),
    "bare_location": c.Location(0, 0),
    "contacts": c.Contacts((c.ContactCard("Ana", (c.ContactPhone("+34600111222", "CELL", "34600111222"),)),)),
    "full_contact": c.Contacts(
        (c.ContactCard("Ana B", first_name="Ana", last_name="B", company="X", emails=("a@b.c",)),)
    ),
    "reaction": c.Reaction("wamid.A", "\U0001f44d"),
    "no_reaction": c.Reaction("wamid.A", ""),
    "buttons": c.Buttons("Sure?", (c.ReplyButton("y", "Yes"), c.ReplyButton("n", "No")), c.TextHeader("H"), "F"),
    "buttons_image": c.Buttons("Sure?", (c.ReplyButton("y", "Yes"),), c.ImageHeader(media_id="1")),
    "buttons_video": c.Buttons("Sure?", (c.ReplyButton("y", "Yes"),), c.VideoHeader(link="https://example.com/v")),
    "buttons_document": c.Buttons(
        "Sure?", (c.ReplyButton("y", "Y"),), c.DocumentHeader(media_id="1", filename="a.pdf")
    ),
    "list": c.ListMenu(
        "Pick",
        "Menu",
        (c.Section((c.Row("1", "One", "the first"),), "A"), c.Section((c.Row("2", "Two"),), "B")),
        c.TextHeader("H"),
        "F",
    ),
    "list_one_section": c.ListMenu("Pick", "Menu", (c.Section((c.Row("1", "One"),)),)),
    "cta_url": c.CtaUrl("Look", "Open", "https://example.com/x?y=1"),
    "flow": c.Flow(
        "Fill", "Start", "token", flow_id="1", screen="FIRST", data=msgspec.Raw(b'{"a":1}'), header=c.TextHeader("H")
    ),
    "flow_by_name": c.Flow("Fill", "Start", "token", flow_name="book", draft=True, data_exchange=True),
    "location_request": c.LocationRequest("Where are you?"),
    "contact_info_request": c.ContactInfoRequest("May we have your number?"),
    "template": c.Template("hello_world", "en_US"),
    "full_template": c.Template(
        "offer_2026",
        "es",
        (
            c.HeaderParameters((c.DocumentParameter(media_id="1", filename="a.pdf"),)),
            c.BodyParameters(
                (
                    c.TextParameter("Ana", "name"),
                    c.CurrencyParameter("10 €", "EUR", 10_000),
                    c.DateTimeParameter("tomorrow"),
                )
            ),
            c.ButtonParameters(0, c.PayloadParameter("yes")),
            c.ButtonParameters(1, c.TextParameter("abc")),
            c.ButtonParameters(2, c.CouponParameter("SAVE")),
            c.ButtonParameters(3, c.FlowParameter("token")),
        ),
    ),
}


def words(longest: int) -> st.SearchStrategy[str]:
    letters = st.characters(codec="utf-8", exclude_characters="\x00")
    return st.text(letters, min_size=1, max_size=longest).filter(
        lambda text: bool(text.strip()) and utf16_length(text) <= longest
    )


def maybe(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | strategy


links = st.from_regex(r"\Ahttps?://[a-z]{1,9}\.example/[!-~]{0,30}\Z")
media_ids = st.text("0123456789", min_size=1, max_size=20)
captions = maybe(words(100))
buttons = st.lists(words(20), min_size=1, max_size=3, unique=True).map(
    lambda titles: tuple(c.ReplyButton(f"id{number}", title) for number, title in enumerate(titles))
)
rows = st.builds(c.Row, id=st.uuids().map(str), title=words(24), description=maybe(words(72)))
sections = st.lists(
    st.builds(c.Section, rows=st.lists(rows, min_size=1, max_size=3).map(tuple), title=words(24)),
    min_size=1,
    max_size=3,
).map(tuple)


def files(shape: Callable[..., c.Content], **members: st.SearchStrategy[object]) -> st.SearchStrategy[c.Content]:
    return st.builds(shape, media_id=media_ids, **members) | st.builds(shape, link=links, **members)


headers: st.SearchStrategy[c.Header | None] = (
    st.none()
    | st.builds(c.TextHeader, words(60))
    | st.builds(c.ImageHeader, media_id=media_ids)
    | st.builds(c.VideoHeader, link=links)
    | st.builds(c.DocumentHeader, media_id=media_ids, filename=maybe(words(60)))
)
text_parameters = st.builds(c.TextParameter, words(50), maybe(words(20)))
components: st.SearchStrategy[tuple[c.TemplateComponent, ...]] = st.tuples(
    st.builds(c.HeaderParameters, st.tuples(text_parameters | st.builds(c.ImageParameter, link=links))),
    st.builds(c.BodyParameters, st.lists(text_parameters, min_size=1, max_size=4).map(tuple)),
    st.builds(c.ButtonParameters, st.integers(0, 9), st.builds(c.PayloadParameter, words(50)) | text_parameters),
)

contents: st.SearchStrategy[c.Content] = st.one_of(
    st.builds(c.Text, words(4096), st.booleans()),
    files(c.Image, caption=captions),
    files(c.Video, caption=captions),
    files(c.Audio, voice=st.booleans()),
    files(c.Document, caption=captions, filename=captions),
    files(c.Sticker),
    st.builds(c.Location, st.floats(-90, 90), st.floats(-180, 180), captions, captions),
    st.builds(
        c.Contacts,
        st.lists(
            st.builds(
                c.ContactCard,
                words(40),
                st.lists(st.builds(c.ContactPhone, words(20), maybe(words(9)), maybe(words(9))), max_size=3).map(tuple),
                captions,
                captions,
                captions,
                st.lists(words(30), max_size=2).map(tuple),
            ),
            min_size=1,
            max_size=4,
        ).map(tuple),
    ),
    st.builds(c.Reaction, words(40), st.sampled_from(["", "\U0001f44d", "\U0001f468\u200d\U0001f469\u200d\U0001f467"])),
    st.builds(c.Buttons, words(1024), buttons, headers, maybe(words(60))),
    st.builds(
        c.ListMenu,
        words(1024),
        words(20),
        sections,
        st.none() | st.builds(c.TextHeader, words(60)),
        captions.map(lambda text: text[:30] if text and text[:30].strip() else None),
    ),
    st.builds(c.CtaUrl, words(1024), words(20), links, headers, maybe(words(60))),
    st.builds(c.Flow, words(1024), words(30), words(50), flow_id=media_ids, screen=maybe(words(20)), header=headers),
    st.builds(c.LocationRequest, words(1024)),
    st.builds(c.ContactInfoRequest, words(1024)),
    st.builds(c.Template, st.from_regex(r"\A[a-z0-9_]{1,40}\Z"), st.sampled_from(["es", "pt_BR", "en_US"]), components),
)
