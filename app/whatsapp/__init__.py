"""Channels and wire formats; knows no conversation."""
