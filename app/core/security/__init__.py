"""Passwords, tokens, guards and the cipher for stored secrets."""
