"""`make faults-long`: what takes long, or needs the machine for itself."""
