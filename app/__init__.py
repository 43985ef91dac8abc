"""Mostrador: an AI assistant answers a business's customers on WhatsApp, and people take over when it matters."""
