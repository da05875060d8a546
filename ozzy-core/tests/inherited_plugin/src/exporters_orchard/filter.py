# ruff: noqa: RUF012
from ozzy.filters.base_filter import BaseFilter


class RipeFilter(BaseFilter):
    """Keeps apples whose number is a multiple of `every`."""

    supported_options = {"every": {"type": int, "default": 1}}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.every = self.read_option("every")
        self.logger.info("RipeFilter has been initiated")

    def filter(self, item):
        return item["number"] % self.every == 0
