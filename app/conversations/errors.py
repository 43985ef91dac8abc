"""What can be wrong with a request about a conversation."""

from app.core.errors import Conflict, NotFound


class ConversationNotFound(NotFound):
    code = "conversation_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such conversation")


class ControlHasChanged(Conflict):
    """Somebody else took or gave the conversation in the meantime."""

    code = "control_has_changed"

    def __init__(self, control: str) -> None:
        super().__init__(f"the conversation is now held by: {control}. Read it again, then decide.")
