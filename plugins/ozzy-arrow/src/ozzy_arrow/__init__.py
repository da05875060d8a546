"""Columns for ozzy: Parquet, Arrow IPC and Feather, read and written without a detour through records."""
