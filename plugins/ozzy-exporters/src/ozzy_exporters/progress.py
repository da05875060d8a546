"""Callbacks that client libraries call while they transfer a file, and that log how far they are."""

import time
from typing import Any


class BaseProgressCallback:
    """Logs how far a transfer is, a line each `log_interval` seconds at the most."""

    upload = False

    def __init__(self, logger: Any, log_interval: float = 60) -> None:
        self.logger = logger
        self.log_interval = log_interval
        self.start_ts = self.lastlog_ts = time.monotonic()
        self.transmitted_bytes = 0

    def log_transfer_progress(self, transmitted_bytes: int, total_size: int | None = None, is_upload: bool | None = None) -> None:
        """Take note that so many bytes are through, of `total_size` where that is known."""
        now = time.monotonic()
        self.transmitted_bytes = transmitted_bytes
        if now - self.lastlog_ts < self.log_interval:
            return
        self.lastlog_ts = now
        seconds = now - self.start_ts
        speed = transmitted_bytes / seconds if seconds else 0.0
        done = "sent" if (self.upload if is_upload is None else is_upload) else "received"
        left = f", about {(total_size - transmitted_bytes) / speed:,.0f} s left" if total_size and speed else ""
        whole = f" of {total_size:,}" if total_size else ""
        self.logger.info(f"{done} {transmitted_bytes:,}{whole} bytes in {seconds:,.0f} s, {speed:,.0f} bytes/s{left}")


class _Total(BaseProgressCallback):
    """Called with what is through so far, and with the size."""

    def __call__(self, transmitted_bytes: int, total_size: int | None = None) -> None:
        self.log_transfer_progress(transmitted_bytes, total_size)


class _Blocks(BaseProgressCallback):
    """Called with each block."""

    def __call__(self, block: bytes) -> None:
        self.log_transfer_progress(self.transmitted_bytes + len(block))


class BotoDownloadProgress(_Total):
    """For downloads from S3."""


class BotoUploadProgress(_Total):
    """For uploads to S3."""

    upload = True


class SftpDownloadProgress(_Total):
    """For `get` of an SFTP client."""


class SftpUploadProgress(_Total):
    """For `put` of an SFTP client."""

    upload = True


class FtpDownloadProgress(_Blocks):
    """For `retrbinary` of `ftplib`."""


class FtpUploadProgress(_Blocks):
    """For `storbinary` of `ftplib`."""

    upload = True
