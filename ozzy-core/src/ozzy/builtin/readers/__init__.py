"""Readers of the core."""
