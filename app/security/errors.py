"""What cannot be done on the security console."""

from app.core.errors import Conflict, InvalidInput, NotFound


class AlertNotFound(NotFound):
    code = "security_alert_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such alert")


class AlreadyAcknowledged(Conflict):
    code = "security_alert_acknowledged"

    def __init__(self) -> None:
        super().__init__("somebody has acknowledged this alert already")


class SilenceNotFound(NotFound):
    code = "security_silence_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such silence, or it has ended")


class SilenceTooLong(InvalidInput):
    code = "security_silence_too_long"

    def __init__(self, most_minutes: int) -> None:
        super().__init__(f"an alert may be silenced for at most {most_minutes} minutes", field="silence_minutes")


class SnapshotNotFound(NotFound):
    code = "incident_snapshot_not_found"

    def __init__(self) -> None:
        super().__init__("there is no such snapshot")


class CheckpointRefused(Conflict):
    """The consumer would go back, or ahead of what there is."""

    code = "checkpoint_refused"
