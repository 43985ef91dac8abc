"""Who did what, when: append-only and hash-chained, so that tampering shows."""
