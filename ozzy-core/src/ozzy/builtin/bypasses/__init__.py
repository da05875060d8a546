"""Bypasses of the core."""
