"""Ozzy the plumber: moves records from any source to any destination, with nothing lost and nothing twice."""
