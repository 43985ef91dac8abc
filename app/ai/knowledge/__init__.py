"""Passages the assistant may quote, and their search."""
