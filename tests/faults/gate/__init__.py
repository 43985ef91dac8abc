"""`make faults`: what every change must survive, in under ten minutes on two cores."""
