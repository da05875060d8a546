"""S3 for ozzy: a reader, a writer and a persistence."""
