"""Everything that leaves: states, pacing, delivery, statuses."""
