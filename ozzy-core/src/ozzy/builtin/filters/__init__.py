"""Filters of the core."""
