"""`python -m tests.bench`: the message path measured beside its floor. docs/benchmarks.md says how to read it."""
