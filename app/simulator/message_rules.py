"""What `POST /{phone number id}/messages` takes, member by member (`reference/whatsapp.md` A2, Meta's OpenAPI v23.0).

Written by hand, because the product does not carry Meta's file; tests hold it against that file. It is stricter than
the file where Meta's documentation is: addresses must be real ones, coordinates in range, ids of choices unique.
"""

import re
from collections.abc import Iterator

from app.simulator.shapes import Anything, Flag, Items, Members, NumberOrText, Problem, Shape, Text, TextOrWhole

__all__ = ["check_send", "is_read_receipt"]

MAX_LIST_ROWS = 10

_WEB_ADDRESS = Text(pattern=re.compile(r"https?://[^\s/]+", re.IGNORECASE))
_CAPTION = {"caption": Text(least=0, most=1024)}
_HOME_OR_WORK = Text(choices=frozenset({"HOME", "WORK"}))
_ANY_TEXT = Text(least=0)


def _media(**extra: Shape) -> Members:
    """Exactly one of an uploaded `id` and a `link`, never null."""
    return Members(optional={"id": Text(), "link": _WEB_ADDRESS, **extra}, exactly_one=("id", "link"))


def _texts(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, _ANY_TEXT)


def _more_than_formatted(name: dict[str, object], path: str) -> Iterator[Problem]:
    if len(name) == 1:
        yield Problem(path, "missing", "needs one more part beside formatted_name")


_CONTACT = Members(
    required={
        "name": Members(
            required={"formatted_name": Text()},
            optional=_texts("first_name", "last_name", "middle_name", "prefix", "suffix"),
            rule=_more_than_formatted,
        )
    },
    optional={
        "addresses": Items(
            Members(
                optional={
                    **_texts("city", "country", "country_code", "state", "street", "zip"),
                    "type": _HOME_OR_WORK,
                }
            ),
            least=0,
        ),
        "birthday": Text(pattern=re.compile(r"\d{4}-\d{2}-\d{2}$")),
        "emails": Items(Members(required={"email": Text()}, optional={"type": _HOME_OR_WORK}), least=0),
        "org": Members(optional=_texts("company", "department", "title")),
        "phones": Items(Members(required={"phone": Text()}, optional=_texts("type", "wa_id")), least=0),
        "urls": Items(Members(required={"url": Text()}, optional={"type": _HOME_OR_WORK}), least=0),
    },
)


# Interactive messages: what the action of each type looks like.
def _named(name: str, parameters: Shape | None = None, *, needs_parameters: bool = True) -> Members:
    required: dict[str, Shape] = {"name": Text(choices=frozenset({name}))}
    if parameters is not None and needs_parameters:
        required["parameters"] = parameters
    return Members(required=required, optional={"parameters": parameters or Anything(dict)})


def _unique(values: list[object], path: str, what: str) -> Iterator[Problem]:
    if len(set(map(str, values))) < len(values):
        yield Problem(path, "invalid", f"{what} must be unique")


def _distinct_buttons(action: dict[str, object], path: str) -> Iterator[Problem]:
    replies = [reply for button in _objects(action["buttons"]) for reply in _objects([button["reply"]])]
    yield from _unique([reply["title"] for reply in replies], f"{path}.buttons", "titles")
    yield from _unique([reply["id"] for reply in replies], f"{path}.buttons", "ids")


def _few_distinct_rows(action: dict[str, object], path: str) -> Iterator[Problem]:
    sections = _objects(action["sections"])
    rows = [row for section in sections for row in _objects(section["rows"])]
    if len(rows) > MAX_LIST_ROWS:
        yield Problem(f"{path}.sections", "invalid", f"{len(rows)} rows in all, at most {MAX_LIST_ROWS}")
    if len(sections) > 1 and not all("title" in section for section in sections):
        yield Problem(f"{path}.sections", "missing", "titles are required when there is more than one section")
    yield from _unique([row["id"] for row in rows], f"{path}.sections", "row ids")


def _objects(values: object) -> list[dict[str, object]]:
    """Return the objects of a list whose shape has already been checked."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


_ROW = Members(
    required={"id": Text(most=200), "title": Text(most=24)},
    optional={"description": Text(least=0, most=72)},
)
_PRODUCT_SECTION = Members(
    required={"product_items": Items(Members(required={"product_retailer_id": Text()}), most=30)},
    optional={"title": Text(most=24)},
)
_FLOW = Members(
    required={"flow_message_version": Text(choices=frozenset({"3"})), "flow_cta": Text(most=30)},
    optional={
        "flow_id": Text(),
        "flow_name": Text(),
        "flow_token": _ANY_TEXT,
        "mode": Text(choices=frozenset({"draft", "published"})),
        "flow_action": Text(choices=frozenset({"navigate", "data_exchange"})),
        "flow_action_payload": Members(optional={"screen": _ANY_TEXT, "data": Anything(dict)}),
    },
    exactly_one=("flow_id", "flow_name"),
)
_ACTIONS: dict[str, Members] = {
    "button": Members(
        required={
            "buttons": Items(
                Members(
                    required={
                        "type": Text(choices=frozenset({"reply"})),
                        "reply": Members(required={"id": Text(most=256), "title": Text(most=20)}),
                    }
                ),
                most=3,
            )
        },
        rule=_distinct_buttons,
    ),
    "list": Members(
        required={
            "button": Text(most=20),
            "sections": Items(
                Members(required={"rows": Items(_ROW, most=10)}, optional={"title": Text(most=24)}), most=10
            ),
        },
        rule=_few_distinct_rows,
    ),
    "cta_url": _named("cta_url", Members(required={"display_text": Text(most=20), "url": _WEB_ADDRESS})),
    "flow": _named("flow", _FLOW),
    "location_request_message": _named("send_location"),
    "request_contact_info": _named("request_contact_info"),
    "call_permission_request": _named("call_permission_request"),
    "voice_call": _named("voice_call"),
    "address_message": _named("address_message", Anything(dict)),
    "order_details": _named("review_and_pay", Anything(dict)),
    "order_status": _named("review_order", Anything(dict)),
    "catalog_message": _named(
        "catalog_message",
        Members(required={"thumbnail_product_retailer_id": Text()}),
        needs_parameters=False,
    ),
    "product": Members(required={"catalog_id": Text(), "product_retailer_id": Text()}),
    "product_list": Members(required={"catalog_id": Text(), "sections": Items(_PRODUCT_SECTION, most=10)}),
    "carousel": Members(required={"cards": Items(Anything(dict), most=10)}),
}
_MEDIA_HEADERS = ("image", "video", "document")


def _header_has_content(header: dict[str, object], path: str) -> Iterator[Problem]:
    kind = str(header["type"])
    if kind not in header:
        yield Problem(f"{path}.{kind}", "missing", "is required")


def _action_fits_type(interactive: dict[str, object], path: str) -> Iterator[Problem]:
    kind = str(interactive["type"])
    if kind != "product" and "body" not in interactive:
        yield Problem(f"{path}.body", "missing", "is required")
    header = interactive.get("header")
    if kind == "list" and isinstance(header, dict) and header.get("type") != "text":
        yield Problem(f"{path}.header.type", "invalid", "a list takes a text header only")
    yield from _ACTIONS[kind].problems(interactive["action"], f"{path}.action")


_INTERACTIVE = Members(
    required={"type": Text(choices=frozenset(_ACTIONS)), "action": Anything(dict)},
    optional={
        "header": Members(
            required={"type": Text(choices=frozenset({"text", *_MEDIA_HEADERS}))},
            optional={
                "text": Text(most=60),
                "sub_text": Text(most=60),
                **{kind: _media(filename=_ANY_TEXT) for kind in _MEDIA_HEADERS},
            },
            rule=_header_has_content,
        ),
        "body": Members(required={"text": Text(most=1024)}),
        "footer": Members(required={"text": Text(most=60)}),
    },
    rule=_action_fits_type,
)


def _button_is_placed(component: dict[str, object], path: str) -> Iterator[Problem]:
    if component["type"] == "button":
        for name in ("sub_type", "index"):
            if name not in component:
                yield Problem(f"{path}.{name}", "missing", "is required for a button")


def _typed_parameter(parameter: dict[str, object], path: str) -> Iterator[Problem]:
    content = {"text": "text", "currency": "currency", "date_time": "date_time", "payload": "payload"}
    needed = content.get(str(parameter["type"]))
    if needed is not None and needed not in parameter:
        yield Problem(f"{path}.{needed}", "missing", "is required")


_PARAMETER = Members(
    required={"type": Text()},
    optional={
        "parameter_name": Text(),
        "text": Text(),
        "payload": Text(),
        "coupon_code": Text(),
        "product": Anything(dict),
        "location": Anything(dict),
        "currency": Members(required={"fallback_value": Text(), "code": Text(), "amount_1000": Anything(int)}),
        "date_time": Anything(dict),
        "image": _media(),
        "video": _media(),
        "document": _media(filename=_ANY_TEXT),
        "action": Anything(dict),
        "limited_time_offer": Anything(dict),
        "order_status": Anything(dict),
    },
    rule=_typed_parameter,
)
_TEMPLATE = Members(
    required={
        "name": Text(most=512),
        "language": Members(required={"code": Text()}, optional={"policy": Text(choices=frozenset({"deterministic"}))}),
    },
    optional={
        "components": Items(
            Members(
                required={
                    "type": Text(
                        choices=frozenset(
                            {"header", "body", "button", "carousel", "limited_time_offer", "order_status"}
                        )
                    )
                },
                optional={
                    "sub_type": Text(
                        choices=frozenset(
                            {
                                "quick_reply",
                                "url",
                                "catalog",
                                "CATALOG",
                                "flow",
                                "copy_code",
                                "mpm",
                                "voice_call",
                                "order_details",
                            }
                        )
                    ),
                    "index": TextOrWhole(),
                    "parameters": Items(_PARAMETER, least=0),
                    "cards": Items(Anything(dict), most=10),
                },
                rule=_button_is_placed,
            ),
            least=0,
        )
    },
)

_CONTENT: dict[str, Shape] = {
    "text": Members(required={"body": Text(most=4096)}, optional={"preview_url": Flag()}),
    "image": _media(**_CAPTION),
    "video": _media(**_CAPTION),
    "audio": _media(voice=Flag()),
    "document": _media(**_CAPTION, filename=_ANY_TEXT),
    "sticker": _media(),
    "location": Members(
        required={"latitude": NumberOrText(-90, 90), "longitude": NumberOrText(-180, 180)},
        optional=_texts("name", "address"),
    ),
    "contacts": Items(_CONTACT, most=257),
    "reaction": Members(required={"message_id": Text(), "emoji": Text(least=0, most=64)}),
    "interactive": _INTERACTIVE,
    "template": _TEMPLATE,
}
_PRODUCT = Text(choices=frozenset({"whatsapp"}))
_COMMON_REQUIRED: dict[str, Shape] = {"messaging_product": _PRODUCT, "type": Text(choices=frozenset(_CONTENT))}
_COMMON_OPTIONAL: dict[str, Shape] = {
    "recipient_type": Text(choices=frozenset({"individual", "group"})),
    "to": Text(),
    "recipient": Text(),
    "context": Members(required={"message_id": Text()}),
    "biz_opaque_callback_data": Text(least=0, most=512),
    "recipient_identity_key_hash": Text(),
}


def _has_addressee(body: dict[str, object], path: str) -> Iterator[Problem]:
    if "to" not in body and "recipient" not in body:
        yield Problem(path or "to", "missing", "is required")


_SEND = {
    kind: Members(required={**_COMMON_REQUIRED, kind: content}, optional=_COMMON_OPTIONAL, rule=_has_addressee)
    for kind, content in _CONTENT.items()
}
_READ = Members(
    required={"messaging_product": _PRODUCT, "status": Text(choices=frozenset({"read"})), "message_id": Text()},
    optional={"typing_indicator": Members(required={"type": Text(choices=frozenset({"text"}))})},
)


def is_read_receipt(body: dict[str, object]) -> bool:
    """Whether the body marks a message as read (and perhaps shows typing) instead of sending one."""
    return "type" not in body and "status" in body


def check_send(body: object) -> list[Problem]:
    """Return the problems of a body for the messages endpoint, read receipts included; none means accepted."""
    if not isinstance(body, dict):
        return [Problem("", "invalid", "the body must be an object")]
    if is_read_receipt(body):
        return list(_READ.problems(body, ""))
    kind = body.get("type")
    if kind is None:
        return [Problem("type", "missing", "is required")]
    if not isinstance(kind, str) or kind not in _SEND:
        return [Problem("type", "invalid", f"must be one of {', '.join(_SEND)}")]
    return list(_SEND[kind].problems(body, ""))
