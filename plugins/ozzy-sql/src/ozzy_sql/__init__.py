"""State of ozzy's pipelines in SQL databases."""
