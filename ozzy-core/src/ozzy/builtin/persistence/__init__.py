"""The core's own persistence."""
