"""Which models answer, and in which order: what the settings bring and the operator arranges."""
