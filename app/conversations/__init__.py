"""Threads, messages, turns, and who holds a conversation."""
