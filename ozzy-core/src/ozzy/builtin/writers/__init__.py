"""Writers of the core."""
