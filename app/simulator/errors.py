"""What can be wrong with a request about the simulator."""

from app.core.errors import NotFound


class SimulatorOff(NotFound):
    """Here the product talks to WhatsApp itself."""

    code = "simulator_off"

    def __init__(self) -> None:
        super().__init__("the simulator is off: set SIMULATOR=true and start again to have it")


class CustomerNotFound(NotFound):
    code = "simulated_person_not_found"

    def __init__(self) -> None:
        super().__init__("the simulator knows no such person")


class SimulatedFileNotFound(NotFound):
    code = "simulated_file_not_found"

    def __init__(self) -> None:
        super().__init__("the simulator has no such file, or no longer")
