"""The command `ozzy`: one file for each group of commands. Nothing below knows of it."""
