"""Trying the assistant before customers meet it: models side by side, and what they are told."""
