"""From what is installed and what a config says to a pipeline that can run: everything that can fail before data moves fails here."""
