from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from app.whatsapp.errors import Unintelligible
from app.whatsapp.inbound import (
    AccountNotice,
    DeliveryStatus,
    IdentityChange,
    Inbound,
    InboundMedia,
    InboundMessage,
    PhoneEcho,
    PreferenceChange,
    Pricing,
    Sender,
    Unreadable,
)
from app.whatsapp.normalise import normalise
from tests.builders import whatsapp as wire

RECEIVED_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

_T = TypeVar("_T")


def facts(*changes: wire.Json) -> list[Inbound]:
    return normalise(wire.webhook(*changes), RECEIVED_AT)


def one(expected: type[_T], *changes: wire.Json) -> _T:
    (fact,) = facts(*changes)
    assert isinstance(fact, expected), fact
    return fact


def received(item: wire.Json, contacts: list[wire.Json] | None = None) -> InboundMessage:
    return one(InboundMessage, wire.messages(item, contacts=contacts))


def test_a_text_says_who_wrote_what_to_which_number_and_when() -> None:
    message = received(wire.text("Hola"))

    assert message.phone_number_id == wire.NUMBER_ID
    assert message.business_account_id == wire.ACCOUNT_ID
    assert message.message_id == "wamid.AAA"
    assert message.sender == Sender(phone=wire.PHONE, profile_name="Sheena Nelson")
    assert message.sent_at == datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)
    assert (message.kind, message.text, message.turn) == ("text", "Hola", True)


@pytest.mark.parametrize(
    ("kind", "text", "turn"),
    [
        ("text", "Does it come in another color?", True),
        ("image", "Taj Mahal", True),
        ("video", "Look", True),
        ("document", "The contract", True),
        ("sticker", "", True),
        ("audio", "", True),
        ("location", "[location] Philz Coffee, 101 Forest Ave, Palo Alto, CA 94301", True),
        ("contacts", "[contacts] Lucía Gómez +1 (983) 555-2319", True),
        ("interactive", "Cancel", True),
        ("button", "Unsubscribe", True),
        ("order", "[order] 2 x di9ozbzfi4, 1 x nqryix03ez quickly please", True),
        ("reaction", "\U0001f44d", False),
        ("request_welcome", "", False),
        ("edit", "Text was edited", False),
        ("revoke", "", False),
        ("unsupported", "", False),
        ("hologram", "", False),
    ],
)
def test_each_type_reads_as_a_person_would_read_it(kind: str, text: str, *, turn: bool) -> None:
    message = received(wire.message(kind))

    assert (message.kind, message.text, message.turn) == (kind, text, turn)


def test_files_come_with_what_is_needed_to_fetch_them() -> None:
    image, audio, sticker = (received(wire.message(kind)).media for kind in ("image", "audio", "sticker"))

    assert image == InboundMedia(
        "1003383421387256",
        "image/jpeg",
        "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=",
        caption="Taj Mahal",
    )
    assert audio is not None
    assert audio.voice
    assert sticker is not None
    assert sticker.animated


@pytest.mark.parametrize(
    ("reply", "text", "selected", "form", "turn"),
    [
        ("button_reply", "Cancel", "cancel-button", None, True),
        ("list_reply", "Priority Mail Express", "priority_express", None, True),
        ("nfm_reply", "Sent", None, '{"flow_token":"t","size":"M"}', True),
        ("call_permission_reply", "[call permission] accept", None, None, False),
    ],
)
def test_answers_to_menus_and_forms(
    reply: str, text: str, selected: str | None, form: str | None, *, turn: bool
) -> None:
    message = received(wire.message("interactive", interactive=wire.INTERACTIVE_REPLIES[reply]))

    assert (message.text, message.selected_id, message.form_json, message.turn) == (text, selected, form, turn)
    assert message.reply_to == "wamid.MENU"


def test_a_form_whose_answers_are_no_json_is_still_a_message() -> None:
    broken = {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": "{broken"}}

    message = received(wire.message("interactive", interactive=broken))

    assert (message.text, message.form_json) == ("Sent", None)


def test_the_payload_of_a_template_button_is_kept_beside_its_title() -> None:
    message = received(wire.message("button"))

    assert (message.text, message.selected_id, message.reply_to) == ("Unsubscribe", "unsubscribe-7", "wamid.TEMPLATE")


@pytest.mark.parametrize("kind", ["reaction", "edit", "revoke"])
def test_what_is_about_another_message_says_which(kind: str) -> None:
    assert received(wire.message(kind)).target_id == "wamid.TARGET"


@pytest.mark.parametrize("reaction", [{"message_id": "wamid.TARGET"}, {"message_id": "wamid.TARGET", "emoji": ""}])
def test_a_withdrawn_reaction_has_no_emoji(reaction: wire.Json) -> None:
    assert received(wire.message("reaction", reaction=reaction)).text == ""


def test_an_interactive_message_without_content_is_kept_with_its_error_and_asks_for_no_answer() -> None:
    message = received({**wire.message("text"), "type": "interactive", "errors": [wire.UNDELIVERABLE]})

    assert not message.turn
    assert message.problems[0].code == 131026


def test_a_message_says_whether_it_was_forwarded_and_from_which_advertisement_it_came() -> None:
    message = received(wire.text(referral=wire.REFERRAL, context={"frequently_forwarded": True}))

    assert message.forwarded
    assert message.referral is not None
    assert b"ctwa_clid" in message.referral


def test_a_person_known_by_a_user_id_only_is_named_by_it() -> None:
    message = received(wire.by_user_id(wire.text()), contacts=[wire.USER_ID_CONTACT])

    assert message.sender == Sender(None, wire.USER_ID, wire.PARENT_USER_ID, "Julian", "julianzlc")


def test_contacts_are_matched_by_their_ids_and_not_by_their_place() -> None:
    stranger = wire.contact(wa_id="34600111222", profile={"name": "Somebody else"})

    message = received(wire.text(), contacts=[stranger, wire.contact(user_id=wire.USER_ID)])

    assert message.sender == Sender(wire.PHONE, wire.USER_ID, profile_name="Sheena Nelson")


def test_without_a_fitting_contact_no_name_is_invented() -> None:
    assert received(wire.text(), contacts=[wire.contact(wa_id="34600111222")]).sender == Sender(wire.PHONE)


def test_a_message_in_a_group_asks_for_no_answer() -> None:
    message = received(wire.text(group_id="Y2FwaV9ncm91cDo"))

    assert (message.group_id, message.turn) == ("Y2FwaV9ncm91cDo", False)


def test_while_metas_own_agent_holds_the_thread_we_only_watch() -> None:
    change = {**wire.messages(wire.text()), "field": "messages_standby"}

    message = one(InboundMessage, change)

    assert (message.standby, message.turn) == (True, False)


def test_a_blank_text_asks_for_no_answer() -> None:
    assert not received(wire.text(" \n\u200a")).turn


def test_every_item_of_every_entry_comes_out_in_order_of_arrival() -> None:
    body = {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": "1", "changes": [wire.messages(wire.text(wamid="a"), wire.text(wamid="b"))]},
            {"id": "2", "changes": [wire.statuses(wire.status(wamid="c")), wire.messages(wire.text(wamid="d"))]},
        ],
    }

    found = normalise(wire.encoded(body), RECEIVED_AT)

    assert [(f.business_account_id, f.message_id) for f in found if isinstance(f, InboundMessage | DeliveryStatus)] == [
        ("1", "a"),
        ("1", "b"),
        ("2", "c"),
        ("2", "d"),
    ]


def test_a_status_tells_what_became_of_our_message_and_what_it_cost() -> None:
    status = one(
        DeliveryStatus,
        wire.statuses(wire.status("sent", pricing=wire.PRICING, biz_opaque_callback_data="ob1:x:1")),
    )

    assert (status.message_id, status.status, status.tracker) == ("wamid.OUT", "sent", "ob1:x:1")
    assert (status.recipient_phone, status.pricing) == (wire.PHONE, Pricing(True, "PMP", "regular", "service"))


def test_a_failed_status_says_why() -> None:
    (problem,) = one(DeliveryStatus, wire.statuses(wire.status("failed", errors=[wire.UNDELIVERABLE]))).problems

    assert (problem.code, problem.details) == (131026, "The recipient could not receive this message")


def test_a_status_for_a_person_known_by_a_user_id_only() -> None:
    item = {"id": "wamid.OUT", "status": "read", "timestamp": wire.SENT_AT, "recipient_user_id": wire.USER_ID}

    status = one(DeliveryStatus, wire.statuses(item))

    assert (status.recipient_phone, status.recipient_user_id) == (None, wire.USER_ID)


def test_an_echo_says_that_a_person_answered_from_the_phone() -> None:
    echo = one(PhoneEcho, wire.change("smb_message_echoes", message_echoes=[wire.echo(to_user_id=wire.USER_ID)]))

    assert (echo.recipient_phone, echo.recipient_user_id, echo.text) == (wire.PHONE, wire.USER_ID, "Hi! A human here.")


@pytest.mark.parametrize(
    ("system", "before", "after"),
    [
        ({"type": "user_changed_number", "wa_id": "12195555358"}, Sender(wire.PHONE), Sender("12195555358")),
        ({"type": "customer_identity_changed"}, Sender(wire.PHONE), Sender()),
        (
            {"type": "user_changed_user_id", "user_id": "MX.2", "previous_user_id": "CO.1"},
            Sender(wire.PHONE, "CO.1"),
            Sender(None, "MX.2"),
        ),
    ],
)
def test_a_system_message_says_who_a_person_was_and_is_now(system: wire.Json, before: Sender, after: Sender) -> None:
    change = one(IdentityChange, wire.messages(wire.message("system", system=system), contacts=[]))

    assert (change.kind, change.before, change.after) == (system["type"], before, after)


def test_a_change_of_the_user_id_needs_no_phone_number() -> None:
    system = {"type": "user_changed_user_id", "user_id": "MX.2", "previous_user_id": "CO.1"}
    item = {"id": "wamid.S", "timestamp": wire.SENT_AT, "type": "system", "system": system}

    assert one(IdentityChange, wire.messages(item, contacts=[])).before == Sender(None, "CO.1")


def test_who_wants_no_marketing_says_so() -> None:
    wish = one(PreferenceChange, wire.change("user_preferences", user_preferences=[wire.preference()]))

    assert (wish.phone, wish.category, wish.value) == (wire.PHONE, "marketing_messages", "stop")
    assert wish.at == datetime(2024, 11, 15, 21, 22, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "event"),
    [
        ("account_update", {"event": "ACCOUNT_RESTRICTION"}, "ACCOUNT_RESTRICTION"),
        ("message_template_status_update", {"event": "REJECTED", "reason": "SCAM"}, "REJECTED"),
        ("phone_number_quality_update", {"current_limit": "TIER_1K"}, ""),
        ("a_field_of_tomorrow", {"anything": [1]}, ""),
        ("history", {"history": [{"threads": []}]}, ""),
    ],
)
def test_everything_else_is_a_notice_with_its_json(field: str, value: wire.Json, event: str) -> None:
    notice = one(AccountNotice, {"field": field, "value": value})

    assert (notice.field, notice.event, notice.payload) == (field, event, wire.encoded(value))


def test_an_error_of_the_account_stands_beside_the_messages() -> None:
    change = wire.messages(wire.text())
    change["value"]["errors"] = [wire.UNDELIVERABLE]

    message, notice = facts(change)

    assert isinstance(message, InboundMessage)
    assert isinstance(notice, AccountNotice)
    assert (notice.event, notice.problems[0].code) == ("Message undeliverable", 131026)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (5, "not_an_object"),
        ({"from": wire.PHONE, "type": "text"}, "no_message_id"),
        ({"id": "wamid.X", "type": "text"}, "no_sender"),
        ({"id": "w" * 600, "from": wire.PHONE, "type": "text"}, "no_message_id"),
    ],
)
def test_an_unusable_message_is_kept_and_its_neighbours_live(item: wire.Json, reason: str) -> None:
    before, bad, after = facts(wire.messages(wire.text(wamid="a"), item, wire.text(wamid="b")))

    assert isinstance(bad, Unreadable)
    assert (bad.reason, bad.payload) == (reason, wire.encoded(item))
    assert isinstance(before, InboundMessage)
    assert isinstance(after, InboundMessage)


def test_a_message_for_no_number_of_ours_is_kept_as_unreadable() -> None:
    assert one(Unreadable, wire.change(number_id=None, messages=[wire.text()])).reason == "no_phone_number_id"


@pytest.mark.parametrize("members", [{"context": 5}, {"image": []}, {"errors": {"code": "x"}}, {"button": "b"}])
def test_a_member_of_the_wrong_type_costs_only_itself(members: wire.Json) -> None:
    assert received(wire.text("Hola", **members)).text == "Hola"


def test_a_number_where_a_text_is_documented_is_read() -> None:
    message = received(
        {"from": 16505551234, "id": "wamid.A", "timestamp": 1749416383, "type": "text", "text": {"body": 7}}
    )

    assert (message.sender.phone, message.text) == (wire.PHONE, "7")
    assert message.sent_at == datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [None, "", "soon", "1e400", -1, 10**30, "nan", [], "99999999999", {"a": 1}])
def test_an_absurd_time_is_replaced_by_that_of_receipt(timestamp: object) -> None:
    assert received(wire.text(timestamp=timestamp)).sent_at == RECEIVED_AT


@pytest.mark.parametrize(("ahead_seconds", "believed"), [(200, True), (400, False), (86_400, False)])
def test_a_clock_that_runs_far_ahead_is_not_believed(ahead_seconds: int, believed: bool) -> None:
    """Or the customer's 24-hour window would close too late."""
    ahead = RECEIVED_AT + timedelta(seconds=ahead_seconds)
    found = received(wire.text(timestamp=str(int(ahead.timestamp())))).sent_at
    assert found == (ahead if believed else RECEIVED_AT)


def test_nul_and_half_surrogates_never_reach_the_database() -> None:
    body = wire.webhook(wire.messages(wire.text("a\x00b\ud83d c\ude00 \U0001f600 \\u0000 \\\ud800")))

    (message,) = normalise(body, RECEIVED_AT)

    assert isinstance(message, InboundMessage)
    assert message.text == "ab\ufffd c\ufffd \U0001f600 \\u0000 \\\ufffd"
    assert "\x00" not in message.payload.decode()
    message.text.encode()


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    body = wire.webhook(wire.messages(wire.text("caf#"))).replace(b"caf#", b"caf\xe9")

    (message,) = normalise(body, RECEIVED_AT)

    assert isinstance(message, InboundMessage)
    assert message.text == "caf\ufffd"


@pytest.mark.parametrize("depth", [101, 1_000, 100_000])
@pytest.mark.parametrize("brackets", [b"[]", b'{"a":}'])
def test_json_nested_deeper_than_anyone_can_read_costs_only_that_member(depth: int, brackets: bytes) -> None:
    deep = brackets[:-1] * depth + b"1" + brackets[-1:] * depth
    body = wire.webhook(wire.messages(wire.text(extra="DEEP", wamid="a"), wire.text(wamid="b")))

    found = normalise(body.replace(b'"DEEP"', deep), RECEIVED_AT)

    assert [fact.message_id for fact in found if isinstance(fact, InboundMessage)] == ["a", "b"]
    assert all(fact.payload.count(b"[") <= 101 for fact in found)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"hello", "not_json"),
        (b"\x00", "not_json"),
        (b'{"object":"whatsapp_business_account","entry":[', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[]", "not_a_webhook"),
        (b"null", "not_a_webhook"),
        (b"{}", "not_a_webhook"),
        (b'{"object":"whatsapp_business_account"}', "not_a_webhook"),
        (b'{"object":"whatsapp_business_account","entry":{}}', "not_a_webhook"),
        (b"[" * 100_000 + b"]" * 100_000, "not_a_webhook"),
    ],
)
def test_a_body_that_is_no_webhook_at_all_says_so(body: bytes, reason: str) -> None:
    with pytest.raises(Unintelligible) as raised:
        normalise(body, RECEIVED_AT)

    assert raised.value.reason == reason


def test_a_pretty_printed_body_means_the_same() -> None:
    compact = wire.webhook(wire.messages(wire.text()))
    pretty = compact.replace(b",", b" ,\n\t").replace(b":", b" : ")

    first, second = normalise(compact, RECEIVED_AT)[0], normalise(pretty, RECEIVED_AT)[0]

    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert (first.text, first.key) == (second.text, second.key)


@pytest.mark.parametrize("name", wire.documented_webhooks())
def test_a_second_delivery_has_the_same_keys_and_other_facts_have_others(name: str) -> None:
    change = wire.documented_webhooks()[name]
    reordered = {"value": dict(reversed(change["value"].items())), "field": change["field"]}
    later = RECEIVED_AT + timedelta(days=3)

    first = normalise(wire.webhook(change, time=1), RECEIVED_AT)
    again = normalise(wire.webhook(reordered, time=1), later)

    assert [fact.key for fact in first] == [fact.key for fact in again]
    assert len({fact.key for fact in first}) == len(first)


def test_keys_tell_apart_numbers_statuses_and_participants() -> None:
    found = facts(
        wire.messages(wire.text(wamid="w"), number_id="1"),
        wire.messages(wire.text(wamid="w"), number_id="2"),
        wire.statuses(
            wire.status("sent", wamid="w"),
            wire.status("read", wamid="w"),
            wire.status("read", wamid="w", recipient_participant_id="p"),
        ),
        wire.change("smb_message_echoes", message_echoes=[wire.echo(id="w")]),
    )

    assert len({fact.key for fact in found}) == 6


def test_keys_stay_short_whatever_the_ids_are() -> None:
    found = facts(wire.messages(wire.text(wamid="w" * 500), wire.text(wamid="ñ" * 400)))

    assert all(len(fact.key) <= 200 and fact.key.isascii() for fact in found)
    assert len({fact.key for fact in found}) == 2
