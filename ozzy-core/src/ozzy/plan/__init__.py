"""The plan: from a config and what is installed to a pipeline that can run."""
