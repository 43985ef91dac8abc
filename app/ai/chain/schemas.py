"""Model routes as the operator sees and arranges them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.schema import Input, Output


class RouteChoice(Input, frozen=True, kw_only=True):
    """The place of a route is its place in the list; one that is not enabled is never asked."""

    route_id: Annotated[str, Meta(min_length=1, max_length=300)]
    enabled: bool


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


class ProviderRoute(Output, frozen=True, kw_only=True):
    """One way to an answer: a provider, a model and a key.

    - `position` counts from 1, in the order in which routes are asked.
    - `key_last4` is null when there is no key, or one so short that four letters would tell too much.
    - `breaker` is what this process knows; pauses and budgets are shared by all. `paused` says why the route is left
      alone for `paused_seconds`: `cool_down` after a 429 or a refused key, `breaker_open` after failures.
    - Limits are null where none is known.
    - `calls_today`, `failed_today` and `cost_today_usd` count from midnight where the business is. The cost leaves out
      `unpriced_today` answers whose price is not known.
    - The last error and answer may be days old; times say when.
    """

    route_id: str
    provider: str
    model: str
    enabled: bool
    position: int
    local: bool
    base_url: str
    key_last4: str | None
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


class RouteTest(Output, frozen=True, kw_only=True):
    """What one small real call came to. `error_message` holds the provider's own words."""

    ok: bool
    milliseconds: int
    error_kind: str | None
    error_message: str
