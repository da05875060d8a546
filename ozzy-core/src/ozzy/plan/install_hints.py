"""The one table of modules that come with a package of their own, for messages that say what to install. Kept in order of the names."""

PACKAGES = {
    "apprise": "ozzy-apprise",
    "arrow": "ozzy-arrow",
    "azure_blob": "ozzy-azure",
    "azure_file": "ozzy-azure",
    "cloudsearch": "ozzy-cloudsearch",
    "dropbox": "ozzy-dropbox",
    "feather": "ozzy-arrow",
    "ftp": "ozzy-ftp",
    "gdrive": "ozzy-gdrive",
    "gstorage": "ozzy-gstorage",
    "hubstorage": "ozzy-hubstorage",
    "hubstorage_reduce": "ozzy-hubstorage",
    "kafka": "ozzy-kafka",
    "kafka_random": "ozzy-kafka",
    "kafka_scanner": "ozzy-kafka",
    "mail": "ozzy-mail",
    "mysql": "ozzy-sql",
    "parquet": "ozzy-arrow",
    "postgresql": "ozzy-sql",
    "ray": "ozzy-ray",
    "s3": "ozzy-s3",
    "s3_to_azure_blob": "ozzy-azure",
    "s3_to_azure_file": "ozzy-azure",
    "s3_to_s3": "ozzy-s3",
    "sftp": "ozzy-sftp",
    "sqlite": "ozzy-sql",
}


def package_to_install(name: str) -> str | None:
    """The package that has the module of this short name, or this class path; None where it is in none of ozzy's packages.

    >>> package_to_install("s3"), package_to_install("ozzy_s3.reader:S3Reader"), package_to_install("my_own")
    ('ozzy-s3', 'ozzy-s3', None)
    """
    if name in PACKAGES:
        return PACKAGES[name]
    top_level = name.partition(":")[0].partition(".")[0].replace("_", "-")
    return top_level if top_level in PACKAGES.values() else None
