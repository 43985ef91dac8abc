"""Meta on this machine: Graph endpoints, signed webhooks, faults, and a ledger of what customers received."""
