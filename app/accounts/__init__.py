"""People who may come in."""
