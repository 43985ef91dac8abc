"""Proof that what came in was dealt with, that what must be true is, and what an operator can do where it is not."""
