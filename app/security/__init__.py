"""The security console: what looks wrong, who was told, and the evidence for others."""
