# ruff: noqa: RUF012
from ozzy.groupers.base_grouper import BaseGrouper


class ColourGrouper(BaseGrouper):
    """Groups by colour."""

    supported_options = {"field": {"type": str, "default": "colour"}}

    def group_batch(self, batch):
        for item in batch:
            item.group_key = [self.read_option("field")]
            item.group_membership = (item[self.read_option("field")],)
            yield item
