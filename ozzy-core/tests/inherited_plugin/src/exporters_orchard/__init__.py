"""Modules written to the inherited module documentation, and to nothing else; only plugin.py knows of today."""
