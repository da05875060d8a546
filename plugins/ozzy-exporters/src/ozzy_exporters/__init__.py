"""What stands behind the inherited names: see `names.py` for which there are."""
