"""One file for each model provider."""
