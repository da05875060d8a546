"""S3 for ozzy: a reader and a writer."""
