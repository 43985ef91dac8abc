"""What can go wrong with the business profile."""

from app.core.errors import Conflict


class ProfileChanged(Conflict):
    """Somebody stored another version since the one that was edited."""

    code = "business_profile_changed"
