"""SAQ's queue in two forms, over Redis and inside the process, and the worker that serves both."""
