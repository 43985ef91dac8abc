"""The profile the assistant speaks for: identity, hours, tone, facts."""
