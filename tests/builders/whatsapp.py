"""Webhooks as Meta sends them: envelopes, and a documented payload for every type of message, status and notice.

The shapes come from Meta's OpenAPI file and from the public test data named in whatsapp.md A5; the people are invented.
"""

import copy
import json
from typing import Any

NUMBER_ID = "106540352242922"
ACCOUNT_ID = "102290129340398"
PHONE = "16505551234"
USER_ID = "US.13491208655302741918"
PARENT_USER_ID = "US.ENT.11815799212886844830"
SENT_AT = "1749416383"

Json = dict[str, Any]


def webhook(*changes: Json, account_id: str = ACCOUNT_ID, time: int | None = None) -> bytes:
    """One entry with these changes, as bytes, escaped like Meta's."""
    entry: Json = {"id": account_id, "changes": list(changes)}
    if time is not None:
        entry["time"] = time
    return encoded({"object": "whatsapp_business_account", "entry": [entry]})


def encoded(payload: object) -> bytes:
    return json.dumps(payload, separators=(",", ":")).encode()


def change(field: str = "messages", number_id: str | None = NUMBER_ID, **value: object) -> Json:
    base: Json = {"messaging_product": "whatsapp"}
    if number_id is not None:
        base["metadata"] = {"display_phone_number": "15550783881", "phone_number_id": number_id}
    return {"field": field, "value": base | value}


def messages(*items: Json, contacts: list[Json] | None = None, number_id: str = NUMBER_ID) -> Json:
    return change(number_id=number_id, contacts=[contact()] if contacts is None else contacts, messages=list(items))


def statuses(*items: Json) -> Json:
    return change(statuses=list(items))


def contact(**members: object) -> Json:
    return {"profile": {"name": "Sheena Nelson"}, "wa_id": PHONE} | members


def message(kind: str = "text", *, wamid: str = "wamid.AAA", **members: object) -> Json:
    """A documented message of this type from `PHONE`; `members` replace or add."""
    base: Json = {"from": PHONE, "id": wamid, "timestamp": SENT_AT, "type": kind}
    return base | copy.deepcopy(DOCUMENTED_CONTENT.get(kind, {})) | members


def text(body: str = "Does it come in another color?", *, wamid: str = "wamid.AAA", **members: object) -> Json:
    return message("text", wamid=wamid, text={"body": body}, **members)


def status(name: str = "delivered", *, wamid: str = "wamid.OUT", **members: object) -> Json:
    return {"id": wamid, "status": name, "timestamp": SENT_AT, "recipient_id": PHONE} | members


_IMAGE = {"mime_type": "image/jpeg", "sha256": "SfInY0gGKTsJlUWbwxC1k+FAD0FZHvzwfpvO0zX0GUI=", "id": "1003383421387256"}

DOCUMENTED_CONTENT: dict[str, Json] = {
    "text": {"text": {"body": "Does it come in another color?"}},
    "image": {"image": {**_IMAGE, "caption": "Taj Mahal", "url": "https://lookaside.fbsbx.com/x"}},
    "video": {
        "video": {"mime_type": "video/mp4", "sha256": "Jh+2", "id": "765756756", "caption": "Look"},
        "context": {"forwarded": True},
    },
    "document": {
        "document": {
            "caption": "The contract",
            "filename": "../../etc/passwd.pdf",
            "mime_type": "application/pdf",
            "sha256": "grw=",
            "id": "1234567890",
        }
    },
    "sticker": {"sticker": {"mime_type": "image/webp", "sha256": "Omt=", "id": "99", "animated": True}},
    "audio": {"audio": {"mime_type": "audio/ogg; codecs=opus", "sha256": "m04p", "id": "77", "voice": True}},
    "location": {
        "location": {
            "address": "101 Forest Ave, Palo Alto, CA 94301",
            "latitude": 37.44221496582,
            "longitude": -122.16165924072,
            "name": "Philz Coffee",
            "url": "https://philzcoffee.com/",
        }
    },
    "contacts": {
        "contacts": [
            {
                "name": {"first_name": "Lucía", "formatted_name": "Lucía Gómez"},
                "org": {"company": "Google"},
                "phones": [{"phone": "+1 (983) 555-2319", "wa_id": "19835552319", "type": "MOBILE"}],
            }
        ]
    },
    "interactive": {
        "interactive": {"type": "button_reply", "button_reply": {"id": "cancel-button", "title": "Cancel"}},
        "context": {"from": "15550783881", "id": "wamid.MENU"},
    },
    "button": {
        "button": {"payload": "unsubscribe-7", "text": "Unsubscribe"},
        "context": {"from": "15550783881", "id": "wamid.TEMPLATE"},
    },
    "reaction": {"reaction": {"message_id": "wamid.TARGET", "emoji": "\U0001f44d"}},
    "order": {
        "order": {
            "catalog_id": "194836987003835",
            "text": "quickly please",
            "product_items": [
                {"product_retailer_id": "di9ozbzfi4", "quantity": 2, "item_price": 30, "currency": "USD"},
                {"product_retailer_id": "nqryix03ez", "quantity": 1, "item_price": 25, "currency": "USD"},
            ],
        }
    },
    "system": {
        "system": {
            "body": "User Sheena Nelson changed from 16505551234 to 12195555358",
            "wa_id": "12195555358",
            "type": "user_changed_number",
        }
    },
    "request_welcome": {},
    "edit": {
        "edit": {
            "original_message_id": "wamid.TARGET",
            "message": {"type": "text", "text": {"body": "Text was edited"}, "context": {"id": "wamid.Q"}},
        }
    },
    "revoke": {"revoke": {"original_message_id": "wamid.TARGET"}},
    "unsupported": {
        "unsupported": {"type": "poll_creation"},
        "errors": [
            {
                "code": 131051,
                "title": "Message type unknown",
                "message": "Message type unknown",
                "error_data": {"details": "Message type is currently not supported."},
            }
        ],
    },
}

INTERACTIVE_REPLIES: dict[str, Json] = {
    "button_reply": {"type": "button_reply", "button_reply": {"id": "cancel-button", "title": "Cancel"}},
    "list_reply": {
        "type": "list_reply",
        "list_reply": {"id": "priority_express", "title": "Priority Mail Express", "description": "Next Day to 2 Days"},
    },
    "nfm_reply": {
        "type": "nfm_reply",
        "nfm_reply": {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"t","size":"M"}'},
    },
    "call_permission_reply": {
        "type": "call_permission_reply",
        "call_permission_reply": {"response": "accept", "expiration_timestamp": 1749416999, "response_source": "user"},
    },
}

REFERRAL: Json = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Chat with us",
    "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
    "welcome_message": {"text": "Hi there!"},
}

PRICING: Json = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}

UNDELIVERABLE: Json = {
    "code": 131026,
    "title": "Message undeliverable",
    "message": "Message undeliverable",
    "error_data": {"details": "The recipient could not receive this message"},
    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
}


def by_user_id(item: Json) -> Json:
    """The same message from a person who is known by a user id only."""
    item = {name: value for name, value in item.items() if name != "from"}
    return item | {"from_user_id": USER_ID, "from_parent_user_id": PARENT_USER_ID}


USER_ID_CONTACT: Json = {"profile": {"name": "Julian", "username": "julianzlc"}, "user_id": USER_ID}


def echo(**members: object) -> Json:
    """What the owner sent from the WhatsApp Business app."""
    base = {"from": "15550783881", "to": PHONE, "id": "wamid.ECHO", "timestamp": SENT_AT, "type": "text"}
    return base | {"text": {"body": "Hi! A human here."}} | members


def preference(**members: object) -> Json:
    base = {"wa_id": PHONE, "category": "marketing_messages", "value": "stop", "timestamp": 1731705721}
    return base | {"detail": "User requested to stop marketing messages"} | members


def documented_webhooks() -> dict[str, Json]:
    """Every documented payload, decoded, each with two neighbours that must survive whatever happens to it."""
    changes: dict[str, Json] = {kind: messages(message(kind)) for kind in DOCUMENTED_CONTENT}
    changes |= {name: messages(message("interactive", interactive=it)) for name, it in INTERACTIVE_REPLIES.items()}
    changes |= {
        "referral": messages(text(referral=REFERRAL)),
        "username_only": messages(by_user_id(text()), contacts=[USER_ID_CONTACT]),
        "interactive_with_error": messages(message("interactive", interactive=None, errors=[UNDELIVERABLE])),
        "status_sent": statuses(status("sent", pricing=PRICING, biz_opaque_callback_data="ob1:x:1")),
        "status_failed": statuses(status("failed", errors=[UNDELIVERABLE])),
        "status_user_id": statuses({"id": "w", "status": "read", "timestamp": SENT_AT, "recipient_user_id": USER_ID}),
        "account_error": change(errors=[UNDELIVERABLE]),
        "echo": change("smb_message_echoes", message_echoes=[echo()]),
        "preference": change("user_preferences", user_preferences=[preference()]),
        "template": change("message_template_status_update", number_id=None, event="APPROVED", reason="NONE"),
    }
    return changes
