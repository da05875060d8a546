"""Measures ozzy and its peers at the same jobs: `nox -s bench`, or `python -m benchmarks --help`."""
