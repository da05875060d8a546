"""A filter against duplicates, written to the documents of the inherited system and to nothing else."""
