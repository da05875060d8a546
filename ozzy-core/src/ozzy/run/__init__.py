"""A pipeline at work: the loop, the books, checkpoints and recovery, runs and their lease."""
