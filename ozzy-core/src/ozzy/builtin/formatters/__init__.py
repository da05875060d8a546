"""Formatters of the core."""
