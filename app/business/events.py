"""What happens to the business profile."""

from typing import ClassVar

from app.core.events import Event


class BusinessProfileChanged(Event, frozen=True, kw_only=True):
    """`version` is the one that is now stored."""

    name: ClassVar[str] = "business_profile_changed"
    version: int
