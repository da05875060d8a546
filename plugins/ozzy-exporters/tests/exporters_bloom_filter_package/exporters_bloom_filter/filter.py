import json

from exporters.filters.base_filter import BaseFilter

from exporters_bloom_filter.bloom import BloomFilter


class DuplicatesBloomFilter(BaseFilter):
    """
    Leaves out items whose field has a value that was there before.

        - field (str)
            Name of the field
    """

    supported_options = {  # noqa: RUF012
        "field": {"type": str},
    }

    def __init__(self, *args, **kwargs):
        super(DuplicatesBloomFilter, self).__init__(*args, **kwargs)  # noqa: UP008
        self.field = self.read_option("field")
        self.bloom = BloomFilter()
        self.logger.info("DuplicatesBloomFilter has been initiated. Field: %s", self.field)

    def filter(self, item):
        return not self.bloom.add(json.dumps(item.get(self.field), sort_keys=True))
