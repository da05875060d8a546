"""What this package offers."""

from ozzy import Module, hookimpl


@hookimpl
def ozzy_read() -> dict[str, Module]:
    """Readers."""
    return {"s3": Module("ozzy_s3.reader:S3Reader", "Objects of an S3 bucket.")}


@hookimpl
def ozzy_bypass() -> dict[str, Module]:
    """Bypasses."""
    between = ("s3", "s3")
    return {"s3": Module("ozzy_s3.bypass:S3Bypass", "From bucket to bucket, copied by S3 itself.", ("s3_to_s3",), between)}


@hookimpl
def ozzy_write() -> dict[str, Module]:
    """Writers."""
    return {"s3": Module("ozzy_s3.writer:S3Writer", "Objects of an S3 bucket, published whole.")}


@hookimpl
def ozzy_persist() -> dict[str, Module]:
    """Persistences."""
    return {"s3": Module("ozzy_s3.persistence:S3Persistence", "State in an S3 bucket, shared by machines.")}
