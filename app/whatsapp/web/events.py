"""What happens to linked phones."""

from typing import ClassVar
from uuid import UUID

from app.core.events import Event


class WebSessionChanged(Event, frozen=True, kw_only=True):
    """A linked phone is in another state, or shows another code: whoever shows it asks again."""

    name: ClassVar[str] = "whatsapp_web_changed"
    channel_id: UUID
