"""Makes the package of a new plugin: `ozzy plugins new`."""
