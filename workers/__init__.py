"""Processes other than the web server."""
