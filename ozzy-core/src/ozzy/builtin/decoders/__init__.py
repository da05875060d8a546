"""Decoders of the core."""
