"""Model routes as the operator sees and arranges them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.core.schema import Input, Output

ProviderName = Literal["gemini", "openai", "claude", "xai", "openrouter", "ollama", "lm_studio", "compatible"]

_Model = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
_BaseUrl = Annotated[str, Meta(min_length=8, max_length=500)]
_Key = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[\x21-\x7e]+$")]
_Limit = Annotated[int, Meta(ge=1, le=1_000_000)]


class RouteChoice(Input, frozen=True, kw_only=True):
    """The place of a route is its place in the list; one that is not enabled is never asked.

    Once the answers of a day have cost `daily_limit_usd`, a route is passed over until midnight where the business is.
    """

    route_id: Annotated[str, Meta(min_length=1, max_length=300)]
    enabled: bool
    daily_limit_usd: Decimal | None = None


class StoredOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's order. Version 0 is that of the settings, which nobody has stored."""

    choices: tuple[RouteChoice, ...] = ()
    version: int = 0
    updated_at: datetime | None = None
    updated_by: UUID | None = None


class CallsOfRoute(msgspec.Struct, frozen=True, kw_only=True):
    """What the trace knows of a provider's model since a moment."""

    calls: int = 0
    failed: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    last_answer_at: datetime | None = None
    last_error_kind: str | None = None
    last_error_message: str = ""
    last_error_at: datetime | None = None


class LastHour(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider's model did in the last hour; milliseconds are those of its answers."""

    calls: int = 0
    failed: int = 0
    p50_milliseconds: int | None = None
    p95_milliseconds: int | None = None


class ProviderRoute(Output, frozen=True, kw_only=True):
    """One way to an answer: a provider, a model and a key.

    - `origin` says where it was configured: only `stored` ones can be changed and deleted here; `built_in` is the
      offline answerer.
    - `position` counts from 1, in the order in which routes are asked.
    - `needs_key`: it was left without a key and is not asked until it has one.
    - `spent`: `daily_limit_usd` is used up, and the route is passed over until midnight where the business is.
    - `error_share_last_hour` (0 to 1), `p50_milliseconds` and `p95_milliseconds` are those of the last hour in all
      processes, null without calls.
    - `key_last_four` is null when there is no key, or one so short that four letters would tell too much.
    - `breaker` is what this process knows; pauses and budgets are shared by all. `paused` says why the route is left
      alone for `paused_seconds`: `cool_down` after a 429 or a refused key, `breaker_open` after failures.
    - Limits are null where none is known.
    - `calls_today`, `failed_today` and `cost_today_usd` count from midnight where the business is. The cost leaves out
      `unpriced_today` answers whose price is not known.
    - The last error and answer may be days old; times say when.
    """

    route_id: str
    origin: Literal["environment", "stored", "built_in"]
    provider: str
    model: str
    enabled: bool
    position: int
    local: bool
    base_url: str
    key_last_four: str | None
    needs_key: bool
    breaker: Literal["closed", "open", "half_open"]
    paused: Literal["cool_down", "breaker_open"] | None
    paused_seconds: float
    requests_per_minute: int | None
    requests_left_this_minute: int | None
    requests_per_day: int | None
    requests_left_today: int | None
    in_flight: int
    calls_today: int
    failed_today: int
    cost_today_usd: Decimal
    unpriced_today: int
    daily_limit_usd: Decimal | None
    spent: bool
    calls_last_hour: int
    error_share_last_hour: float | None
    p50_milliseconds: int | None
    p95_milliseconds: int | None
    last_error_kind: str | None
    last_error_message: str
    last_error_at: datetime | None
    last_answer_at: datetime | None


class UnusedProvider(Output, frozen=True, kw_only=True):
    """A provider that has no route; `setting` is the environment key that would give it one."""

    provider: str
    configured: bool
    setting: str


class ProviderList(Output, frozen=True, kw_only=True):
    """The routes in the order in which they are asked. Version 0 is the order of the settings.

    When no configured route is enabled, the offline answerer, which needs no model, is the last of them.
    """

    version: int
    updated_at: datetime | None
    updated_by: UUID | None
    routes: list[ProviderRoute]
    unused: list[UnusedProvider]


class ProviderOrder(Input, frozen=True, kw_only=True):
    """The whole new order: every route of the list once. `version` is that of the list it was made from."""

    version: Annotated[int, Meta(ge=0, le=2**31 - 2)]
    order: Annotated[list[RouteChoice], Meta(min_length=1, max_length=100)]


class ProviderToAdd(Input, frozen=True, kw_only=True):
    """A model of a provider. Without `base_url` it is asked at the provider's own address.

    The key is stored encrypted and never shown again. Limits that are left out are those of the provider's usual model,
    or none.
    """

    provider: ProviderName
    model: _Model
    base_url: _BaseUrl | None = None
    api_key: _Key | None = None
    requests_per_minute: _Limit | None = None
    requests_per_day: _Limit | None = None

    def __repr__(self) -> str:
        return f"ProviderToAdd(provider={self.provider!r}, model={self.model!r})"


class ProviderChange(Input, frozen=True, kw_only=True):
    """What is left out stays as it is; null takes a value away.

    Another `base_url` without an `api_key` beside it clears the key: a key is for the address it was given for.
    """

    model: _Model | UnsetType = UNSET
    base_url: _BaseUrl | UnsetType | None = UNSET
    api_key: _Key | UnsetType | None = UNSET
    requests_per_minute: _Limit | UnsetType | None = UNSET
    requests_per_day: _Limit | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "ProviderChange(...)"


class RouteTest(Output, frozen=True, kw_only=True):
    """What one small real call came to. `error_message` holds the provider's own words."""

    ok: bool
    milliseconds: int
    error_kind: str | None
    error_message: str
