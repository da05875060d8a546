"""Transforms of the core."""
