"""Health, heartbeats and what an operator asks first."""
