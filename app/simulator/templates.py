"""Message templates of a business account (Meta: `/{waba_id}/message_templates`; `reference/whatsapp.md` A3)."""

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from app.simulator.graph_errors import GraphError
from app.simulator.shapes import Anything, Flag, Items, Members, Problem, Shape, Text

__all__ = ["Template", "TemplateStore"]

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
MAX_TEMPLATES = 6000


class Template(msgspec.Struct, kw_only=True):
    """As the list answers it. `parameter_format` is POSITIONAL ({{1}}) or NAMED ({{name}})."""

    id: str
    name: str
    language: str
    category: str
    status: str
    parameter_format: str
    components: list[dict[str, object]]


def _placed_placeholders(component: dict[str, object], path: str) -> Iterator[Problem]:
    text = component.get("text")
    if component["type"] != "BODY" or not isinstance(text, str):
        return
    if _PLACEHOLDER.match(text.strip()) or re.search(r"\}\}$", text.strip()):
        yield Problem(path, "invalid", "Variables can't be at the start or end of the template")
    if re.search(r"\}\}\s*\{\{", text):
        yield Problem(path, "invalid", "Variables can't stand next to each other")
    if len(text) > 1024:  # noqa: PLR2004 - the limit of A3, tested as such
        yield Problem(path, "invalid", "must be at most 1024 characters long")


_BUTTON = Members(
    required={"type": Text()},
    optional={
        **{
            name: Text(least=0)
            for name in ("phone_number", "url", "flow_action", "navigate_screen", "icon", "otp_type")
        },
        "text": Text(most=25),
        "flow_id": Anything(),
        "example": Anything(),
    },
)
_COMPONENT = Members(
    required={
        "type": Text(choices=frozenset({"HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER"}))
    },
    optional={
        "format": Text(choices=frozenset({"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"})),
        "text": Text(),
        "example": Anything(dict),
        "buttons": Items(_BUTTON, most=10),
        "cards": Items(Anything(dict), most=10),
        "limited_time_offer": Anything(dict),
        "add_security_recommendation": Flag(),
        "code_expiration_minutes": Anything(int),
    },
    rule=_placed_placeholders,
)
_NEW: Shape = Members(
    required={
        "name": Text(most=512, pattern=re.compile(r"[a-z0-9_]+$")),
        "language": Text(pattern=re.compile(r"[a-z]{2,3}(_[A-Z]{2})?$")),
        "category": Text(choices=frozenset({"UTILITY", "MARKETING", "AUTHENTICATION"})),
        "components": Items(_COMPONENT),
    },
    optional={
        "parameter_format": Text(choices=frozenset({"NAMED", "POSITIONAL", "named", "positional"})),
        "allow_category_change": Flag(),
        "message_send_ttl_seconds": Anything(int),
    },
)


class TemplateStore:
    """Templates by business account. Every account begins with Meta's sample `hello_world`."""

    def __init__(self) -> None:
        self._accounts: dict[str, dict[str, Template]] = {}

    def all(self, account: str) -> list[Template]:
        return list(self._of(account).values())

    def create(self, account: str, body: object) -> Template:
        """Keep a new template as PENDING.

        Raises:
            GraphError: 100 for a body that Meta would refuse, or a name that has this language already.

        """
        for problem in _NEW.problems(body, ""):
            raise GraphError(100, f"Param {problem.path} {problem.reason}.")
        new = msgspec.convert(body, _NewTemplate)
        if any(known.name == new.name and known.language == new.language for known in self.all(account)):
            raise GraphError(100, "Content in this language already exists.", subcode=2388024)
        if len(self._of(account)) >= MAX_TEMPLATES:
            raise GraphError(100, "The account has reached its template limit.", subcode=2388019)
        template = Template(
            id=_template_id(),
            name=new.name,
            language=new.language,
            category=new.category,
            status="PENDING",
            parameter_format=new.parameter_format.upper(),
            components=new.components,
        )
        self._of(account)[template.id] = template
        return template

    def delete(self, account: str, name: str) -> int:
        """Remove a template in all languages and return how many those were."""
        doomed = [template.id for template in self.all(account) if template.name == name]
        for template_id in doomed:
            del self._of(account)[template_id]
        return len(doomed)

    def find(self, template_id: str) -> Template | None:
        found = (templates.get(template_id) for templates in self._accounts.values())
        return next((template for template in found if template is not None), None)

    def render(self, account: str, sent: Mapping[str, object]) -> tuple[str, str]:
        """Return the text that the customer reads and the category, for the member `template` of a send.

        Raises:
            GraphError: 132001 unknown or not approved, 132000 wrong number of parameters, 132012 wrong form,
                132015 paused, 132016 disabled.

        """
        use = msgspec.convert(sent, _Use)
        same_name = [template for template in self.all(account) if template.name == use.name]
        template = next((template for template in same_name if template.language == use.language.code), None)
        if template is None or template.status in {"PENDING", "REJECTED"}:
            raise GraphError(132001, f"Template name ({use.name}) does not exist in {use.language.code}.")
        if template.status in {"PAUSED", "DISABLED"}:
            raise GraphError(132015 if template.status == "PAUSED" else 132016)
        texts = [_filled(template, place, use) for place in ("HEADER", "BODY", "FOOTER")]
        return "\n".join(text for text in texts if text), template.category.lower()

    def clear(self) -> None:
        self._accounts.clear()

    def _of(self, account: str) -> dict[str, Template]:
        templates = self._accounts.get(account)
        if templates is None:
            sample = Template(
                id=_template_id(),
                name="hello_world",
                language="en_US",
                category="UTILITY",
                status="APPROVED",
                parameter_format="POSITIONAL",
                components=[
                    {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
                    {"type": "BODY", "text": "Welcome and congratulations!!"},
                    {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
                ],
            )
            templates = self._accounts[account] = {sample.id: sample}
        return templates


class _NewTemplate(msgspec.Struct):
    name: str
    language: str
    category: str
    components: list[dict[str, object]]
    parameter_format: Literal["NAMED", "POSITIONAL", "named", "positional"] = "POSITIONAL"


class _Language(msgspec.Struct):
    code: str


class _Parameter(msgspec.Struct):
    type: str
    text: str | None = None
    parameter_name: str | None = None
    currency: dict[str, object] | None = None
    date_time: dict[str, object] | None = None

    def shown(self) -> str:
        fallback = (self.currency or self.date_time or {}).get("fallback_value", "")
        return self.text or str(fallback)


class _UsedComponent(msgspec.Struct):
    type: str
    parameters: list[_Parameter] = []


class _Use(msgspec.Struct):
    name: str
    language: _Language
    components: list[_UsedComponent] = []


def _filled(template: Template, place: str, use: _Use) -> str:
    """Return the text of a part of the template with its parameters put in."""
    part = next((part for part in template.components if part.get("type") == place), {})
    text = str(part.get("text", ""))
    given = [p for used in use.components if used.type.upper() == place for p in used.parameters]
    wanted = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    if part.get("format", "TEXT") != "TEXT":
        wanted = [str(part["format"])]
    if len(given) != len(wanted):
        raise GraphError(
            132000,
            f"{place.lower()}: number of localizable_params ({len(given)}) does not match "
            f"the expected number of params ({len(wanted)})",
        )
    if template.parameter_format == "NAMED" and {p.parameter_name for p in given} != set(wanted):
        raise GraphError(132012, f"{place.lower()}: parameter names do not match")
    values = {p.parameter_name or str(place): p.shown() for place, p in enumerate(given, start=1)}
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _template_id() -> str:
    return str(10**15 + secrets.randbelow(9 * 10**15))
