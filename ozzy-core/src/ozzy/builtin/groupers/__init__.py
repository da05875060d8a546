"""Groupers of the core."""
