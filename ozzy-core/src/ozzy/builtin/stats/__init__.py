"""Stats managers of the core."""
