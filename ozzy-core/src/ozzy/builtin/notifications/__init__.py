"""Notifiers of the core."""
