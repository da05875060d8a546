"""Expressions of configs: Python's syntax, compiled once to a closed set of guarded operations. Nothing is given to Python's eval."""
