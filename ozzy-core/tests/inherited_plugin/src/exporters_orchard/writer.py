# ruff: noqa: PTH118, PTH123, RUF012
import gzip
import os
import shutil

from ozzy.writers.base_writer import BaseWriter


class CrateWriter(BaseWriter):
    """Unpacks each buffer file into a folder, into a file for each group."""

    supported_options = {"crate": {"type": str}}

    def write(self, dump_path, group_key=None):
        name = "-".join(group_key or ()) or "all"
        self.logger.info("writing %s", name)
        with gzip.open(dump_path) as dump, open(os.path.join(self.read_option("crate"), name), "ab") as crate:
            shutil.copyfileobj(dump, crate)
